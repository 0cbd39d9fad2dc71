package engine_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// TestBranchesPlan: one statement reads a path, by the runs of it alone, and a conversation without
// branches is read by the one statement that it needs.
func TestBranchesPlan(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx, user := t.Context(), uuid.New()
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		mine := st.ForUser(user)
		var branched, linear *conversation.Conversation
		for i := range 300 {
			linear = &conversation.Conversation{}
			n := 2
			if i == 30 {
				branched, n = linear, 400
			}
			for seq := 1; seq <= n; seq++ {
				m := &message.Message{Role: message.RoleUser, Content: "text"}
				if seq%20 == 11 { // ten messages, ten others in their place
					m.ParentSeq = new(int64(seq - 11))
				}
				linear.Messages = append(linear.Messages, m)
			}
			require.NoError(t, mine.Conversations().Create(ctx, linear))
		}
		require.NoError(t, st.DB(ctx).Exec("ANALYZE").Error)
		rec := &storetest.Recorder{}
		recorded, err := convostore.New(ctx, rec.Wrap(st.DB(ctx)))
		require.NoError(t, err)
		last := func(c *conversation.Conversation) []storetest.Statement {
			rec.Reset()
			_, err := recorded.ForUser(user).Messages().Last(ctx, c.ID, 10)
			require.NoError(t, err)
			return rec.Statements()
		}
		last(linear) // asks for the schema
		require.Len(t, last(linear), 1)
		statements := last(branched)
		path := statements[len(statements)-1]
		require.Contains(t, path.SQL, "RECURSIVE")
		explain := "EXPLAIN "
		if d.SQLite {
			explain = "EXPLAIN QUERY PLAN "
		}
		plan := strings.Join(explainPlan(t, st, explain, path), "\n")
		require.NotContains(t, plan, "Seq Scan", "%s", plan)
		require.NotRegexp(t, `SCAN (m|s|b|c|h|messages)\b`, plan)
		require.Regexp(t, `messages_parent_idx`, plan, "the runs are found by an index of their own")
		require.Regexp(t, `SEARCH m USING INDEX sqlite_autoindex_messages_\d \(conversation_id=\? AND user_id=\? AND seq>\? AND seq<\?\)|`+
			`Index Scan( Backward)? using messages_seq_key on messages m`, plan, "%s", plan)
		require.NotContains(t, plan, "Hash", "%s", plan)

		for read, want := range map[string]int{"thread": 3, "path": 1} {
			rec.Reset()
			if read == "thread" {
				_, err = recorded.ForUser(user).Conversations().Thread(ctx, branched.ID)
			} else {
				_, err = recorded.ForUser(user).Messages().Path(ctx, branched.ID, 400, store.PageRequest{})
			}
			require.NoError(t, err)
			require.Len(t, rec.Statements(), want, read)
		}
	})
}
