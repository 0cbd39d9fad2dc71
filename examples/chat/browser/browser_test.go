package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	// envBrowser names the variable with the path of a browser of Chromium's kind.
	envBrowser = "CONVOSTORE_TEST_CHROMIUM"
	// envRequire names the variable that, with chromium in its list, makes a missing browser a
	// failure.
	envRequire = "CONVOSTORE_TEST_REQUIRE"
)

// program is the chat, and tabs is a browser, which all tests share.
var (
	program string
	tabs    context.Context
)

func TestMain(m *testing.M) {
	path := findBrowser()
	if path == "" {
		os.Exit(m.Run()) // each test says that it is missing
	}
	dir, err := os.MkdirTemp("", "convostore-chat")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "chat")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	// The sandbox needs rights that a container or root does not have; the pages are our own.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	var leave context.CancelFunc
	tabs, leave = chromedp.NewContext(allocator)
	if err := chromedp.Do(tabs); err != nil {
		panic(err)
	}
	code := m.Run()
	leave()
	stop()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func findBrowser() string {
	if path := os.Getenv(envBrowser); path != "" {
		return path
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func needBrowser(t *testing.T) {
	t.Helper()
	if tabs != nil {
		return
	}
	const reason = "no browser: install chromium or chromium-headless-shell, or set " + envBrowser + " to the path of one"
	if slices.Contains(strings.Split(os.Getenv(envRequire), ","), "chromium") {
		t.Fatal(reason)
	}
	t.Skip(reason)
}
