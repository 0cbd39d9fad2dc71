package migrate

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// TestDeadlineUnderALock requires that Up ends at its deadline though another process holds
// the lock: before somebody else has waited for half as long as the busy timeout of Up's.
func TestDeadlineUnderALock(t *testing.T) {
	t.Parallel()
	for _, driver := range sqliteDrivers() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			dsn := "file:" + filepath.Join(t.TempDir(), "a.db") + "?_journal_mode=WAL&_busy_timeout="
			db := openDriver(t, driver, dsn+"5000")
			holder, waiter := connOf(t, db), connOf(t, openDriver(t, driver, dsn+"2500"))
			_, err := holder.ExecContext(t.Context(), "BEGIN IMMEDIATE")
			require.NoError(t, err)
			waited, returned := make(chan error, 1), make(chan error, 1)
			go func() {
				_, err := waiter.ExecContext(context.WithoutCancel(t.Context()), "BEGIN IMMEDIATE")
				waited <- err
			}()
			go func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Millisecond)
				defer cancel()
				returned <- Up(ctx, db, Options{})
			}()
			select {
			case err := <-returned:
				require.ErrorIs(t, err, context.DeadlineExceeded)
			case err := <-waited:
				require.Fail(t, "Up goes on waiting", "after the other one got %v", err)
			}
			_, err = holder.ExecContext(t.Context(), "ROLLBACK")
			require.NoError(t, err)
			require.NoError(t, <-waited)
			_, err = waiter.ExecContext(t.Context(), "ROLLBACK")
			require.NoError(t, err)
			require.NoError(t, Up(t.Context(), db, Options{}))
			keepsTimeout(t, db)
		})
	}
}

// keepsTimeout asks each connection of the pool that is free.
func keepsTimeout(t *testing.T, db *gorm.DB) {
	t.Helper()
	pool, err := db.DB()
	require.NoError(t, err)
	for range pool.Stats().Idle {
		var timeout int
		conn := connOf(t, db)
		require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&timeout))
		require.Equal(t, 5000, timeout)
	}
}

func connOf(t *testing.T, db *gorm.DB) *sql.Conn {
	t.Helper()
	pool, err := db.DB()
	require.NoError(t, err)
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}
