package browser

import (
	"bufio"
	"context"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/browsertest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// server is a process that serves the chat, which a test may kill and start again.
type server struct {
	t    *testing.T
	args []string
	addr string
	db   string
	cmd  *exec.Cmd
	// said gets what a process wrote, once it has ended.
	said chan string
}

func serve(t *testing.T, args ...string) *server {
	t.Helper()
	browsertest.Browser(t)
	// A free port of the system's, which the process has again after it was killed.
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{t: t, addr: l.Addr().String(), db: filepath.Join(t.TempDir(), "chat.db"), args: args, said: make(chan string, 1)}
	require.NoError(t, l.Close())
	s.start()
	t.Cleanup(s.leave)
	return s
}

// start returns when the server listens.
func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(program, append([]string{"-addr", s.addr, "-db", s.db}, s.args...)...) //nolint:gosec,noctx // it is ended by leave and kill
	out, err := s.cmd.StderrPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, s.cmd.Start())
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	require.NoError(s.t, err, line)
	require.True(s.t, strings.HasPrefix(line, "chat: http://"), line)
	go func() { // to its end, which is that of the process
		rest, _ := io.ReadAll(lines)
		s.said <- string(rest)
	}()
}

func (s *server) kill() {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Kill())
	s.wait()
}

// leave ends the server as a person does who presses Ctrl+C.
func (s *server) leave() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	s.wait()
}

func (s *server) wait() {
	if said := <-s.said; said != "" {
		s.t.Logf("the server wrote: %s", said)
	}
	_ = s.cmd.Wait()
}

// messages reads what is stored, of all branches of the only chat.
func (s *server) messages() []*message.Message {
	s.t.Helper()
	ctx := context.Background()
	st, err := sqlite.Open(ctx, s.db)
	require.NoError(s.t, err)
	defer st.Close() //nolint:errcheck // it was read
	page, err := st.AllUsers().Messages().ListByUser(ctx, store.MessageFilter{Order: store.ThreadOrder}, store.PageRequest{})
	require.NoError(s.t, err)
	return page.Items
}
