//go:build unix

package main

import (
	"context"
	"database/sql"
	_ "embed" // the installer travels inside the command
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that asks for pgvector

	"github.com/convostore/convostore/internal/pgtest/pgserver"
)

//go:embed install.sh
var installer string

// byHand is what somebody does whom the installer cannot help.
const byHand = `install PostgreSQL 15 or newer and pgvector, for instance
  Debian, Ubuntu:  sudo bash internal/cmd/testpg/install.sh
  macOS:           brew install postgresql@17 pgvector
or set ` + envDSN + ` to the DSN of a server that has both, as a role that may create databases`

// startServer starts a server with pgvector, after installing them if need be.
func startServer(ctx context.Context, options pgserver.Options, install bool) (*pgserver.Server, error) {
	server, missing, err := tryServer(ctx, options)
	if missing == nil {
		return server, err
	}
	if !install || !mayInstall(ctx) {
		return nil, fmt.Errorf("%w\n%s", missing, byHand)
	}
	fmt.Fprintf(os.Stderr, "testpg: %v; installing\n", missing)
	if err = runInstaller(ctx); err != nil {
		return nil, fmt.Errorf("the installer failed: %w\n%s", err, byHand)
	}
	server, missing, err = tryServer(ctx, options)
	if missing != nil {
		// A server in PATH goes before the one that was installed.
		err = fmt.Errorf("%w, even after the installation; is another server in PATH?\n%s", missing, byHand)
	}
	return server, err
}

// tryServer tells what is not installed (missing) from what went wrong (err).
func tryServer(ctx context.Context, options pgserver.Options) (server *pgserver.Server, missing, err error) {
	server, err = pgserver.Start(ctx, options)
	if errors.Is(err, pgserver.ErrNoServer) {
		return nil, err, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if err = tryVector(ctx, server.DSN()); err != nil {
		return nil, fmt.Errorf("this PostgreSQL server has no working pgvector: %w", err), server.Stop()
	}
	return server, nil, nil
}

// tryVector loads pgvector's library, which its files being there does not
// promise, and rolls back so that the database stays as new.
func tryVector(ctx context.Context, dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing of it was kept
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err = tx.ExecContext(ctx, "CREATE EXTENSION vector"); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "SELECT '[1,2]'::vector <=> '[2,1]'::vector")
	return err
}

// mayInstall wants apt-get and root, by sudo only where that asks no question.
func mayInstall(ctx context.Context) bool {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return false
	}
	return os.Geteuid() == 0 || exec.CommandContext(ctx, "sudo", "-n", "true").Run() == nil
}

// runInstaller hands the script over as an argument: the user that sudo changes
// to need not be able to read this tree.
func runInstaller(ctx context.Context) error { return asRoot(ctx, "bash", "-c", installer).Run() }

// asRoot is a command that writes what it has to say beside what testpg does.
func asRoot(ctx context.Context, args ...string) *exec.Cmd {
	args = rootArgs(args)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	// A kill could catch dpkg at work; the programs run here end by themselves between two steps.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	return cmd
}

// rootArgs puts sudo in front where this does not run as root.
func rootArgs(args []string) []string {
	if os.Geteuid() == 0 {
		return args
	}
	return append([]string{"sudo", "-n"}, args...)
}
