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

func maintenanceTests() subtests {
	return subtests{
		"MaintenanceCounts":             testMaintenanceCounts,
		"MaintenanceArchiveInactive":    testMaintenanceArchiveInactive,
		"MaintenancePurge":              testMaintenancePurge,
		"MaintenancePurgeConversations": testMaintenancePurgeConversations,
		"MaintenancePurgeOthers":        testMaintenancePurgeOthers,
		"MaintenancePurgeMany":          testMaintenancePurgeMany,
		"MaintenanceEraseLead":          testMaintenanceEraseLead,
		"MaintenanceEraseUser":          testMaintenanceEraseUser,
		"MaintenanceOrphans":            testMaintenanceOrphans,
	}
}

// household fills a user's scope: a conversation with three messages, two vectors and all else on
// the first of them, two suggestions, one of which was sent as a fourth message.
func (w *world) household(t testing.TB, user uuid.UUID, lead string) *conversation.Conversation {
	t.Helper()
	ctx, s := t.Context(), w.st.ForUser(user)
	c := &conversation.Conversation{LeadID: lead, Messages: []*message.Message{text("1"), text("2"), text("3")}}
	require.NoError(t, s.Conversations().Create(ctx, c))
	w.embed(t, c.Messages[0], "a")
	w.embed(t, c.Messages[0], "b")
	for _, m := range c.Messages[:2] {
		require.NoError(t, s.Suggestions().Create(ctx, &suggestion.Suggestion{
			ConversationID: c.ID, InReplyToMessageID: &m.ID, SuggestedContent: "x", Status: suggestion.StatusApproved, ReviewedAt: new(epoch),
		}))
	}
	page, err := s.Suggestions().ListByConversation(ctx, c.ID, store.PageRequest{})
	require.NoError(t, err)
	must[bool](t)(s.Suggestions().Send(ctx, page.Items[0].ID, &message.Message{}, store.SendOptions{}))
	furnish(t, w.st.DB(ctx), c.Messages[0])
	return c
}

// householdCounts is what household wrote.
var householdCounts = store.Counts{Conversations: 1, Messages: 4, Embeddings: 2, Suggestions: 2}.Add(furnished)

func testMaintenanceCounts(t *testing.T, w *world) {
	ctx := t.Context()
	count := func(s store.Scope) store.Counts {
		n, err := s.Maintenance().Counts(ctx)
		require.NoError(t, err)
		return n
	}
	require.Zero(t, count(w.mine))
	c := w.household(t, w.user, "")
	w.household(t, uuid.New(), "")
	w.deleteMessage(t, c.Messages[1])
	require.Equal(t, householdCounts, count(w.mine))
	w.delete(t, c)
	require.Equal(t, householdCounts, count(w.mine), "deleted ones included")
	require.Equal(t, householdCounts.Add(householdCounts), count(w.st.AllUsers()))
	require.Zero(t, count(w.other()))
	require.EqualValues(t, 9+8, householdCounts.Total())
}

func testMaintenanceArchiveInactive(t *testing.T, w *world) {
	ctx := t.Context()
	w.clock.add(time.Hour) // a time in the future counts as now
	var cs []*conversation.Conversation
	for i, status := range conversation.Statuses() {
		for hour := range 2 {
			cs = append(cs, w.create(t, &conversation.Conversation{
				Status: status, LastMessageAt: epoch.Add(time.Duration(hour) * time.Hour), CreatedAt: epoch.Add(time.Duration(i) * time.Second),
			}))
		}
	}
	gone := w.create(t, &conversation.Conversation{LastMessageAt: epoch})
	w.delete(t, gone)
	theirs := &conversation.Conversation{LastMessageAt: epoch}
	other := w.other()
	require.NoError(t, other.Conversations().Create(ctx, theirs))
	at := epoch.Add(time.Hour).In(time.FixedZone("east", 7200))

	now := w.tick()
	n, err := w.mine.Maintenance().ArchiveInactive(ctx, at)
	require.NoError(t, err)
	require.EqualValues(t, 3, n, "those that were not archived before")
	for i, c := range cs {
		want := *c
		if i%2 == 0 && c.Status != conversation.StatusArchived {
			want.Status, want.UpdatedAt = conversation.StatusArchived, now
		}
		same(t, want, w.get(t, c.ID))
	}
	still, err := other.Conversations().Get(ctx, theirs.ID)
	require.NoError(t, err)
	same(t, theirs, still)
	n, err = w.st.AllUsers().Maintenance().ArchiveInactive(ctx, at)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "the other user's")
	back, err := w.mine.Conversations().Restore(ctx, gone.ID)
	require.NoError(t, err)
	require.Equal(t, conversation.StatusActive, back.Status)
}

func (w *world) purge(t testing.TB, s store.Scope, at time.Time) store.Counts {
	t.Helper()
	before := w.counts(t)
	n, err := s.Maintenance().Purge(t.Context(), at)
	require.NoError(t, err)
	require.Equal(t, before, n.Add(w.counts(t)), "what is counted is what went")
	return n
}

