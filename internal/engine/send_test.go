package engine_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// TestSendStatements counts the round trips of a reply that goes out: what may keep it back comes
// with the suggestion, and the outbox takes the one statement that stores the entry.
func TestSendStatements(t *testing.T) {
	t.Parallel()
	onLogged(t, 0, func(t *testing.T, st store.Store, b *logbook) {
		ctx, mine, name := t.Context(), st.ForUser(uuid.New()), st.DB(t.Context()).Name()
		approved := func() uuid.UUID {
			t.Helper()
			in := &message.Message{Direction: message.DirectionInbound, Content: "Is it you?"}
			c := &conversation.Conversation{Messages: []*message.Message{in}}
			require.NoError(t, mine.Conversations().Create(ctx, c))
			s := &suggestion.Suggestion{ConversationID: c.ID, AnswersSeq: 1, InReplyToMessageID: &in.ID, SuggestedContent: "It is."}
			require.NoError(t, mine.Suggestions().Create(ctx, s))
			_, err := mine.Suggestions().Approve(ctx, s.ID, suggestion.Review{})
			require.NoError(t, err)
			b.take(t)
			return s.ID
		}
		counts := func(what string, want map[string]int, call func() error) {
			t.Helper()
			require.NoError(t, call())
			lines := b.take(t)
			for _, l := range lines {
				require.Equal(t, "query", l.Msg, l.SQL)
			}
			if len(lines) != want[name] {
				for _, l := range lines {
					t.Log(l.SQL)
				}
			}
			assert.Len(t, lines, want[name], what)
		}
		send := func(id uuid.UUID, o store.SendOptions) func() error {
			return func() error {
				_, err := mine.Suggestions().Send(ctx, id, &message.Message{}, o)
				return err
			}
		}
		deliver := func() store.SendOptions {
			return store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}}
		}
		require.NoError(t, send(approved(), store.SendOptions{})()) // reads what the schema can do
		counts("send", map[string]int{"postgres": 5, "sqlite": 9}, send(approved(), store.SendOptions{}))
		id := approved()
		counts("send and deliver", map[string]int{"postgres": 6, "sqlite": 10}, send(id, deliver()))
		counts("again", map[string]int{"postgres": 4, "sqlite": 4}, send(id, store.SendOptions{}))
		counts("again, with the entry", map[string]int{"postgres": 5, "sqlite": 5}, send(id, deliver()))

		out := func(n int) (ms []*message.Message, es []*message.OutboxEntry) {
			for range n {
				ms = append(ms, &message.Message{Direction: message.DirectionOutbound})
				es = append(es, &message.OutboxEntry{Channel: "mail"})
			}
			return ms, es
		}
		c := &conversation.Conversation{}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		b.take(t)
		add := func(n int, deliver bool) func() error {
			return func() error {
				ms, es := out(n)
				if !deliver {
					es = nil
				}
				_, err := mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{Deliver: es})
				return err
			}
		}
		require.NoError(t, add(1, false)()) // after it the status is that of an outbound message
		b.take(t)
		// SQLite sets a savepoint around the append, which is no round trip.
		counts("append", map[string]int{"postgres": 1, "sqlite": 2}, add(1, false))
		counts("append and deliver", map[string]int{"postgres": 2, "sqlite": 2 + 3}, add(1, true))
		counts("append 50", map[string]int{"postgres": 1, "sqlite": 3}, add(50, false))
		counts("append and deliver 50", map[string]int{"postgres": 2, "sqlite": 3 + 3}, add(50, true))
	})
}
