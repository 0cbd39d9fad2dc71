package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

// build makes the command, as somebody does who runs it.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "convostore.exe")
	c := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

var address = regexp.MustCompile(`https?://\S+`)

// begin starts a command that serves, and returns the address that it prints.
func begin(t *testing.T, temp string, args ...string) (url string, end func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, build(t), args...)
	c.Env = append(os.Environ(), "TMPDIR="+temp)
	errs, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(errs)
	for url == "" && lines.Scan() {
		url = address.FindString(lines.Text())
	}
	require.NotEmpty(t, url)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, errs)
	}()
	return url, func() {
		t.Helper()
		require.NoError(t, c.Process.Signal(os.Interrupt))
		<-drained
		require.NoError(t, c.Wait(), "a stop that was asked for is no failure")
	}
}

func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar, Timeout: time.Minute}
}

func get(t *testing.T, c *http.Client, url string) (page string, status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := c.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body), answer.StatusCode
}

// TestDemo starts the demo as a process, looks at its pages and stops it: nothing is left.
func TestDemo(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no process gets an interrupt there")
	}
	temp := t.TempDir()
	url, end := begin(t, temp, "demo")
	root, _, _ := strings.Cut(url, "?")
	_, status := get(t, browser(t), root)
	assert.Equal(t, http.StatusUnauthorized, status, "without the token")
	_, status = get(t, browser(t), root+"?token=wrong")
	assert.Equal(t, http.StatusUnauthorized, status)

	c := browser(t)
	page, status := get(t, c, url)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "Third time: the invoice is STILL wrong")
	_, token, _ := strings.Cut(url, "token=")
	assert.NotContains(t, page, token)
	thread := regexp.MustCompile(`href="\./(c/[0-9a-f-]+)`).FindStringSubmatch(page)
	require.NotNil(t, thread)
	_, status = get(t, c, root+thread[1])
	assert.Equal(t, http.StatusOK, status)
	made, err := filepath.Glob(filepath.Join(temp, "convostore-demo-*", "demo.db"))
	require.NoError(t, err)
	assert.Len(t, made, 1)

	end()
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestServe(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no process gets an interrupt there")
	}
	onBoth(t, func(t *testing.T, db string) {
		must(t, "migrate", "up", "-d", db)
		must(t, "import", "-d", db, "--user", "ann", transferred+"claude.json")
		url, end := begin(t, t.TempDir(), "serve", "-d", db, "--listen", "127.0.0.1:0")
		visitor := browser(t)
		page, status := get(t, visitor, url+"&view=all")
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, page, "Trip to Porto")
		home, _, _ := strings.Cut(url, "?")
		page, status = get(t, visitor, home+"health")
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, page, "This process hands nothing over")
		end()
	})
}

func TestServeSaysWhatWaits(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, time.March, 9, 10, 0, 0, 0, time.FixedZone("east", 3600))
	assert.Empty(t, outboxLine(store.DeliveryHealth{Failed: 3}))
	assert.Equal(t, "In the outbox: 2, none overdue.\n", outboxLine(store.DeliveryHealth{Open: 2}))
	assert.Equal(t, "In the outbox: 5, of which 4 are due and no worker has them, the first since 2026-03-09T09:00:00Z.\n",
		outboxLine(store.DeliveryHealth{Open: 5, Overdue: 4, OldestDue: &due}))
}