func testMaintenancePurge(t *testing.T, w *world) {
	c := w.household(t, w.user, "")
	lone := w.suggest(t, c, nil)
	sent, err := w.mine.Messages().Last(t.Context(), c.ID, 1)
	require.NoError(t, err)
	require.Zero(t, w.purge(t, w.mine, epoch.Add(1000*time.Hour)), "nothing is deleted")

	at := w.tick()
	w.deleteMessage(t, c.Messages[0]) // two vectors, and a suggestion that answers it
	require.Zero(t, w.purge(t, w.mine, at), "deleted at t is not before t")
	require.Equal(t, store.Counts{Messages: 1, Embeddings: 2, Suggestions: 1}.Add(furnishedMessage), w.purge(t, w.mine, at.Add(time.Microsecond)))
	require.Zero(t, w.purge(t, w.mine, at.Add(time.Hour)))

	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(t.Context(), lone.ID))
	require.Equal(t, store.Counts{Suggestions: 1}, w.purge(t, w.mine, at.Add(time.Hour)))

	other := w.decided(t, c, "")
	became := &message.Message{}
	must[bool](t)(w.mine.Suggestions().Send(t.Context(), other.ID, became, store.SendOptions{}))
	w.deleteMessage(t, became)
	require.Equal(t, store.Counts{Messages: 1, Suggestions: 1}, w.purge(t, w.mine, at.Add(time.Hour)), "a suggestion goes with what it became")
	require.Equal(t, []string{"2", "3", sent[0].Content}, w.messages(t, c), "the rest stays")
	require.EqualValues(t, 6, w.append(t, c, text("next")).Seq, "seqs are not given again")
}

func testMaintenancePurgeConversations(t *testing.T, w *world) {
	old, young, live := w.household(t, w.user, ""), w.household(t, w.user, ""), w.household(t, w.user, "")
	w.deleteMessage(t, old.Messages[2])
	w.delete(t, old)
	at := w.tick()
	w.delete(t, young)
	require.Equal(t, householdCounts, w.purge(t, w.mine, at))
	missing[*conversation.Conversation](t)(w.mine.Conversations().Restore(t.Context(), old.ID))
	must[*conversation.Conversation](t)(w.mine.Conversations().Restore(t.Context(), young.ID))
	require.Len(t, w.messages(t, live), 4)
	require.Equal(t, householdCounts.Add(householdCounts), w.counts(t))
}

func testMaintenancePurgeOthers(t *testing.T, w *world) {
	ctx := t.Context()
	w.delete(t, w.household(t, w.user, ""))
	for range 2 {
		user := uuid.New()
		theirs := w.household(t, user, "")
		must[*conversation.Conversation](t)(w.st.ForUser(user).Conversations().Delete(ctx, theirs.ID))
	}
	far := epoch.Add(time.Hour)
	require.Zero(t, w.purge(t, w.other(), far))
	require.Equal(t, householdCounts, w.purge(t, w.mine, far))
	require.Equal(t, householdCounts.Add(householdCounts), w.purge(t, w.st.AllUsers(), far))
	require.Zero(t, w.counts(t))
}

// testMaintenancePurgeMany purges more rows than a batch is likely to take.
func testMaintenancePurgeMany(t *testing.T, w *world) {
	const many = 2500
	ms := make([]*message.Message, many)
	for i := range ms {
		ms[i] = text("x")
	}
	c := w.create(t, &conversation.Conversation{Messages: ms})
	w.delete(t, c)
	kept := w.thread(t, 1)
	require.Equal(t, store.Counts{Conversations: 1, Messages: many}, w.purge(t, w.mine, epoch.Add(time.Hour)))
	require.Equal(t, []string{"1"}, w.messages(t, kept))
}

func testMaintenanceEraseLead(t *testing.T, w *world) {
	ctx := t.Context()
	erase := func(s store.Scope, lead string) store.Counts {
		n, err := s.Maintenance().EraseLead(ctx, lead)
		require.NoError(t, err)
		return n
	}
	other := uuid.New()
	w.household(t, w.user, "1")
	w.delete(t, w.household(t, w.user, "1"))
	kept := w.household(t, w.user, "12")
	bare := w.household(t, w.user, "")
	w.household(t, other, "1")
	require.Zero(t, erase(w.mine, "%"))
	require.Equal(t, householdCounts.Add(householdCounts), erase(w.mine, "1"))
	require.Zero(t, erase(w.mine, "1"))
	require.Len(t, w.messages(t, kept), 4)
	require.Len(t, w.messages(t, bare), 4)
	w.household(t, w.user, "1")
	require.Equal(t, householdCounts.Add(householdCounts), erase(w.st.AllUsers(), "1"), "both users'")
	require.Equal(t, householdCounts.Add(householdCounts), w.counts(t))
	w.unchanged(t, func() {
		_, err := w.mine.Maintenance().EraseLead(ctx, "")
		require.ErrorIs(t, err, store.ErrInvalid, "no lead is not a lead")
	})
}

func testMaintenanceEraseUser(t *testing.T, w *world) {
	ctx := t.Context()
	w.household(t, w.user, "1")
	w.delete(t, w.household(t, w.user, ""))
	other := uuid.New()
	w.household(t, other, "1")
	w.unchanged(t, func() {
		_, err := w.st.AllUsers().Maintenance().EraseUser(ctx)
		require.ErrorIs(t, err, store.ErrInvalid)
	})
	n, err := w.mine.Maintenance().EraseUser(ctx)
	require.NoError(t, err)
	require.Equal(t, householdCounts.Add(householdCounts), n)
	require.Equal(t, householdCounts, w.counts(t), "the other user's")
	n, err = w.mine.Maintenance().EraseUser(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
}

func testMaintenanceOrphans(t *testing.T, w *world) {
	ctx := t.Context()
	w.household(t, w.user, "")
	c := w.household(t, w.user, "")
	must[store.Counts](t)(w.mine.Conversations().Erase(ctx, c.ID))
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		w.unchanged(t, func() {
			n, err := s.Maintenance().Orphans(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
			n, err = s.Maintenance().RemoveOrphans(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}
}
