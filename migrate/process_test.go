package migrate

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

// The test binary is the other process too: with these in its environment it runs child
// and no test.
const (
	envChild   = "CONVOSTORE_MIGRATE_CHILD" // "up", "hang", "index" or "backfill"
	envDialect = "CONVOSTORE_MIGRATE_DIALECT"
	envDSN     = "CONVOSTORE_MIGRATE_DSN"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(envChild); task != "" {
		if err := child(task, os.Getenv(envDialect), os.Getenv(envDSN)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child says that it is ready, and begins when its input ends.
func child(task, dialect, dsn string) error {
	db, err := connect(dialect, dsn)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	switch task {
	case "up":
		return Up(context.Background(), db, Options{})
	case "index":
		return indexHost().Up(context.Background(), db, Options{WithoutPgvector: true})
	case "backfill":
		return backfillHost().Up(context.Background(), db, Options{WithoutPgvector: true})
	}
	m, err := openFiles(db, Options{}, hanging())
	if err != nil {
		return err
	}
	return m.up(context.Background(), Latest()+1)
}

type process struct {
	command *exec.Cmd
	start   io.Closer
	output  *strings.Builder
}

// launch returns when the child is ready.
func launch(t *testing.T, task, dialect, dsn string) process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := process{command: exec.CommandContext(t.Context(), self), output: &strings.Builder{}}
	p.command.Env = append(os.Environ(), envChild+"="+task, envDialect+"="+dialect, envDSN+"="+dsn)
	p.command.Stderr = p.output
	in, err := p.command.StdinPipe()
	require.NoError(t, err)
	out, err := p.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	ready := make([]byte, len("ready\n"))
	_, err = io.ReadFull(out, ready)
	require.NoError(t, err)
	p.start = in
	return p
}

func TestEightProcessesComeUpAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dialect string
		dsn     func(*testing.T) string
	}{
		"postgres":      {postgres, func(t *testing.T) string { t.Helper(); return pgtest.Database(t) }},
		"sqlite":        {sqlite, func(t *testing.T) string { t.Helper(); return sqliteFile(t) + sqliteOptions }},
		"sqlite bare":   {sqlite, sqliteFile}, // rollback journal, deferred, no busy timeout
		"repeatable":    {postgres, func(t *testing.T) string { t.Helper(); return repeatable(t) }},
		"simple/pooled": {postgres, func(t *testing.T) string { t.Helper(); return pgtest.Database(t) + "&default_query_exec_mode=exec" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := c.dsn(t)
			var children []process
			for range 8 {
				children = append(children, launch(t, "up", c.dialect, dsn))
			}
			for _, p := range children {
				require.NoError(t, p.start.Close())
			}
			for _, p := range children {
				require.NoError(t, p.command.Wait(), p.output)
			}
			db := openTest(t, c.dialect, dsn)
			require.Equal(t, Latest(), count(t, db, "convostore_migrations"))
			requireNoDrift(t, db, Options{})
		})
	}
}

// repeatable is a database whose default would show the waiting ones an old snapshot.
func repeatable(t *testing.T) string {
	t.Helper()
	return pgtest.Database(t) + "&default_transaction_isolation=repeatable%20read"
}

func TestAKilledProcessLeavesNothing(t *testing.T) {
	t.Parallel()
	for dialect, dsn := range map[string]func(*testing.T) string{
		sqlite:   func(t *testing.T) string { t.Helper(); return sqliteFile(t) + sqliteOptions },
		postgres: func(t *testing.T) string { t.Helper(); return pgtest.Database(t) },
	} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			dsn := dsn(t)
			db := openTest(t, dialect, dsn)
			before := names(t, db)
			p := launch(t, "hang", dialect, dsn)
			require.NoError(t, p.start.Close())
			require.Eventually(t, func() bool { return locked(t, db) }, 30*time.Second, 20*time.Millisecond)
			require.NoError(t, p.command.Process.Kill())
			require.Error(t, p.command.Wait())

			require.Eventually(t, func() bool { return !locked(t, db) }, 30*time.Second, 20*time.Millisecond)
			require.Equal(t, before, names(t, db))
			require.NoError(t, Up(t.Context(), db, Options{}))
			requireNoDrift(t, db, Options{})
		})
	}
}

// locked says whether another process is migrating.
func locked(t *testing.T, db *gorm.DB) bool {
	t.Helper()
	if db.Name() == postgres {
		var n int64
		require.NoError(t, db.Raw("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"+
			" AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&n).Error)
		return n > 0
	}
	var held bool
	require.NoError(t, db.Connection(func(tx *gorm.DB) error {
		run(t, tx, "PRAGMA busy_timeout = 0")
		held = tx.Exec("BEGIN IMMEDIATE").Error != nil
		if !held {
			run(t, tx, "ROLLBACK")
		}
		return nil
	}))
	return held
}
