package migrate

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/pgtest"
)

// The indexes of search are made beside those who write, by Up and by RebuildSearch. Meanwhile
// the schema is whole for a probe, and afterwards it is not if the call was ended.
func TestSearchIndexesAreMadeBesideWriters(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db, parts := openTest(t, postgres, dsn), []string{}
	o := Options{WithoutPgvector: true, Trigrams: true}
	require.NoError(t, UpTo(t.Context(), db, o, 3))
	fill(t, db, o)
	o.OnEvent = func(e Event) {
		if e.Kind == EventPart && strings.HasPrefix(e.What, "CREATE INDEX") {
			parts = append(parts, strings.Fields(e.What)[2])
		}
	}
	require.NoError(t, Up(t.Context(), db, o))
	require.Equal(t, []string{`"messages_trigram_idx"`, `"conversations_trigram_idx"`}, parts)
	requireNoDrift(t, db, o)

	// The second half of RebuildSearch, with a writer that came after the first.
	o.OnEvent = nil
	m, err := openFiles(db, o, files)
	require.NoError(t, err)
	later := concurrentIndexes(t, m)
	run(t, db, `DROP INDEX messages_trigram_idx`)
	tx, done := writing(t, openTest(t, postgres, dsn)), make(chan error, 1)
	go func() {
		done <- m.guarded(context.WithoutCancel(t.Context()), func() error { return m.buildIndex(context.WithoutCancel(t.Context()), later[0]) })
	}()
	pid := halfBuilt(t, db)
	requireQuick(t, db, Options{})
	run(t, db, fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid))
	require.Error(t, <-done)
	drifts, err := QuickVerify(t.Context(), db, Options{})
	require.NoError(t, err)
	require.Len(t, drifts, 1, "%v", drifts)
	require.Equal(t, "messages.messages_trigram_idx", drifts[0].Name)
	require.NoError(t, tx.Commit().Error)
	require.NoError(t, RebuildSearch(t.Context(), db, o))
	requireNoDrift(t, db, o)
	require.Zero(t, invalidIndexes(t, db))
}

// concurrentIndexes returns the statements of the search migration that are parts of their own.
func concurrentIndexes(t *testing.T, m *migrator) (list []statement) {
	t.Helper()
	for _, s := range m.steps {
		if s.version != searchVersion {
			continue
		}
		all, err := parse(s.up)
		require.NoError(t, err)
		for _, st := range all {
			if st.kind == concurrently {
				list = append(list, st)
			}
		}
	}
	return list
}
