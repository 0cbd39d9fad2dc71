package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// testMessageRedeliveryTaken: what would be lost without a word is an error that has the stored row.
func testMessageRedeliveryTaken(t *testing.T, w *world) {
	ctx := t.Context()
	here, there := w.conversation(t), w.conversation(t)
	first := w.append(t, here, everything(epoch))
	elsewhere := keys(first)
	for name, m := range elsewhere {
		if m.ID != first.ID {
			delete(elsewhere, name)
		}
	}
	for name, m := range elsewhere {
		takenIs(t, w, there, name, m, first, "id")
	}
	deleted, err := w.mine.Messages().Delete(ctx, first.ID)
	require.NoError(t, err)
	for name, field := range takenBy {
		takenIs(t, w, here, name, keys(first)[name], deleted, field)
	}
	again := *keys(first)["id"]
	again.ConversationID = here.ID
	w.unchanged(t, func() {
		result, err := w.mine.Messages().Import(ctx, rowsOf(&again), store.ImportOptions{})
		require.NoError(t, err)
		require.EqualValues(t, 1, result.Duplicates, "an import is run again after somebody deleted a message")
	})
}

func takenIs(t *testing.T, w *world, c *conversation.Conversation, name string, m, stored *message.Message, field string) {
	t.Helper()
	isTaken := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, store.ErrConflict, name)
		var taken *store.TakenError
		require.ErrorAs(t, err, &taken, name)
		require.Equal(t, field, taken.Field, name)
		same(t, stored, taken.Message)
	}
	w.unchanged(t, func() {
		alone, among := *m, *m
		created, err := w.mine.Messages().Append(t.Context(), c.ID, &alone)
		isTaken(err)
		require.False(t, created)
		_, err = w.mine.Messages().AppendMany(t.Context(), c.ID, []*message.Message{text("x"), &among}, store.AppendOptions{})
		isTaken(err)
		var at *store.BatchError
		require.ErrorAs(t, err, &at)
		require.Equal(t, 1, at.Index)
	})
}
