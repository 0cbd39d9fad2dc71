package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

func openPostgres(t *testing.T, opts ...convostore.Option) store.Store {
	t.Helper()
	st, err := postgres.Open(t.Context(), pgtest.Database(t), append(opts, convostore.WithMigrate(migrate.Options{}))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

// sqliteHost opens a file as a host does, with foreign keys on or, once there is a store, off.
func sqliteHost(t *testing.T, path, foreignKeys string) (*gorm.DB, store.Store) {
	t.Helper()
	db, err := gorm.Open(sqlite.Dialector("file:"+path+"?_foreign_keys=on&_busy_timeout=5000&_txlock=immediate&_time_format=sqlite"),
		&gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	st, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	if foreignKeys == "off" {
		pool.SetMaxOpenConns(1) // the setting is a connection's
		require.NoError(t, db.Exec("PRAGMA foreign_keys = off").Error)
	}
	return db, st
}

func fill(t *testing.T, mine store.Scope, conversations, messages int) {
	t.Helper()
	for range conversations {
		c := &conversation.Conversation{}
		for i := range messages {
			c.Messages = append(c.Messages, &message.Message{Role: message.RoleUser, Content: strings.Repeat(fmt.Sprint("word", i, " "), 40)})
		}
		require.NoError(t, mine.Conversations().Create(t.Context(), c))
	}
}

// A readiness probe must not say yes for a server that is gone, however often it has
// said so before.
func TestHealthServerGone(t *testing.T) {
	t.Parallel()
	server := pgtest.StartServer(t)
	st, err := postgres.Open(t.Context(), server.DSN(), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	r, err := st.Health().Ready(t.Context())
	require.NoError(t, err)
	require.Contains(t, r.Database, "PostgreSQL ")
	require.True(t, r.VectorIndex)

	require.NoError(t, server.Kill())
	r, err = st.Health().Ready(t.Context())
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrSchema)
	require.Empty(t, r.Database)
	require.Equal(t, r.Wanted, migrate.Latest())

	require.NoError(t, server.Restart())
	require.Eventually(t, func() bool {
		_, err := st.Health().Ready(context.Background())
		return err == nil
	}, 30*time.Second, 50*time.Millisecond, "and it comes back by itself")
}

// A store whose replica has not got the schema cannot read.
func TestHealthReader(t *testing.T) {
	t.Parallel()
	replica, err := gorm.Open(gormpostgres.Open(pgtest.Database(t)), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := replica.DB()
	require.NoError(t, err)
	st := openPostgres(t, convostore.WithReader(replica))

	r, err := st.Health().Ready(t.Context())
	require.ErrorIs(t, err, store.ErrSchema)
	require.ErrorContains(t, err, "reader")
	require.Equal(t, migrate.Latest(), r.Schema, "that of the writer")
	require.NoError(t, migrate.Up(t.Context(), replica, migrate.Options{}))
	_, err = st.Health().Ready(t.Context())
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	_, err = st.Health().Ready(t.Context())
	require.Error(t, err)
}

func TestHealthPools(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "chat.db"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	pools := st.Health().PoolStats()
	require.Len(t, pools, 2)
	require.Equal(t, "writer", pools[0].Name)
	require.Equal(t, 1, pools[0].MaxOpenConnections)
	require.Equal(t, "reader", pools[1].Name)
	require.GreaterOrEqual(t, pools[1].MaxOpenConnections, 4)

	require.NoError(t, st.Transaction(ctx, func(tx store.Store) error {
		inside := tx.Health().PoolStats()
		require.Len(t, inside, 2)
		require.Equal(t, 1, inside[0].InUse, "this transaction's")
		// A probe does not wait for the writer.
		soon, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := st.Health().Ready(soon)
		return err
	}))

	db, host := sqliteHost(t, filepath.Join(t.TempDir(), "host.db"), "on")
	require.Len(t, host.Health().PoolStats(), 1)
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		within, err := convostore.New(t.Context(), tx)
		require.NoError(t, err)
		require.Equal(t, 1, within.Health().PoolStats()[0].InUse)
		return nil
	}))
}

// TestHealthSizesSQLite has all pages of the file, but for those of the schema itself,
// belong to one of the tables.
func TestHealthSizesSQLite(t *testing.T) {
	t.Parallel()
	db, st := sqliteHost(t, filepath.Join(t.TempDir(), "host.db"), "on")
	fill(t, st.ForUser(uuid.New()), 20, 20)
	before, err := st.Health().TableSizes(t.Context())
	require.NoError(t, err)
	pages, err := st.Health().Pages(t.Context())
	require.NoError(t, err)
	var schema, sum int64
	require.NoError(t, db.Raw("SELECT sum(pgsize) FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4')").
		Row().Scan(&schema))
	for _, size := range before {
		sum += size.Total
	}
	require.Equal(t, pages.Size*(pages.Total-pages.Free), sum+schema)
	require.Equal(t, "messages", before[0].Table)
	require.EqualValues(t, 400, before[0].Rows)

	require.NoError(t, db.Exec("DROP INDEX messages_created_idx").Error)
	after, err := st.Health().TableSizes(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(after, func(s store.TableSize) bool { return s.Table == "messages" })
	require.Equal(t, before[0].Heap, after[i].Heap)
	require.Less(t, after[i].Indexes, before[0].Indexes)
	freed, err := st.Health().Pages(t.Context())
	require.NoError(t, err)
	require.Equal(t, before[0].Total-after[i].Total, (freed.Free-pages.Free)*pages.Size)
}

func TestHealthSizesPostgres(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := openPostgres(t, convostore.WithSchema("crm"), convostore.WithTablePrefix("chat_"))
	fill(t, st.ForUser(uuid.New()), 20, 20)
	rows := func() int64 {
		sizes, err := st.Health().TableSizes(ctx)
		require.NoError(t, err)
		require.Len(t, sizes, len(naming.All())+len(naming.Search()))
		i := slices.IndexFunc(sizes, func(s store.TableSize) bool { return s.Table == "chat_messages" })
		var heap, total int64
		require.NoError(t, st.DB(ctx).Raw("SELECT pg_table_size('crm.chat_messages'), pg_total_relation_size('crm.chat_messages')").
			Row().Scan(&heap, &total))
		require.Equal(t, heap, sizes[i].Heap)
		require.Equal(t, total, sizes[i].Total)
		return sizes[i].Rows
	}
	require.GreaterOrEqual(t, rows(), int64(0), "before anybody has counted")
	require.NoError(t, st.DB(ctx).Exec("ANALYZE crm.chat_messages").Error)
	require.EqualValues(t, 400, rows())
}

// TestHealthIndexUsage reads one page: the index that has its order is used from then on,
// and the others are not.
func TestHealthIndexUsage(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := openPostgres(t, convostore.WithTablePrefix("chat_"))
	mine := uuid.New()
	fill(t, st.ForUser(mine), 1, 200) // fewer than are packed at once, which reads them again
	require.NoError(t, st.DB(ctx).Exec("ANALYZE").Error)
	usage := func() map[string]store.IndexUsage {
		found, err := st.Health().IndexUsage(ctx)
		require.NoError(t, err)
		named := map[string]store.IndexUsage{}
		for _, u := range found {
			named[u.Index] = u
		}
		return named
	}
	const used, unused = "chat_messages_created_idx", "chat_messages_gmail_thread_idx"
	before := usage()
	require.Zero(t, before[used].Scans)
	require.True(t, before[used].Unused)

	require.NoError(t, st.Transaction(ctx, func(tx store.Store) error {
		// 200 rows are read faster without an index. The figures of a session are kept back
		// until it has been idle for a while.
		require.NoError(t, tx.DB(ctx).Exec("SET LOCAL enable_seqscan = off").Error)
		require.NoError(t, tx.DB(ctx).Exec("SET LOCAL enable_sort = off").Error)
		require.NoError(t, tx.DB(ctx).Exec("SELECT pg_stat_force_next_flush()").Error)
		page, err := tx.ForUser(mine).Messages().ListByUser(ctx, store.MessageFilter{}, store.PageRequest{Limit: 10})
		require.Len(t, page.Items, 10)
		return err
	}))
	require.Eventually(t, func() bool { return usage()[used].Scans > 0 }, 30*time.Second, 20*time.Millisecond)
	after := usage()
	require.False(t, after[used].Unused)
	require.GreaterOrEqual(t, after[used].Read, int64(10))
	require.True(t, after[unused].Unused)
	require.Equal(t, "chat_messages", after[unused].Table)
	require.False(t, after["chat_messages_postmark_key"].Unused, "it keeps a key")
	require.Zero(t, after["chat_messages_postmark_key"].Scans)
}

// slowStatements prepares a database with the extension, or skips where the server does not
// have it loaded.
func slowStatements(t *testing.T, schema string, opts ...convostore.Option) store.Store {
	t.Helper()
	st := openPostgres(t, opts...)
	ctx := t.Context()
	db := st.DB(ctx)
	_, err := st.Health().SlowQueries(ctx, 0)
	require.ErrorIs(t, err, store.ErrUnsupported)
	require.ErrorContains(t, err, "CREATE EXTENSION pg_stat_statements")
	require.ErrorContains(t, err, "shared_preload_libraries")
	require.ErrorIs(t, st.Health().ResetSlowQueries(ctx), store.ErrUnsupported)

	var loaded string
	require.NoError(t, db.Raw("SHOW shared_preload_libraries").Row().Scan(&loaded))
	require.NoError(t, db.Exec(`CREATE SCHEMA IF NOT EXISTS "`+schema+`"`).Error)
	if err := db.Exec(`CREATE EXTENSION pg_stat_statements SCHEMA "` + schema + `"`).Error; err != nil {
		t.Skip("the server has no pg_stat_statements: ", err)
	}
	if !strings.Contains(loaded, "pg_stat_statements") {
		_, err := st.Health().SlowQueries(ctx, 0)
		require.ErrorIs(t, err, store.ErrUnsupported)
		require.ErrorContains(t, err, "shared_preload_libraries")
		require.ErrorIs(t, st.Health().ResetSlowQueries(ctx), store.ErrUnsupported)
		t.Skip("pg_stat_statements is not in shared_preload_libraries of the server")
	}
	return st
}

// slowTexts joins the statements.
func slowTexts(t *testing.T, st store.Store, limit int) string {
	t.Helper()
	found, err := st.Health().SlowQueries(t.Context(), limit)
	require.NoError(t, err)
	var texts []string
	for i, q := range found {
		texts = append(texts, q.Query)
		require.Positive(t, q.Calls)
		require.Positive(t, q.Mean)
		require.GreaterOrEqual(t, q.Max, q.Mean-time.Nanosecond)
		require.InDelta(t, float64(q.Total), float64(q.Mean)*float64(q.Calls), float64(time.Microsecond)*float64(q.Calls))
		if i > 0 {
			require.GreaterOrEqual(t, found[i-1].Mean, q.Mean, "slowest first")
		}
	}
	return strings.Join(texts, "\n")
}

// unlessEvicted runs fn again as long as the server forgot statements meanwhile: it keeps those of
// all databases together, and the ones called least go first.
func unlessEvicted(t *testing.T, db *gorm.DB, schema string, fn func()) {
	t.Helper()
	evictions := func() (n int64) {
		require.NoError(t, db.Raw("SELECT dealloc FROM "+schema+".pg_stat_statements_info").Row().Scan(&n))
		return n
	}
	for before := int64(-1); before != evictions(); {
		before = evictions()
		fn()
	}
}

func TestHealthSlowQueries(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	// The extension stands in a schema that no search_path has.
	st := slowStatements(t, "Tools", convostore.WithTablePrefix("a_b_"))
	r, err := st.Health().Ready(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, r.Extensions["pg_stat_statements"])
	require.NoError(t, st.Health().ResetSlowQueries(ctx))
	require.Empty(t, slowTexts(t, st, 0))

	mine := st.ForUser(uuid.New())
	db := st.DB(ctx)
	for _, table := range []string{"axb_messages", "a_b_messages_old"} {
		require.NoError(t, db.Exec("CREATE TABLE "+table+" (content text)").Error)
	}
	var texts string
	var all, slowest []store.SlowQuery
	unlessEvicted(t, db, `"Tools"`, func() {
		fill(t, mine, 2, 2)
		_, err = mine.Search().Messages(ctx, "secret1", store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{})
		require.NoError(t, err)
		// The host's own, by hand; a table that a _ for any letter would find; and what has no rows.
		for _, statement := range []string{
			"SELECT count(*), pg_sleep(0.05) FROM A_B_MESSAGES WHERE content = 'secret2'",
			"SELECT count(*) FROM axb_messages WHERE content = 'secret3'",
			"SELECT count(*) FROM a_b_messages_old WHERE content = 'secret4'",
			"COMMENT ON TABLE a_b_messages IS 'secret5'",
		} {
			require.NoError(t, db.Exec(statement).Error)
		}
		texts = slowTexts(t, st, store.MaxLimit)
		all, err = st.Health().SlowQueries(ctx, store.MaxLimit)
		require.NoError(t, err)
		slowest, err = st.Health().SlowQueries(ctx, 1)
		require.NoError(t, err)
	})
	require.Contains(t, texts, `"a_b_conversations"`)
	require.Contains(t, texts, "FROM A_B_MESSAGES WHERE content = $")
	for _, absent := range []string{"secret", "axb_", "a_b_messages_old", "COMMENT"} {
		require.NotContains(t, texts, absent)
	}
	slept := slices.IndexFunc(all, func(q store.SlowQuery) bool { return strings.Contains(q.Query, "A_B_MESSAGES") })
	require.GreaterOrEqual(t, slept, 0)
	require.GreaterOrEqual(t, all[slept].Mean, 50*time.Millisecond)
	require.Len(t, slowest, 1)
	// On a busy machine another one may have taken longer.
	require.GreaterOrEqual(t, slowest[0].Mean, all[slept].Mean)

	require.NoError(t, st.Health().ResetSlowQueries(ctx))
	require.NotContains(t, slowTexts(t, st, 0), "A_B_MESSAGES")
}

// TestHealthSlowQueriesInTransaction has the extension fail in a host's transaction, which
// must go on.
func TestHealthSlowQueriesInTransaction(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := slowStatements(t, "public")
	require.NoError(t, st.DB(ctx).Exec("ALTER EXTENSION pg_stat_statements DROP VIEW pg_stat_statements").Error)
	require.NoError(t, st.DB(ctx).Exec("DROP VIEW pg_stat_statements").Error)
	require.NoError(t, st.Transaction(ctx, func(tx store.Store) error {
		_, err := tx.Health().SlowQueries(ctx, 0)
		require.Error(t, err)
		return tx.ForUser(uuid.New()).Conversations().Create(ctx, &conversation.Conversation{})
	}))
}

func TestHealthCheckForeignKeys(t *testing.T) {
	t.Parallel()
	db, st := sqliteHost(t, filepath.Join(t.TempDir(), "host.db"), "off")
	fill(t, st.ForUser(uuid.New()), 1, 150)
	check := func() []string {
		findings, err := st.Health().Check(t.Context())
		require.NoError(t, err)
		return findings
	}
	require.Empty(t, check())
	require.NoError(t, db.Exec("CREATE TABLE parents (id integer PRIMARY KEY)").Error)
	require.NoError(t, db.Exec("CREATE TABLE children (id text PRIMARY KEY, parent integer REFERENCES parents) WITHOUT ROWID").Error)
	require.NoError(t, db.Exec("INSERT INTO children VALUES ('a', 7)").Error)
	require.Equal(t, []string{"a row of table children has no parent in table parents"}, check(), "the host's tables as well")

	require.NoError(t, db.Exec("DELETE FROM conversations").Error)
	findings := check()
	require.Len(t, findings, 100)
	require.Contains(t, findings, "row 1 of table messages has no parent in table conversations")
}

// TestHealthCheckDamage overwrites pages of the file as a broken disk would.
func TestHealthCheckDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "host.db")
	db, st := sqliteHost(t, path, "on")
	fill(t, st.ForUser(uuid.New()), 5, 40)
	var page, size int64
	require.NoError(t, db.Raw("SELECT rootpage FROM sqlite_master WHERE name = 'messages_created_idx'").Row().Scan(&page))
	pages, err := st.Health().Pages(t.Context())
	require.NoError(t, err)
	size = pages.Size
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxIdleConns(0) // a connection for each statement, with nothing of the file in its cache

	// A page of an index, then that of the schema, then what makes it a database.
	for _, at := range [][2]int64{{(page - 1) * size, size / 2}, {100, size - 100}, {0, 100}} {
		overwrite(t, path, at[0], at[1])
		findings, err := st.Health().Check(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, findings)
		require.LessOrEqual(t, len(findings), 100)
		require.NotContains(t, strings.Join(findings, "\n"), "word1", "nothing of what is stored")
		t.Log(findings[0])
	}
}

func overwrite(t *testing.T, path string, at, n int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte(strings.Repeat("\xa5", int(n))), at)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
