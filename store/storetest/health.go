package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

func healthTests() subtests {
	return subtests{
		"HealthReady":        testHealthReady,
		"HealthSchema":       testHealthSchema,
		"HealthGone":         testHealthGone,
		"HealthPools":        testHealthPools,
		"HealthTableSizes":   testHealthTableSizes,
		"HealthIndexUsage":   testHealthIndexUsage,
		"HealthIndexEntries": testHealthIndexEntries,
		"HealthSlowQueries":  testHealthSlowQueries,
		"HealthFile":         testHealthFile,
		"HealthFileMoves":    testHealthFileMoves,
	}
}

// postgres tells which database it is.
func (w *world) postgres(testing.TB) bool { return w.can.Name == Postgres }

// unsupported requires that the other database has no answer and says why.
func unsupported(t testing.TB, err error) {
	t.Helper()
	require.ErrorIs(t, err, store.ErrUnsupported)
	require.NotEqual(t, store.ErrUnsupported.Error(), err.Error(), "what it would take")
}

func (w *world) ready(t testing.TB) store.Readiness {
	t.Helper()
	r, err := w.st.Health().Ready(t.Context())
	require.NoError(t, err)
	return r
}

func testHealthReady(t *testing.T, w *world) {
	r := w.ready(t)
	require.Equal(t, migrate.Latest(), r.Schema)
	require.Equal(t, r.Wanted, migrate.Latest())
	require.Positive(t, r.Took)
	require.True(t, r.FullText)
	require.True(t, r.Vectors)
	name := "SQLite 3."
	if w.postgres(t) {
		name = "PostgreSQL "
		require.NotEmpty(t, r.Extensions["vector"])
	} else {
		require.Empty(t, r.Extensions)
		require.False(t, r.VectorIndex)
	}
	require.True(t, strings.HasPrefix(r.Database, name), r.Database)
	require.Len(t, strings.Fields(r.Database), 2, "nothing of who built it")
}

// record is the table of the migrations, found by its name, since the suite does not know
// the prefix.
func (w *world) record(t testing.TB) string {
	t.Helper()
	db, sql := w.st.DB(t.Context()), "SELECT name FROM sqlite_master WHERE name LIKE '%convostore_migrations'"
	if w.postgres(t) {
		sql = `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
			WHERE tablename LIKE '%convostore_migrations'`
	}
	var name string
	require.NoError(t, db.Raw(sql).Row().Scan(&name))
	return name
}

func testHealthSchema(t *testing.T, w *world) {
	before := w.ready(t)
	db, record := w.st.DB(t.Context()), w.record(t)
	for _, change := range []struct {
		sql     string
		version int64
	}{
		{"UPDATE " + record + " SET version = version + 1, oldest_code = NULL WHERE version >= ?", migrate.Latest() + 1},
		{"DELETE FROM " + record + " WHERE version >= ?", migrate.Latest() - 1},
	} {
		require.NoError(t, db.Exec(change.sql, migrate.Latest()).Error)
		r, err := w.st.Health().Ready(t.Context())
		require.ErrorIs(t, err, store.ErrSchema, "it asks each time")
		require.Equal(t, change.version, r.Schema)
		require.Equal(t, r.Wanted, migrate.Latest())
		require.Equal(t, before.Database, r.Database)
		require.Equal(t, before.Extensions, r.Extensions)
		require.True(t, r.FullText)
		require.Positive(t, r.Took)
	}
}

// testHealthGone asks a database that does not answer in time.
func testHealthGone(t *testing.T, w *world) {
	h, ctx := w.st.Health(), canceled(t)
	r, err := h.Ready(ctx)
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrSchema)
	require.Empty(t, r.Database)
	require.Equal(t, r.Wanted, migrate.Latest())
	_, err = h.TableSizes(ctx)
	require.Error(t, err)
	// The first call of a store asks for the schema, whatever GORM prepares.
	_, err = w.mine.Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{})
	require.ErrorIs(t, err, context.Canceled)
}

func testHealthPools(t *testing.T, w *world) {
	w.conversation(t)
	pools := w.st.Health().PoolStats()
	require.NotEmpty(t, pools)
	require.LessOrEqual(t, len(pools), 2)
	require.Equal(t, "writer", pools[0].Name)
	require.Positive(t, pools[0].OpenConnections)
	if len(pools) == 2 {
		require.Equal(t, "reader", pools[1].Name)
	}
}

// prefix is what stands before the names of the tables.
func (w *world) prefix(t testing.TB) string {
	t.Helper()
	name := strings.TrimSuffix(w.record(t), "convostore_migrations")
	return name[strings.LastIndex(name, ".")+1:]
}

