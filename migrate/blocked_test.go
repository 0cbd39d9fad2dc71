package migrate

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

// idleWriter is a transaction that writes to messages and stays open, with its session's number.
func idleWriter(t *testing.T, db *gorm.DB) (tx *gorm.DB, pid int) {
	t.Helper()
	tx = db.Begin()
	require.NoError(t, tx.Error)
	t.Cleanup(func() { tx.Rollback() })
	run(t, tx, "UPDATE messages SET content = content WHERE false") // locks the table and no row
	require.NoError(t, tx.Raw("SELECT pg_backend_pid()").Scan(&pid).Error)
	return tx, pid
}

// TestUpBehindAnIdleWriter has one session that never ends its transaction, and others that work
// on. None of those may wait for a hundred lock timeouts, which only one that is queued behind
// Up for good does.
func TestUpBehindAnIdleWriter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from int64
		call func(context.Context, *gorm.DB, Options) error
	}{
		"up":      {3, Up},
		"down":    {4, Down},
		"rebuild": {4, RebuildSearch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			db, o := openTest(t, postgres, dsn), Options{WithoutPgvector: true, LockTimeout: 100 * time.Millisecond, WaitLimit: time.Second}
			require.NoError(t, UpTo(t.Context(), db, o, c.from))
			fill(t, db, o)
			tx, pid := idleWriter(t, openTest(t, postgres, dsn))
			before := names(t, db)

			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			stop := startOthers(t, openTest(t, postgres, dsn+"&lock_timeout=10000"), cancel)
			err := c.call(ctx, db, o)
			var blocked *BlockedError
			require.ErrorAs(t, err, &blocked)
			require.ErrorIs(t, err, ErrBlocked)
			require.Greater(t, blocked.Tries, 1)
			require.NotEmpty(t, blocked.Statement)
			require.GreaterOrEqual(t, blocked.Waited, o.WaitLimit)
			var seen Blocker
			for _, b := range blocked.Blockers {
				if b.PID == pid {
					seen = b
				}
			}
			require.Equal(t, pid, seen.PID, "%v", blocked)
			require.Equal(t, "messages", seen.Table)
			require.Equal(t, "idle in transaction", seen.State)
			require.ErrorContains(t, err, "messages")
			require.Equal(t, before, names(t, db), "nothing was changed")

			waits, done := make(chan Event, 1000), make(chan error, 1)
			o.WaitLimit, o.OnEvent = 5*time.Minute, func(e Event) { waits <- e }
			go func() { done <- c.call(ctx, db, o) }()
			first := <-waits
			require.Equal(t, EventWaiting, first.Kind)
			require.Contains(t, first.String(), "waiting for")
			require.NoError(t, tx.Commit().Error)
			require.NoError(t, <-done)
			require.Positive(t, stop())
			requireNoDrift(t, db, o)
		})
	}
}

// startOthers reads and writes messages until stop, which returns how often. A session that waited
// for too long fails the test, after it has ended what it waited for.
func startOthers(t *testing.T, db *gorm.DB, end func()) (stop func() int64) {
	t.Helper()
	done, halt := startWriters(t, db, 2, func(err error) {
		t.Errorf("another session: %v", err)
		end()
	})
	t.Cleanup(halt)
	return func() int64 { halt(); return done.Load() }
}

// What cannot have the lock says at its deadline who holds it.
func TestADeadlineNamesTheBlocker(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db, o := openTest(t, postgres, dsn), Options{WithoutPgvector: true, LockTimeout: 50 * time.Millisecond}
	require.NoError(t, Up(t.Context(), db, o))
	_, pid := idleWriter(t, openTest(t, postgres, dsn))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.OnEvent = func(Event) { cancel() }
	err := RebuildSearch(ctx, db, o)
	var blocked *BlockedError
	require.ErrorAs(t, err, &blocked)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, pid, blocked.Blockers[0].PID)
}
