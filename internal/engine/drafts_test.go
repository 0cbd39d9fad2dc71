package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
	"github.com/convostore/convostore/suggestion"
)

// TestSupersedeStatements: a message that comes in takes no statement more where nothing waits for a
// decision, however many suggestions there were. Where something waits it takes one on SQLite.
func TestSupersedeStatements(t *testing.T) {
	t.Parallel()
	onLogged(t, 0, func(t *testing.T, st store.Store, b *logbook) {
		ctx, mine := t.Context(), st.ForUser(uuid.New())
		c := &conversation.Conversation{}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		suggest := func() *suggestion.Suggestion {
			s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}
			require.NoError(t, mine.Suggestions().Create(ctx, s))
			return s
		}
		in := func(n int, key string) []*message.Message {
			ms := make([]*message.Message, n)
			for i := range ms {
				ms[i] = &message.Message{Role: message.RoleUser, IdempotencyKey: key}
			}
			return ms
		}
		last := int64(0)
		run := func(ms []*message.Message, o store.AppendOptions, postgres, sqlite int) {
			t.Helper()
			b.take(t)
			_, err := mine.Messages().AppendMany(ctx, c.ID, ms, o)
			require.NoError(t, err)
			last += int64(len(ms))
			require.Len(t, b.take(t), map[string]int{"postgres": postgres, "sqlite": sqlite}[st.DB(ctx).Name()])
		}
		_, err := mine.Messages().AppendMany(ctx, c.ID, in(1, "warm"), store.AppendOptions{}) // reads what the schema can do
		require.NoError(t, err)
		last++
		for _, key := range []string{"", "key"} {
			s := suggest()
			run([]*message.Message{{Role: message.RoleTool}}, store.AppendOptions{}, 1, 2)
			run(in(1, key), store.AppendOptions{}, 1, 3)
			now, err := mine.Suggestions().Get(ctx, s.ID)
			require.NoError(t, err)
			require.Equal(t, suggestion.StatusSuperseded, now.Status)
			run(in(1, key+"2"), store.AppendOptions{}, 1, 2) // nothing waits any more
		}
		run(in(100, ""), store.AppendOptions{ExpectedSeq: new(last)}, 1, 4)
		suggest()
		run(in(100, ""), store.AppendOptions{ExpectedSeq: new(last)}, 1, 5)
		states := store.AppendOptions{States: store.AppendStates{Conversation: store.StateMap{"k": []byte("v")}}}
		run(in(1, ""), states, 1, 3)
		suggest()
		run(in(1, ""), states, 1, 4)
	})
}

// TestSupersedePlans: an append finds what waits by its index on a database without statistics, and
// not by all that was ever suggested.
func TestSupersedePlans(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, user := d.Store(t, convostore.WithMigrate(migrate.Options{})), uuid.New()
		c := &conversation.Conversation{}
		require.NoError(t, st.ForUser(user).Conversations().Create(t.Context(), c))
		rec := &storetest.Recorder{}
		recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
		require.NoError(t, err)
		explain := "EXPLAIN "
		if d.SQLite {
			explain = "EXPLAIN QUERY PLAN "
		}
		looks := 0
		for _, key := range []string{"", "key"} {
			require.NoError(t, recorded.ForUser(user).Suggestions().Create(t.Context(), &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}))
			rec.Reset()
			_, err := recorded.ForUser(user).Messages().Append(t.Context(), c.ID, &message.Message{Role: message.RoleUser, IdempotencyKey: key})
			require.NoError(t, err)
			for _, statement := range rec.Statements() {
				if strings.Contains(statement.SQL, "'superseded'") {
					looks++
					plan := strings.Join(explainPlan(t, st, explain, statement), "\n")
					require.Contains(t, plan, "ai_suggestions_waiting_idx")
					require.NotRegexp(t, "Seq Scan|SCAN [a-z]", plan)
				}
			}
		}
		require.Equal(t, 2, looks)
	})
}

// TestSupersedeSeesWhatItWaitedFor: an append that waits for the lock of its conversation, which a
// transaction has that makes or reopens a suggestion, supersedes that suggestion. Its statement does
// not see rows that were written after it began.
func TestSupersedeSeesWhatItWaitedFor(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		if d.SQLite {
			t.Skip("SQLite has one writer at a time: no append waits for the row of another transaction")
		}
		st, user := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true})), uuid.New()
		ctx, mine := t.Context(), st.ForUser(user)
		appends := map[string]func(id uuid.UUID) error{}
		for name, o := range map[string]store.AppendOptions{
			"many": {}, "states": {States: store.AppendStates{Conversation: store.StateMap{"k": []byte("v")}}}, "batch": {ExpectedSeq: new(int64(0))},
		} {
			for _, key := range []string{"", "key"} {
				appends[name+key] = func(id uuid.UUID) error {
					_, err := mine.Messages().AppendMany(ctx, id, []*message.Message{{Role: message.RoleUser, IdempotencyKey: key}}, o)
					return err
				}
			}
		}
		for name, add := range appends {
			c := &conversation.Conversation{}
			require.NoError(t, mine.Conversations().Create(ctx, c))
			for _, reopens := range []bool{false, true} {
				s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "x"}
				if reopens {
					c = &conversation.Conversation{}
					require.NoError(t, mine.Conversations().Create(ctx, c))
					s.ConversationID = c.ID
					require.NoError(t, mine.Suggestions().Create(ctx, s))
					_, err := mine.Suggestions().Reject(ctx, s.ID, suggestion.Review{})
					require.NoError(t, err)
				}
				done := make(chan error, 1)
				require.NoError(t, st.Transaction(ctx, func(tx store.Store) error {
					in := tx.ForUser(user).Suggestions()
					if reopens {
						_, err := in.Reopen(ctx, s.ID, store.ReopenOptions{})
						require.NoError(t, err)
					} else {
						require.NoError(t, in.Create(ctx, s))
					}
					go func() { done <- add(c.ID) }()
					require.Eventually(t, func() bool { return waitsForALock(t, st) }, 20*time.Second, time.Millisecond)
					return nil
				}))
				require.NoError(t, <-done)
				now, err := mine.Suggestions().Get(ctx, s.ID)
				require.NoError(t, err)
				require.Equal(t, suggestion.StatusSuperseded, now.Status, name)
			}
		}
	})
}

func waitsForALock(t *testing.T, st store.Store) (waits bool) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Raw("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Row().Scan(&waits))
	return waits
}
