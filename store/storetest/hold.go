package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func holdTests() subtests {
	return subtests{
		"HoldAndRelease":        testHoldAndRelease,
		"HoldOfDeleted":         testHoldOfDeleted,
		"HoldNeedsARow":         testHoldNeedsARow,
		"HoldIsStored":          testHoldIsStored,
		"HoldStopsAge":          testHoldStopsAge,
		"HoldCoversItsParts":    testHoldCoversItsParts,
		"HoldDoesNotStopErase":  testHoldDoesNotStopErase,
		"HoldDoesNotStopDelete": testHoldDoesNotStopDelete,
	}
}

func (w *world) hold(t testing.TB, c *conversation.Conversation) *conversation.Conversation {
	t.Helper()
	held, err := w.mine.Conversations().Hold(t.Context(), c.ID)
	require.NoError(t, err)
	return held
}

func (w *world) release(t testing.TB, c *conversation.Conversation) *conversation.Conversation {
	t.Helper()
	free, err := w.mine.Conversations().Release(t.Context(), c.ID)
	require.NoError(t, err)
	return free
}

func testHoldAndRelease(t *testing.T, w *world) {
	c := w.thread(t, 1)
	want := w.get(t, c.ID)
	w.tick()
	same(t, want, w.release(t, c)) // one that is not held stays as it is

	now := w.tick()
	want.HeldAt, want.UpdatedAt = &now, now
	same(t, want, w.hold(t, c))
	same(t, want, w.get(t, c.ID))
	isUTC(t, *w.get(t, c.ID).HeldAt)
	w.tick()
	same(t, want, w.hold(t, c)) // one that is held stays as it is

	now = w.tick()
	want.HeldAt, want.UpdatedAt = nil, now
	same(t, want, w.release(t, c))
	same(t, want, w.get(t, c.ID))

	held, err := w.st.AllUsers().Conversations().Hold(t.Context(), c.ID)
	require.NoError(t, err)
	require.True(t, held.Held())
	free, err := w.st.AllUsers().Conversations().Release(t.Context(), c.ID)
	require.NoError(t, err)
	require.False(t, free.Held())
}

func testHoldOfDeleted(t *testing.T, w *world) {
	c := w.conversation(t)
	w.delete(t, c)
	now := w.tick()
	held := w.hold(t, c)
	require.True(t, held.Deleted())
	require.True(t, held.HeldAt.Equal(now))
	w.tick()
	same(t, held, w.hold(t, c))
	back, err := w.mine.Conversations().Restore(t.Context(), c.ID)
	require.NoError(t, err)
	require.True(t, back.HeldAt.Equal(now), "the hold outlives a restore")
	w.delete(t, c)
	require.False(t, w.release(t, c).Held())
	require.False(t, w.release(t, c).Held())
}

func testHoldNeedsARow(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.conversation(t)
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		missing[*conversation.Conversation](t)(s.Conversations().Hold(ctx, uuid.New()))
		missing[*conversation.Conversation](t)(s.Conversations().Release(ctx, uuid.New()))
	}
	missing[*conversation.Conversation](t)(w.other().Conversations().Hold(ctx, c.ID))
	require.False(t, w.get(t, c.ID).Held())
	w.hold(t, c)
	missing[*conversation.Conversation](t)(w.other().Conversations().Release(ctx, c.ID))
	require.True(t, w.get(t, c.ID).Held())
}

// testHoldIsStored calls the methods that write a whole model.
func testHoldIsStored(t *testing.T, w *world) {
	ctx := t.Context()
	at := epoch.Add(-time.Hour + 999*time.Nanosecond).In(time.FixedZone("east", 7200))
	want := epoch.Add(-time.Hour)
	created := w.create(t, &conversation.Conversation{HeldAt: &at, Messages: []*message.Message{text("1")}})
	require.True(t, created.HeldAt.Equal(want))
	require.True(t, w.get(t, created.ID).HeldAt.Equal(want), "cut to microseconds")

	made := &conversation.Conversation{ExternalKey: "key", HeldAt: &at}
	must[bool](t)(w.mine.Conversations().GetOrCreate(ctx, made))
	require.True(t, w.get(t, made.ID).HeldAt.Equal(want))

	upserted := &conversation.Conversation{ID: uuid.New(), HeldAt: &at}
	must[bool](t)(w.mine.Conversations().Upsert(ctx, upserted))
	require.True(t, w.get(t, upserted.ID).HeldAt.Equal(want))
	again := &conversation.Conversation{ID: upserted.ID, Title: "again"}
	must[bool](t)(w.mine.Conversations().Upsert(ctx, again))
	require.True(t, again.HeldAt.Equal(want), "the row comes back")
	require.True(t, w.get(t, upserted.ID).HeldAt.Equal(want), "an upsert without a hold does not end it")

	free := w.conversation(t)
	must[bool](t)(w.mine.Conversations().Upsert(ctx, &conversation.Conversation{ID: free.ID, HeldAt: &at}))
	require.False(t, w.get(t, free.ID).Held(), "an upsert of a row that is there does not hold it")

	year0 := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	invalid(t, w.mine.Conversations().Create(ctx, &conversation.Conversation{HeldAt: &year0}), "held_at")
}

