package upgradetest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// acknowledged is a line of the writer's output, see writer/main.go.
type acknowledged struct {
	Call string    `json:"call"`
	ID   uuid.UUID `json:"id"`
	Key  string    `json:"key"`
	Text string    `json:"text"`
	Seq  int64     `json:"seq"`
}

var programs sync.Map // release to func() (string, error)

// program returns the path of the writer of a release, built once from the release's own code.
func (r release) program(t *testing.T) string {
	t.Helper()
	build, _ := programs.LoadOrStore(r, sync.OnceValues(r.build))
	path, err := build.(func() (string, error))()
	require.NoError(t, err)
	return path
}

// buildDir has the programs until TestMain removes it.
var buildDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if buildDir, err = os.MkdirTemp("", "convostore-upgrade"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(buildDir) }() // a temporary directory
		return m.Run()
	}())
}

// build makes a module that requires the release, and builds the writer in it: as the release
// had it, from the fixture's folder, or for head from the folder writer. Go's own cache has what
// was downloaded before.
func (r release) build() (string, error) {
	dir := filepath.Join(buildDir, string(r))
	source, require := r.path("main.go"), "require github.com/convostore/convostore "+string(r)+"\n"
	if r == head {
		root, err := filepath.Abs("../..")
		if err != nil {
			return "", err
		}
		source = "writer/main.go"
		require = fmt.Sprintf("require github.com/convostore/convostore v0.0.0\nreplace github.com/convostore/convostore => %q\n", root)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for name, from := range map[string]string{"main.go": source, "go.sum": "../../go.sum"} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module writer\n\ngo 1.26.0\n\n"+require), 0o600); err != nil {
		return "", err
	}
	program := filepath.Join(dir, "writer.exe") // Windows runs no other name
	command := exec.Command("go", "build", "-mod=mod", "-o", program, ".")
	command.Dir = dir
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the writer of %s: %w\n%s", r, err, output)
	}
	return program, nil
}

// writer is a process of a release.
type writer struct {
	name    string
	command *exec.Cmd
	in      io.Closer
	errs    bytes.Buffer
	ended   chan struct{}

	mu sync.Mutex
	// said is what the process has acknowledged, and grew is closed and made anew with each line.
	said []acknowledged
	grew chan struct{}
	err  error
}

// writerUser owns what all writers write.
var writerUser = uuid.MustParse("0190f3a0-0000-7000-8000-0000000000ff")

// start starts a writer, which ends with the test at the latest.
func (r release) start(t *testing.T, d database, name string) *writer {
	t.Helper()
	w := &writer{name: name, ended: make(chan struct{}), grew: make(chan struct{})}
	w.command = exec.CommandContext(t.Context(), r.program(t), d.name, d.dsn, writerUser.String(), name)
	w.command.Stderr = &w.errs
	in, err := w.command.StdinPipe()
	require.NoError(t, err)
	out, err := w.command.StdoutPipe()
	require.NoError(t, err)
	w.in = in
	require.NoError(t, w.command.Start())
	go w.listen(out)
	return w
}

func (w *writer) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	var wrong error
	for lines.Scan() {
		var a acknowledged
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		w.mu.Lock()
		w.said = append(w.said, a)
		close(w.grew)
		w.grew = make(chan struct{})
		w.mu.Unlock()
	}
	wrong = errors.Join(wrong, lines.Err(), w.command.Wait())
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err = wrong; wrong != nil {
		w.err = fmt.Errorf("writer %s: %w: %s", w.name, wrong, w.errs.String())
	}
	close(w.ended)
}

// more waits until the writer has acknowledged n more calls, or has ended.
func (w *writer) more(n int) {
	w.mu.Lock()
	target := len(w.said) + n
	for len(w.said) < target {
		grew := w.grew
		w.mu.Unlock()
		select {
		case <-grew:
		case <-w.ended:
			return
		}
		w.mu.Lock()
	}
	w.mu.Unlock()
}

// stop lets the writer finish, and returns what it acknowledged and why it ended, nil if every
// call succeeded.
func (w *writer) stop() ([]acknowledged, error) {
	err := w.in.Close()
	<-w.ended
	if errors.Is(err, os.ErrClosed) {
		err = nil // the process ended by itself, for the reason that follows
	}
	return w.said, errors.Join(w.err, err)
}
