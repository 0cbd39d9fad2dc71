package migrate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

// rounds is how often a test of two sides that race is repeated.
const rounds = 20

// sqlState returns the code of an error of PostgreSQL.
func sqlState(err error) string {
	var state *pgconn.PgError
	if errors.As(err, &state) {
		return state.Code
	}
	return ""
}

// writers is how many services write beside a migration.
const writers = 8

// TestDownBesideWriters requires that taking everything back, while eight services write and
// read, ends without an error, and that none of the services dies of a deadlock.
func TestDownBesideWriters(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	deadlocks := atomic.Int64{}
	for round := range rounds {
		require.NoError(t, Up(t.Context(), db, Options{}))
		done, stop := startWriters(t, db, writers, func(err error) {
			if sqlState(err) == "40P01" {
				deadlocks.Add(1)
			}
		})
		err := DownTo(t.Context(), db, Options{}, 0)
		stop()
		require.NoError(t, err, "round %d", round)
		require.Positive(t, done.Load())
	}
	require.Zero(t, deadlocks.Load(), "of the writers")
}

// TestRebuildSearchBesideWriters requires that none of eight services sees an error, and that they
// write while the indexes are made.
func TestRebuildSearchBesideWriters(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	require.NoError(t, Up(t.Context(), db, Options{}))
	fill(t, db, Options{})
	done, stop := startWriters(t, db, writers, func(err error) { t.Errorf("a writer: %v", err) })
	t.Cleanup(stop)
	for round := range rounds / 4 {
		before := done.Load()
		o := Options{Trigrams: round%2 == 0}
		require.NoError(t, RebuildSearch(t.Context(), db, o), "round %d", round)
		require.Greater(t, done.Load(), before)
		requireQuick(t, db, o)
	}
	stop()
	requireNoDrift(t, db, Options{Trigrams: true})
	require.Zero(t, invalidIndexes(t, db))
}

// invalidIndexes returns how many indexes somebody began and did not finish.
func invalidIndexes(t *testing.T, db *gorm.DB) (n int) {
	t.Helper()
	require.NoError(t, db.Raw("SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready").Scan(&n).Error)
	return n
}

// startWriters runs goroutines that each make conversations and append to them in
// transactions, as a service does. It returns once all of them write, with the number of
// transactions, and stop waits for their end.
func startWriters(t *testing.T, db *gorm.DB, count int, failed func(error)) (done *atomic.Int64, stop func()) {
	t.Helper()
	done = &atomic.Int64{}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group, started sync.WaitGroup
	for writer := range count {
		group.Add(1)
		started.Add(1)
		go func() {
			defer group.Done()
			for n := 0; ctx.Err() == nil; n++ {
				if err := writeOnce(db.WithContext(ctx), writer, n); err == nil {
					done.Add(1)
				} else if ctx.Err() == nil {
					failed(err)
				}
				if n == 0 {
					started.Done()
				}
			}
		}()
	}
	started.Wait()
	return done, func() { cancel(); group.Wait() }
}

// writeOnce touches the tables in the order of the library: the conversation, then what hangs
// on it, then a read of both.
func writeOnce(db *gorm.DB, writer, n int) error {
	id := fmt.Sprintf("00000000-0001-7000-%04x-%012x", 0x8000+writer, n) // none of the rows that tests fill in
	return db.Transaction(func(tx *gorm.DB) error {
		for _, s := range []string{
			"INSERT INTO conversations (id, user_id) VALUES ('" + id + "', '" + user + "') ON CONFLICT DO NOTHING",
			"UPDATE conversations SET last_seq = last_seq + 1 WHERE id = '" + id + "'",
			"INSERT INTO messages (id, user_id, conversation_id, seq, role, content) VALUES ('" + id + "', '" + user + "', '" + id + "', 1, 'user', 'Hi') ON CONFLICT DO NOTHING",
			"INSERT INTO ai_suggestions (id, user_id, conversation_id, in_reply_to_message_id, suggested_content) VALUES ('" + id + "', '" + user + "', '" + id + "', '" + id + "', 'Ho') ON CONFLICT DO NOTHING",
			"UPDATE conversations SET updated_at = now() WHERE id = '" + id + "'",
			"SELECT count(*) FROM ai_suggestions s JOIN messages m ON m.id = s.in_reply_to_message_id JOIN conversations c ON c.id = m.conversation_id",
		} {
			if err := tx.Exec(s).Error; err != nil {
				return err
			}
		}
		return nil
	})
}
