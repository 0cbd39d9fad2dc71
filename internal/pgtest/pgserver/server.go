// Package pgserver starts and stops throw-away PostgreSQL servers for tests.
package pgserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that asks whether the server is up
)

// Options of a server. The zero value is a server that forgets its data in a
// crash and listens on a unix socket alone.
type Options struct {
	Durable bool // a commit survives a crash; off, tests are several times faster
	TCP     bool // listen on a free port of 127.0.0.1 as well
	Memory  bool // keep the files in memory, where there is plenty: to make and drop a database takes a fifth of the time
}

// Server is a running throw-away server with a directory of its own. Its
// methods are for one goroutine at a time.
type Server struct {
	bin     string
	dir     string
	port    int
	options Options
	account *account
	process *process
	standby bool
}

// errDied reports that the server process ended before it took connections.
var errDied = errors.New("the server died at its start")

// account is the system user that runs the server in place of root.
type account struct{ uid, gid uint32 }

// startTimeout is generous because a loaded machine runs many of them at once.
const startTimeout = 60 * time.Second

// Start makes a new database cluster and starts a server on it. It returns
// ErrNoServer when the machine has no server binaries; an error of a server
// that did not come up carries the tail of its log.
func Start(ctx context.Context, options Options) (*Server, error) {
	s := &Server{options: options}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	err := s.initdb(ctx)
	if err == nil {
		err = s.launch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) prepare() (err error) {
	if s.bin, err = FindBinaries(); err != nil {
		return err
	}
	if s.account, err = serverAccount(); err != nil {
		return err
	}
	if s.port, err = pickPort(s.options.TCP); err != nil {
		return err
	}
	s.dir, err = makeDir(s.account, s.options.Memory)
	return err
}

// command runs a server program as the right user, in a directory that user
// can enter and without the PG… variables that would steer it elsewhere.
func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.bin, name)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = attributes(s.account)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	return cmd
}

// launch starts the postmaster and waits until it takes connections.
func (s *Server) launch(ctx context.Context) error {
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer log.Close() //nolint:errcheck // the server writes through a descriptor of its own
	// The server outlives ctx, which bounds the start alone.
	cmd := s.command(context.WithoutCancel(ctx), "postgres", s.arguments()...)
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = startProcess(cmd); err != nil {
		s.process = nil
		return fmt.Errorf("start postgres: %w", err)
	}
	return s.waitUntilUp(ctx)
}

// statementCounter has to be loaded at the start, for tests that count what the
// server was asked. It is a package of its own with some distributions.
const statementCounter = "pg_stat_statements"

func (s *Server) arguments() []string {
	settings := []string{
		"port=" + strconv.Itoa(s.port),
		"listen_addresses=" + map[bool]string{true: "127.0.0.1"}[s.options.TCP],
		"unix_socket_directories=" + s.dir,
		"max_connections=300", // go test runs many packages, and each has its pools
		"shared_buffers=128MB",
		"timezone=UTC",
		"log_timezone=UTC",
	}
	if hasLibrary(s.bin, statementCounter) {
		settings = append(settings, "shared_preload_libraries="+statementCounter,
			statementCounter+".max=50000") // each test's tables make statements of their own
	}
	if !s.options.Durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"autovacuum=off") // each of many small databases would get its worker
	}
	if s.standby {
		settings = append(settings, "wal_retrieve_retry_interval=100ms") // 5 s, unless told
	}
	args := []string{"-D", s.dataDir()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

func (s *Server) waitUntilUp(ctx context.Context) error {
	db, err := sql.Open("pgx", s.DSN())
	if err != nil {
		return fmt.Errorf("open %s: %w", s.DSN(), err)
	}
	defer db.Close() //nolint:errcheck // nothing was written through it
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("%w; its log ends with\n%s", errDied, s.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("the server did not come up: %w; its log ends with\n%s", err, s.LogTail())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }
func (s *Server) logPath() string { return filepath.Join(s.dir, "server.log") }

// DSN is the address of the database postgres, with a superuser's rights. It
// stays the same across Kill and Restart.
func (s *Server) DSN() string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres"}
	query := url.Values{"sslmode": {"disable"}}
	if s.options.TCP {
		u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	} else {
		query.Set("host", s.dir)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Alive tells whether the server process runs.
func (s *Server) Alive() bool { return s.process != nil && s.process.alive() }

// Kill ends the server as a power cut of the database would: no process of it
// gets to finish anything. The data stay for Restart.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	return s.process.kill()
}

// Restart starts the server again on its data, after a Kill or, when it still
// runs, after shutting it down.
func (s *Server) Restart(ctx context.Context) error {
	if s.Alive() {
		if err := s.process.stop(); err != nil {
			return err
		}
	}
	return s.relaunch(ctx)
}

// relaunch tries again for a while: the children of a killed postmaster hold
// its shared memory for a moment, and the new one refuses to start until then.
func (s *Server) relaunch(ctx context.Context) error {
	var err error
	for range 20 {
		if err = s.launch(ctx); !errors.Is(err, errDied) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// Stop shuts the server down and removes its directory. A second Stop does
// nothing.
func (s *Server) Stop() error {
	var err error
	if s.Alive() {
		err = s.process.stop()
	}
	if s.dir == "" {
		return err
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// LogTail is the end of the server's log, for the message about its death.
func (s *Server) LogTail() string {
	text, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return tail(string(text))
}

func tail(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}