func testHealthTableSizes(t *testing.T, w *world) {
	w.household(t, w.user, "")
	sizes, err := w.st.Health().TableSizes(t.Context())
	// Of distributed tables it is so inside a transaction that has written to several shards.
	if errors.Is(err, store.ErrUnsupported) && (!w.postgres(t) || !w.can.NotDistributed) {
		unsupported(t, err)
		return
	}
	require.NoError(t, err)
	prefix, rows, search := w.prefix(t), map[string]int64{}, 0
	for i, size := range sizes {
		require.Equal(t, size.Heap+size.Indexes, size.Total)
		if i > 0 {
			last := sizes[i-1]
			require.True(t, last.Total > size.Total || last.Total == size.Total && last.Table < size.Table, "largest first, ties by name")
		}
		rows[size.Table] = size.Rows
		if ours := strings.TrimPrefix(size.Table, prefix); slices.Contains(naming.Search(), ours) {
			search++ // some of which are empty, or nothing but a key
			continue
		}
		require.Positive(t, size.Heap, size.Table)
		if !strings.HasSuffix(size.Table, "_migrations") && !strings.Contains(size.Table, "search_") {
			// There SQLite's key is the table itself.
			require.Positive(t, size.Indexes, size.Table)
		}
	}
	require.Contains(t, []int{0, len(naming.Search())}, search, "the index of words is there or not")
	all := naming.OnSQLite()
	if w.postgres(t) {
		all = naming.All()
	}
	require.Len(t, rows, len(all)+search, "those of users, that of apps, that of migrations, of trained vectors and the index of words")
	for table, want := range map[string]int64{
		"conversations": 1, "messages": 4, "message_embeddings": 2, "ai_suggestions": 2,
		"message_embedding_claims": 0, "message_embedding_failures": 0, "convostore_migrations": migrate.Latest(),
	} {
		require.Contains(t, rows, prefix+table)
		if !w.postgres(t) {
			require.Equal(t, want, rows[prefix+table], table)
		}
	}
}

// distributed tells whether the tables are spread over several nodes.
func (w *world) distributed(t testing.TB) bool {
	t.Helper()
	var spread bool
	if w.ready(t).Extensions["citus"] != "" {
		require.NoError(t, w.st.DB(t.Context()).Raw("SELECT count(*) > 0 FROM pg_dist_partition").Row().Scan(&spread))
	}
	return spread
}

func testHealthIndexUsage(t *testing.T, w *world) {
	usage, err := w.st.Health().IndexUsage(t.Context())
	if w.postgres(t) && !w.can.NotDistributed {
		unsupported(t, err)
		return
	}
	require.NoError(t, err)
	prefix, found := w.prefix(t), map[string]store.IndexUsage{}
	for i, u := range usage {
		require.True(t, strings.HasPrefix(u.Table, prefix), u.Table)
		require.Equal(t, w.postgres(t), u.Counted, "SQLite does not count")
		require.Equal(t, u.Counted && u.Scans == 0 && !u.Constraint, u.Unused)
		if i > 0 {
			last := usage[i-1]
			require.True(t, last.Scans < u.Scans || last.Scans == u.Scans && last.Index < u.Index, "least used first, ties by name")
		}
		found[strings.TrimPrefix(u.Index, prefix)] = u
	}
	for name, constraint := range map[string]bool{
		"messages_gmail_key": true, "messages_created_idx": false, "ai_suggestions_pending_idx": false, "message_embeddings_user_idx": false,
	} {
		require.Contains(t, found, name)
		require.Equal(t, constraint, found[name].Constraint, name)
	}
	if w.postgres(t) {
		for name, u := range found {
			require.True(t, strings.HasPrefix(u.Index, prefix), name)
			require.Positive(t, u.Bytes, name)
		}
		require.True(t, found["conversations_pkey"].Constraint)
		require.True(t, found["convostore_migrations_pkey"].Constraint)
		return
	}
	_, err = w.st.Health().TableSizes(t.Context())
	require.Equal(t, err == nil, found["messages_gmail_key"].Bytes > 0, "sizes where the driver has dbstat")
}

// testHealthIndexEntries: what the planner reckons with comes with Analyze.
func testHealthIndexEntries(t *testing.T, w *world) {
	w.thread(t, 7)
	if err := w.st.AllUsers().Maintenance().Analyze(t.Context()); w.inTx(t) {
		invalid(t, err, "transaction")
		return
	} else if err != nil {
		unsupported(t, err)
		return
	}
	usage, err := w.st.Health().IndexUsage(t.Context())
	if err != nil {
		unsupported(t, err)
		return
	}
	for _, u := range usage {
		if u.Index == w.prefix(t)+"messages_created_idx" {
			require.EqualValues(t, 7, u.Entries)
			return
		}
	}
	require.Fail(t, "no such index")
}

func testHealthSlowQueries(t *testing.T, w *world) {
	h := w.st.Health()
	for _, limit := range []int{-1, store.MaxLimit + 1} {
		_, err := h.SlowQueries(t.Context(), limit)
		invalid(t, err, "limit")
	}
	found, err := h.SlowQueries(t.Context(), 0)
	if !w.postgres(t) || w.ready(t).Extensions["pg_stat_statements"] == "" {
		unsupported(t, err)
		unsupported(t, h.ResetSlowQueries(t.Context()))
	} else {
		require.NoError(t, err)
		require.LessOrEqual(t, len(found), 20)
	}
	w.conversation(t) // the transaction goes on
}

func testHealthFile(t *testing.T, w *world) {
	w.household(t, w.user, "")
	h := w.st.Health()
	pages, err := h.Pages(t.Context())
	findings, checkErr := h.Check(t.Context())
	if w.postgres(t) {
		unsupported(t, err)
		unsupported(t, checkErr)
		return
	}
	require.NoError(t, err)
	require.GreaterOrEqual(t, pages.Size, int64(512))
	require.Positive(t, pages.Total)
	require.Less(t, pages.Free, pages.Total)
	require.NoError(t, checkErr)
	require.Empty(t, findings)
}

// testHealthFileMoves has the full text put its parts together while a connection remembers
// where they were: the index merges them every sixteen writes.
func testHealthFileMoves(t *testing.T, w *world) {
	if w.postgres(t) {
		t.Skip("PostgreSQL has no file to check")
	}
	c := w.conversation(t)
	for range 40 {
		w.inbound(t, c)
		findings, err := w.st.Health().Check(t.Context())
		require.NoError(t, err)
		require.Empty(t, findings)
	}
}
