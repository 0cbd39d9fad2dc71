package migrate

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/pgtest"
)

// liveWork does all that needs locks, sessions or statements outside of transactions.
func liveWork(t *testing.T, db *gorm.DB, direct string) {
	t.Helper()
	ctx, o := t.Context(), Options{LockTimeout: 50 * time.Millisecond, WaitLimit: 200 * time.Millisecond, Trigrams: true}
	require.NoError(t, UpTo(ctx, db, o, 3))
	fill(t, db, o)
	tx, pid := idleWriter(t, openTest(t, postgres, direct))
	var blocked *BlockedError
	require.ErrorAs(t, Up(ctx, db, o), &blocked)
	require.Equal(t, pid, blocked.Blockers[0].PID)
	require.NoError(t, tx.Commit().Error)
	require.NoError(t, Up(ctx, db, o))
	requireNoDrift(t, db, o)
	requireQuick(t, db, o)
	require.NoError(t, RebuildSearch(ctx, db, o))

	h := hostOf("crm", map[string][2]string{"0001_parts": {
		"-- convostore:concurrently\nCREATE INDEX crm_idx ON messages (content);\n" +
			"-- convostore:validate\nALTER TABLE messages ADD CONSTRAINT crm_check CHECK (content <> 'bad');\n" +
			"-- convostore:batch messages (id) 10\nUPDATE messages SET content = 'new' WHERE /* batch */ true;",
		"DROP INDEX crm_idx; ALTER TABLE messages DROP CONSTRAINT crm_check;",
	}})
	require.NoError(t, h.Up(ctx, db, o))
	require.EqualValues(t, 1, count(t, db.Where("content = 'new'"), "messages"))
	require.NoError(t, h.Down(ctx, db, o))
	run(t, db, "DROP INDEX messages_gmail_key", "DROP INDEX message_embeddings_vector_idx")
	mended, err := Repair(ctx, db, o)
	require.NoError(t, err)
	require.Len(t, mended, 2)
	steps, err := Status(ctx, db, o)
	require.NoError(t, err)
	require.NotNil(t, steps[3].AppliedAt)
	require.NoError(t, DownTo(ctx, db, o, 0))
}

// TestBehindPgBouncer has sessions that change with every transaction: each lock is one of a
// transaction, and nothing is left of any call in a session that others get.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	direct := pgtest.Database(t)
	pooled := pgtest.Bouncer(t, direct, 4)
	var group sync.WaitGroup
	for range 8 {
		db := openTest(t, postgres, pooled)
		group.Go(func() { assert.NoError(t, Up(t.Context(), db, Options{})) })
	}
	group.Wait()
	db := openTest(t, postgres, pooled)
	require.Equal(t, Latest(), count(t, db, "convostore_migrations"))
	requireNoDrift(t, db, Options{})
	require.NoError(t, DownTo(t.Context(), db, Options{}, 0))
	liveWork(t, db, direct)

	var locks int
	require.NoError(t, openTest(t, postgres, direct).Raw("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"+
		" AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&locks).Error)
	require.Zero(t, locks)
	var settings []string
	for range 4 { // one transaction each, all open at once, are all sessions of the pooler
		tx := db.Begin()
		require.NoError(t, tx.Error)
		t.Cleanup(func() { tx.Rollback() })
		var setting string
		require.NoError(t, tx.Raw("SELECT current_setting('lock_timeout') || current_setting('search_path')").Scan(&setting).Error)
		settings = append(settings, setting)
	}
	for _, s := range settings {
		require.Equal(t, `0"$user", public`, s)
	}
}

func TestLiveWorkInEveryMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_statement", "cache_describe", "simple_protocol", "exec", "describe_exec"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			direct := pgtest.Database(t)
			liveWork(t, openTest(t, postgres, direct+"&default_query_exec_mode="+mode), direct)
		})
	}
}

// Two schemas of one database use an extension that is in a third one, which is on nobody's path.
func TestTwoSchemasAndTheExtensionInAThird(t *testing.T) {
	t.Parallel()
	db := openTest(t, postgres, pgtest.Database(t))
	run(t, db, "CREATE SCHEMA tools", "CREATE EXTENSION vector SCHEMA tools", "CREATE EXTENSION pg_trgm SCHEMA tools")
	both := []Options{{Schema: "a", Trigrams: true}, {Schema: "b", Dimensions: 3000, Trigrams: true}}
	for _, o := range both {
		require.NoError(t, UpTo(t.Context(), db, o, 3))
		fill(t, db, o)
		require.NoError(t, Up(t.Context(), db, o), "beside rows")
	}
	for _, o := range both {
		requireNoDrift(t, db, o)
		requireQuick(t, db, o)
		require.NoError(t, RebuildSearch(t.Context(), db, o))
		run(t, db, "DROP INDEX "+o.Schema+".message_embeddings_vector_idx")
		mended, err := Repair(t.Context(), db, o)
		require.NoError(t, err)
		require.Len(t, mended, 1)
	}
	require.NoError(t, DownTo(t.Context(), db, both[0], 0))
	requireNoDrift(t, db, both[1])
	require.EqualValues(t, 1, count(t, db, "b.messages"))
}
