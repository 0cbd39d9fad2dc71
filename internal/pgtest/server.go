package pgtest

import (
	"context"
	"errors"
	"testing"

	"github.com/convostore/convostore/internal/pgtest/pgserver"
)

// Server is a private server of one test. It is durable: what it has committed
// is there again after Kill and Restart.
type Server struct{ server *pgserver.Server }

// StartServer starts a private server, which is stopped when the test ends. On
// a machine without server binaries it skips the test, or fails it when
// EnvRequire has 1. In short mode it skips the test as well: short is without PostgreSQL.
func StartServer(tb testing.TB) *Server {
	tb.Helper()
	if testing.Short() {
		tb.Skip("pgtest: a private server is not for short mode")
	}
	server, err := pgserver.Start(tb.Context(), pgserver.Options{Durable: true, Memory: true})
	return started(tb, server, err)
}

// StartStandby starts a hot standby of the server, which is stopped when the
// test ends.
func (s *Server) StartStandby(tb testing.TB) *Server {
	tb.Helper()
	standby, err := s.server.Standby(tb.Context())
	return started(tb, standby, err)
}

func started(tb testing.TB, server *pgserver.Server, err error) *Server {
	tb.Helper()
	if errors.Is(err, pgserver.ErrNoServer) {
		missing(tb, err.Error()+"; run `make test`, which installs them where it can")
	}
	if err != nil {
		tb.Fatalf("pgtest: start a private server: %v", err)
	}
	s := &Server{server}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Errorf("pgtest: stop the private server: %v", err)
		}
	})
	return s
}

// DSN is the address of its database postgres; it survives a Restart. For a
// further database on the server see DatabaseOn.
func (s *Server) DSN() string { return s.server.DSN() }

// Kill ends every process of the server at once, with nothing finished or
// flushed (SIGKILL).
func (s *Server) Kill() error { return s.server.Kill() }

// Restart starts the server again on the data it has.
func (s *Server) Restart() error { return s.server.Restart(context.Background()) }

// Stop shuts the server down and removes its data. The test's end does it too.
func (s *Server) Stop() error { return s.server.Stop() }
