package recipes

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storefake"
)

// greeter is the code under test. It asks for no more than it calls.
type greeter struct{ messages store.MessageAppender }

func (g greeter) greet(ctx context.Context, id uuid.UUID) error {
	_, err := g.messages.Append(ctx, id, &message.Message{Role: message.RoleAssistant, Content: "Hello!"})
	return err
}

// newStore is a database of its own for each test, in memory: about 20 ms of one processor.
func newStore(t *testing.T, options ...convostore.Option) store.Store {
	t.Helper()
	st, err := sqlite.OpenMemory(t.Context(), options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

func TestGreet(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, time.March, 12, 12, 0, 0, 0, time.UTC)
	mine := newStore(t, convostore.WithClock(func() time.Time { return noon })).ForUser(uuid.New())
	c := &conversation.Conversation{Title: "Holiday"}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))

	require.NoError(t, greeter{mine.Messages()}.greet(t.Context(), c.ID))
	last, err := mine.Messages().Last(t.Context(), c.ID, 1)
	require.NoError(t, err)
	require.Equal(t, "Hello!", last[0].Content)
	require.Equal(t, noon, last[0].SentAt)
}

// TestGreetOnAFullDisk replaces one call. Nothing is below this fake: any other call panics with its name.
func TestGreetOnAFullDisk(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	fake := &storefake.Messages{AppendFunc: func(context.Context, uuid.UUID, *message.Message) (bool, error) { return false, full }}
	require.ErrorIs(t, greeter{fake}.greet(t.Context(), uuid.New()), full)
}

// signUp is more code under test, of several calls.
func signUp(ctx context.Context, st store.Store, user uuid.UUID) error {
	return st.Transaction(ctx, func(tx store.Store) error {
		mine, c := tx.ForUser(user), &conversation.Conversation{Title: "Welcome"}
		if err := mine.Conversations().Create(ctx, c); err != nil {
			return err
		}
		return greeter{mine.Messages()}.greet(ctx, c.ID)
	})
}

// TestSignUpIsWholeOrNothing has each call that signUp makes fail in turn, until none is left.
func TestSignUpIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	st, lost := newStore(t), errors.New("the connection is lost")
	fake, user := storefake.New(st), uuid.New()
	for n := 1; ; n++ {
		calls := 0
		fake.Before = func(context.Context, string) error {
			if calls++; calls == n {
				return lost
			}
			return nil
		}
		err := signUp(t.Context(), fake, user)
		counts, countErr := st.ForUser(user).Maintenance().Counts(t.Context())
		require.NoError(t, countErr)
		if err == nil {
			require.EqualValues(t, 1, counts.Messages)
			require.Equal(t, 4, n, "Transaction, Create and Append have failed")
			return
		}
		require.ErrorIs(t, err, lost)
		require.Zero(t, counts.Total(), "call %d failed, and something stayed", n)
	}
}
