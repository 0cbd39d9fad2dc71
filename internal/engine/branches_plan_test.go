package engine_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// TestBranchesStatements counts the statements of each read. A linear conversation is read by those
// that it needs without branches. A path takes PostgreSQL, where each is a round trip, as many,
// once the process knows that the conversation has branches; SQLite finds the runs by another one.
func TestBranchesStatements(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		w := fillPaths(t, st, 2)
		linear := map[string]int{"Path": 1, "Last50": 1, "Thread": 3, "All": 1, "List50": 1}
		for _, c := range pathReads {
			rec := &storetest.Recorder{}
			recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
			require.NoError(t, err)
			seen := *w
			seen.mine = recorded.ForUser(w.user)
			count := func(id uuid.UUID) int {
				rec.Reset()
				n, err := c.read(t.Context(), &seen, id)
				require.NoError(t, err)
				require.Equal(t, c.rows, n, c.name)
				return len(rec.Statements())
			}
			_, err = seen.mine.Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{Limit: 1})
			require.NoError(t, err)
			require.Equal(t, linear[c.name], count(w.linear), "%s of a linear conversation", c.name)
			along := linear[c.name]
			if d.SQLite {
				along++
			}
			if cold := count(w.branched); c.name == "Path" || c.name == "Thread" {
				require.Equal(t, along, cold, "%s of the first read", c.name)
			} else {
				require.Equal(t, along+2, cold, "%s of the first read: one finds nothing, and one why", c.name)
			}
			require.Equal(t, along, count(w.branched), "%s of a path", c.name)
			require.Equal(t, linear[c.name], count(w.linear), "%s of a linear conversation, again", c.name)
		}
	})
}

// TestBranchesPlan: a path is read by seeks, one for each of its runs and one for the messages of
// each, and no message is sorted.
func TestBranchesPlan(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		w := fillPaths(t, st, 300)
		rec := &storetest.Recorder{}
		recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
		require.NoError(t, err)
		w.mine = recorded.ForUser(w.user)
		for _, c := range pathReads {
			_, err := c.read(t.Context(), w, w.branched) // asks for the schema
			require.NoError(t, err)
			rec.Reset()
			_, err = c.read(t.Context(), w, w.branched)
			require.NoError(t, err)
			for _, s := range rec.Statements() {
				if !strings.Contains(s.SQL, "parent_seq") || strings.Contains(s.SQL, "last_change_seq") {
					continue // the conversation and the suggestions of a thread
				}
				if d.SQLite {
					sqlitePathPlan(t, c.name, explainPlan(t, st, "EXPLAIN QUERY PLAN ", s))
				} else {
					postgresPathPlan(t, c.name, explainPlan(t, st, "EXPLAIN (ANALYZE, TIMING OFF) ", s))
				}
			}
		}
	})
}

func sqlitePathPlan(t *testing.T, name string, steps []string) {
	t.Helper()
	plan := strings.Join(steps, "\n")
	require.NotRegexp(t, `SCAN (m|s|c|messages)\b|TEMP B-TREE|MATERIALIZE`, plan, name)
	require.Regexp(t, `SEARCH m USING INDEX sqlite_autoindex_messages_\d \(conversation_id=\? AND user_id=\? AND seq>\? AND seq<\?\)|`+
		`SEARCH s USING COVERING INDEX messages_parent_idx \(conversation_id=\? AND user_id=\? AND seq<\?\)`, plan, name)
}

// pathLoops are how often the messages of a run were read.
var pathLoops = regexp.MustCompile(`using messages_seq_key on messages m .*\(actual rows=\d+ loops=(\d+)\)`)

func postgresPathPlan(t *testing.T, name string, steps []string) {
	t.Helper()
	plan := strings.Join(steps, "\n")
	require.NotContains(t, plan, "Seq Scan", name)
	require.NotContains(t, plan, "Hash", name)
	require.NotRegexp(t, `Sort Key:.*m\.`, plan, name)
	require.NotRegexp(t, `Index Scan.* messages s`, plan, "the runs are found in the index alone")
	require.Regexp(t, `Index Only Scan Backward using messages_parent_idx on messages s`, plan, name)
	require.Regexp(t, `Index Cond: .*seq >= run\.begin_seq\) AND \(m?\.?\w*\.?seq <= run\.end_seq`, plan, name)
	loops := pathLoops.FindStringSubmatch(plan)
	require.NotNil(t, loops, plan)
	want := map[bool]string{true: "6", false: "21"}[strings.HasSuffix(name, "50")]
	require.Equal(t, want, loops[1], "%s: the runs of the page alone are read", plan)
}

// TestBranchesHint: a process that has seen the branches, or made them, reads the path at once.
func TestBranchesHint(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		w := fillPaths(t, st, 0)
		rec := &storetest.Recorder{}
		recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
		require.NoError(t, err)
		mine := recorded.ForUser(w.user)
		last := func(id uuid.UUID) int {
			rec.Reset()
			ms, err := mine.Messages().Last(t.Context(), id, 5)
			require.NoError(t, err)
			require.Len(t, ms, 5)
			return len(rec.Statements())
		}
		last(w.linear) // asks for the schema
		along := 1
		if d.SQLite {
			along = 2
		}
		require.Equal(t, 1, last(w.linear))
		for what, branch := range map[string]func(ctx context.Context) error{
			"Get":     func(ctx context.Context) error { _, err := mine.Conversations().Get(ctx, w.branched); return err },
			"SetHead": func(ctx context.Context) error { _, err := mine.Messages().SetHead(ctx, w.linear, 100); return err },
		} {
			require.NoError(t, branch(t.Context()), what)
			id := map[string]uuid.UUID{"Get": w.branched, "SetHead": w.linear}[what]
			require.Equal(t, along, last(id), "after %s the path is read at once", what)
		}
	})
}