// testHoldStopsAge calls everything that acts by age.
func testHoldStopsAge(t *testing.T, w *world) {
	ctx, m := t.Context(), w.mine.Maintenance()
	live, gone := w.thread(t, 1), w.household(t, w.user, "")
	w.delete(t, gone)
	w.hold(t, live)
	w.hold(t, gone)
	now := w.clock.add(1000 * time.Hour)
	w.unchanged(t, func() {
		n, err := m.ArchiveInactive(ctx, now)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Zero(t, w.purge(t, w.mine, now))
		for _, p := range []store.RetentionPolicy{{ArchiveAfter: time.Hour}, {DeleteAfter: time.Hour}, {PurgeAfter: time.Hour}} {
			require.Zero(t, w.retains(t, w.mine, p))
			require.Zero(t, w.retains(t, w.st.AllUsers(), p))
		}
	})
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, live.ID).Status)

	w.release(t, live)
	w.release(t, gone)
	require.Equal(t, store.RetentionResult{Archived: 1}, w.retains(t, w.mine, store.RetentionPolicy{ArchiveAfter: time.Hour}))
	require.Equal(t, store.RetentionResult{Deleted: 1}, w.retains(t, w.mine, store.RetentionPolicy{DeleteAfter: time.Hour}))
	require.Equal(t, store.RetentionResult{Purged: householdCounts}, w.retains(t, w.mine, store.RetentionPolicy{PurgeAfter: time.Hour}))
}

func testHoldCoversItsParts(t *testing.T, w *world) {
	c := w.household(t, w.user, "")
	s := w.suggest(t, c, nil)
	w.deleteMessage(t, c.Messages[0])
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(t.Context(), s.ID))
	w.hold(t, c)
	now := w.clock.add(1000 * time.Hour)
	policy := store.RetentionPolicy{PurgeAfter: time.Hour}
	for _, scope := range []store.Scope{w.mine, w.st.AllUsers()} {
		require.Zero(t, w.purge(t, scope, now))
		require.Zero(t, w.retains(t, scope, policy))
	}
	w.release(t, c)
	require.Equal(t, store.RetentionResult{Purged: store.Counts{Messages: 1, Embeddings: 2, Suggestions: 2}.Add(furnishedMessage)}, w.retains(t, w.mine, policy))
}

func testHoldDoesNotStopErase(t *testing.T, w *world) {
	ctx := t.Context()
	for range 3 {
		w.hold(t, w.household(t, w.user, "1"))
	}
	cs := w.listed(t, store.ConversationFilter{})
	n, err := w.mine.Conversations().Erase(ctx, cs[0].ID)
	require.NoError(t, err)
	require.Equal(t, householdCounts, n)
	n, err = w.mine.Maintenance().EraseLead(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, householdCounts.Add(householdCounts), n)
	w.hold(t, w.household(t, w.user, "1"))
	n, err = w.mine.Maintenance().EraseUser(ctx)
	require.NoError(t, err)
	require.Equal(t, householdCounts, n)
	require.Zero(t, w.counts(t))
}

func testHoldDoesNotStopDelete(t *testing.T, w *world) {
	c := w.conversation(t)
	w.hold(t, c)
	archived, err := w.mine.Conversations().Archive(t.Context(), c.ID)
	require.NoError(t, err)
	require.True(t, archived.Held())
	w.delete(t, c)
	missing[*conversation.Conversation](t)(w.mine.Conversations().Get(t.Context(), c.ID))
}
