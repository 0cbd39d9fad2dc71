package engine_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// TestAppendStatements counts the round trips of the path that is gone most often, and sees
// that a redelivery is no error to the database.
func TestAppendStatements(t *testing.T) {
	t.Parallel()
	onLogged(t, 0, func(t *testing.T, st store.Store, b *logbook) {
		ctx, mine := t.Context(), st.ForUser(uuid.New())
		c := &conversation.Conversation{}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		add := func(key string) (bool, error) {
			return mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, IdempotencyKey: key})
		}
		_, err := add("warm") // reads what the schema can do
		require.NoError(t, err)
		b.take(t)
		ran := func(on map[string]int) {
			t.Helper()
			lines := b.take(t)
			require.Len(t, lines, on[st.DB(ctx).Name()])
			for _, l := range lines {
				require.Equal(t, "query", l.Msg, l.SQL)
			}
		}
		addAsMany := func(key string) (bool, error) {
			m := &message.Message{Role: message.RoleUser, IdempotencyKey: key}
			created, err := mine.Messages().AppendMany(ctx, c.ID, []*message.Message{m}, store.AppendOptions{})
			return err == nil && created[0], err
		}
		for name, add := range map[string]func(string) (bool, error){"one": add, "many": addAsMany} {
			for _, key := range []string{"", name} {
				created, err := add(key)
				require.NoError(t, err)
				require.True(t, created)
				ran(map[string]int{"postgres": 1, "sqlite": 2})
			}
			created, err := add(name)
			require.NoError(t, err)
			require.False(t, created)
			ran(map[string]int{"postgres": 2, "sqlite": 3}) // the last reads the row that was there
		}
		ms := make([]*message.Message, 100)
		for i := range ms {
			ms[i] = &message.Message{Role: message.RoleUser}
		}
		_, err = mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{ExpectedSeq: new(int64(5))})
		require.NoError(t, err)
		ran(map[string]int{"postgres": 1, "sqlite": 4}) // lock, count, and two times 50
		require.EqualValues(t, 105, ms[99].Seq)
	})
}
