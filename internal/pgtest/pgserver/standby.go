package pgserver

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Standby makes a hot standby, a copy that answers reads while it replays what
// the server writes, and starts it with the options of the server. It is stopped
// by itself, before or after the server. It returns ErrNoServer when the machine
// has no pg_basebackup.
func (s *Server) Standby(ctx context.Context) (*Server, error) {
	standby := &Server{options: s.options, standby: true}
	if err := standby.prepare(); err != nil {
		return nil, err
	}
	err := standby.backup(ctx, s.DSN())
	if err == nil {
		err = standby.launch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, standby.Stop())
	}
	return standby, nil
}

// backup copies the cluster of a running server, with the settings to follow it.
func (s *Server) backup(ctx context.Context, dsn string) error {
	tool, err := s.besideServer("pg_basebackup")
	if err != nil {
		return err
	}
	cmd := s.command(ctx, tool, "-D", s.dataDir(), "-d", dsn,
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-manifest")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, tail(string(out)))
	}
	return nil
}

// besideServer finds a program of the server's version: where PATH has links to
// the server, it may have none to the rest.
func (s *Server) besideServer(name string) (string, error) {
	server, err := filepath.EvalSymlinks(filepath.Join(s.bin, "postgres"))
	if err == nil && isExecutable(filepath.Dir(server), name) {
		return filepath.Join(filepath.Dir(server), name), nil
	}
	if isExecutable(s.bin, name) {
		return filepath.Join(s.bin, name), nil
	}
	return "", fmt.Errorf("%w: no %s beside postgres", ErrNoServer, name)
}
