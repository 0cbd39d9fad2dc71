package storetest

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

func (w *world) watch(t *testing.T, s store.Scope, o store.WatchOptions) *followed[store.ConversationChange] {
	t.Helper()
	return follow(t, func(ctx context.Context) iter.Seq2[store.ConversationChange, error] {
		return s.Conversations().Watch(ctx, o)
	})
}

// testWatch: every change of a conversation and of its messages comes, and those of others do not.
func testWatch(t *testing.T, w *world) {
	ctx := t.Context()
	cs, ms := w.mine.Conversations(), w.mine.Messages()
	c := w.thread(t, 1)
	first := w.caughtUp(t, c.ID, store.Position{})[0].Message
	mine := w.watch(t, w.mine, store.WatchOptions{Every: everyLook})
	begun := w.conversation(t) // until it comes, the watch may not have begun
	mine.begin(func() {
		w.tick()
		must[*conversation.Conversation](t)(cs.SetTitle(ctx, begun.ID, uuid.NewString()))
	})
	seen := func() *conversation.Conversation {
		change := mine.next()
		for change.ID == begun.ID {
			change = mine.next()
		}
		require.Equal(t, w.user, change.UserID)
		require.NotNil(t, change.Conversation)
		require.Equal(t, change.ID, change.Conversation.ID)
		return change.Conversation
	}
	other := w.other()
	steps := []func() error{
		func() error { _, err := ms.Append(ctx, c.ID, text("more")); return err },
		func() error { _, err := ms.Update(ctx, first.ID, store.MessageUpdate{Content: new("x")}); return err },
		func() error { _, err := ms.Delete(ctx, first.ID); return err },
		func() error { _, err := ms.RestoreAll(ctx, c.ID); return err },
		func() error { _, err := cs.SetTitle(ctx, c.ID, "title"); return err },
		func() error { _, err := cs.Archive(ctx, c.ID); return err },
		func() error { _, err := cs.Delete(ctx, c.ID); return err },
		func() error { _, err := cs.Restore(ctx, c.ID); return err },
	}
	for i, step := range steps {
		w.tick()
		require.NoError(t, other.Conversations().Create(ctx, &conversation.Conversation{}))
		require.NoError(t, step())
		got := seen()
		require.Equal(t, c.ID, got.ID, "step %d", i)
		require.Equal(t, i == 6, got.DeletedAt.Valid)
		if i != 6 {
			same(t, w.get(t, c.ID), got)
		}
	}
	must[store.Counts](t)(cs.Erase(ctx, c.ID))
	require.Equal(t, store.ConversationChange{ID: c.ID, UserID: w.user}, mine.next())
}

// begin changes something until the watch sees it, which may then see it once more.
func (f *followed[T]) begin(change func()) {
	f.t.Helper()
	for {
		change()
		select {
		case <-f.items:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// testWatchSince: what was updated since then comes first, the longest ago first.
func testWatchSince(t *testing.T, w *world) {
	ctx := t.Context()
	w.conversation(t)
	since := w.tick()
	b := w.conversation(t)
	w.tick()
	a := w.conversation(t)
	w.tick()
	w.inbound(t, b)
	ids := func(s store.Scope, since time.Time) (ids []uuid.UUID) {
		all, err := collect(s.Conversations().Watch(ctx, store.WatchOptions{Since: since, Once: true}))
		require.NoError(t, err)
		for _, c := range all {
			ids = append(ids, c.ID)
		}
		return ids
	}
	require.Equal(t, []uuid.UUID{a.ID, b.ID}, ids(w.mine, since))
	require.Equal(t, []uuid.UUID{a.ID, b.ID}, ids(w.st.AllUsers(), since))
	require.Empty(t, ids(w.mine, w.tick()))
	require.Empty(t, ids(w.mine, time.Time{}))
	require.Empty(t, ids(w.other(), since))
	invalidScope := w.st.ForUser(uuid.Nil).Conversations()
	_, err := collect(invalidScope.Watch(ctx, store.WatchOptions{}))
	invalid(t, err, "user_id")
}

func testWatchEnds(t *testing.T, w *world) {
	watch := w.watch(t, w.mine, store.WatchOptions{Since: epoch})
	w.conversation(t)
	watch.next()
	watch.stop()
	require.ErrorIs(t, watch.end(), context.Canceled)
	for _, err := range w.mine.Conversations().Watch(t.Context(), store.WatchOptions{Since: epoch}) {
		require.NoError(t, err)
		break
	}
}
