package genkit_test

import (
	"context"
	"testing"
	"time"

	"github.com/firebase/genkit/go/ai/exp"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/adapters/genkit"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/store"
)

// receive waits for what a channel has next: a status, or false once it is closed.
func receive(t *testing.T, ch <-chan exp.SnapshotStatus) (exp.SnapshotStatus, bool) {
	t.Helper()
	select {
	case status, ok := <-ch:
		return status, ok
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		return "", false
	}
}

func requireStatus(t *testing.T, ch <-chan exp.SnapshotStatus, want exp.SnapshotStatus) {
	t.Helper()
	got, ok := receive(t, ch)
	require.True(t, ok, "closed instead of %q", want)
	require.Equal(t, want, got)
}

func requireClosed(t *testing.T, ch <-chan exp.SnapshotStatus) {
	t.Helper()
	got, ok := receive(t, ch)
	require.False(t, ok, "%q instead of closed", got)
}

func testAbort(t *testing.T, s sessionStore) {
	t.Helper()
	save(t, s, "a", pending(1, ""))
	require.Equal(t, exp.SnapshotStatusAborted, abort(t, s, "a"))
	require.Equal(t, exp.SnapshotStatusAborted, get(t, s, "a").Status)
	save(t, s, "b", at(2, ""))
	require.Equal(t, exp.SnapshotStatusCompleted, abort(t, s, "b"))
	require.Equal(t, exp.SnapshotStatusCompleted, get(t, s, "b").Status)
	require.Empty(t, abort(t, s, "nothing"))
}

func testSubscribe(t *testing.T, s sessionStore) {
	t.Helper()
	requireClosed(t, s.OnSnapshotStatusChange(t.Context(), "nothing"))
	save(t, s, "a", pending(1, ""))
	save(t, s, "b", pending(2, ""))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	one, other := s.OnSnapshotStatusChange(ctx, "a"), s.OnSnapshotStatusChange(t.Context(), "a")
	requireStatus(t, one, exp.SnapshotStatusPending)
	beat(t, s, "a", epoch)
	abort(t, s, "b")
	abort(t, s, "a")
	requireStatus(t, one, exp.SnapshotStatusAborted)
	cancel()
	requireClosed(t, one)
	save(t, s, "a", pending(1, ""))
	save(t, s, "a", at(1, ""))
	for status := exp.SnapshotStatusPending; status != exp.SnapshotStatusCompleted; {
		var ok bool
		status, ok = receive(t, other) // a reader who is slow may miss those in between
		require.True(t, ok)
	}
}

// TestTwoStores has a status change through one store that another one, as of another process, is
// subscribed to.
func TestTwoStores(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		writing, reading := open(t, d), open(t, d)
		w, r := sessionsOf(writing), sessionsOf(reading)
		save(t, w, "a", pending(1, ""))
		ch := r.OnSnapshotStatusChange(t.Context(), "a")
		requireStatus(t, ch, exp.SnapshotStatusPending)
		save(t, w, "b", at(2, "a"))
		beat(t, w, "a", epoch)
		abort(t, w, "a")
		requireStatus(t, ch, exp.SnapshotStatusAborted)

		mine := writing.ForUser(owner)
		c, err := mine.Conversations().GetByExternalKey(t.Context(), genkit.ExternalKey("travel", "s"))
		require.NoError(t, err)
		thread, err := mine.Conversations().Thread(t.Context(), c.ID)
		require.NoError(t, err)
		_, err = mine.Messages().Update(t.Context(), thread.Messages[0].ID, store.MessageUpdate{Metadata: new(nothing)})
		require.NoError(t, err)
		save(t, w, "a", pending(1, ""))
		requireStatus(t, ch, exp.SnapshotStatusPending)
		_, err = mine.Conversations().Erase(t.Context(), c.ID)
		require.NoError(t, err)
		requireClosed(t, ch)
	})
}
