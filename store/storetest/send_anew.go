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

// stored is a message, live or deleted.
func (w *world) stored(t testing.TB, id uuid.UUID) *message.Message {
	t.Helper()
	m := &message.Message{}
	require.NoError(t, w.st.DB(t.Context()).Unscoped().First(m, "id = ?", id).Error)
	return m
}

// refusedSend is what keeps a message from arriving, by the way it happens.
func (w *world) refusedSend(t *testing.T, how string) (*conversation.Conversation, *suggestion.Suggestion, *message.Message) {
	t.Helper()
	ctx, out := t.Context(), w.mine.Deliveries()
	c := w.asked(t)
	s := w.decided(t, c, "")
	m := &message.Message{IdempotencyKey: "reply of " + s.ID.String()}
	e := &message.OutboxEntry{Channel: "mail"}
	created, err := w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{Deliver: e})
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	if how == "cancelled" {
		must[*message.OutboxEntry](t)(out.Cancel(ctx, e.ID))
	} else if how != "deleted while queued" {
		require.Len(t, w.claims(t, "a"), 1)
	}
	switch how {
	case "failed", "failed and deleted":
		must[*message.OutboxEntry](t)(out.Fail(ctx, e.ID, "a", store.Failure{Error: "no such user", Final: true}))
	case "bounced":
		must[*message.OutboxEntry](t)(out.Done(ctx, e.ID, "a", store.DeliveryResult{}))
		must[*message.Message](t)(out.Bounce(ctx, m.ID, "mailbox full"))
	case "sent and deleted":
		must[*message.OutboxEntry](t)(out.Done(ctx, e.ID, "a", store.DeliveryResult{}))
	case "deleted after a lease":
		w.clock.add(2 * store.DefaultLease)
	}
	switch how {
	case "failed and deleted", "sent and deleted", "deleted while queued", "deleted after a lease":
		w.deleteMessage(t, m)
	}
	return c, s, m
}

// testSendAnew: what has not arrived is sent anew, as a message of its own, with the same key.
func testSendAnew(t *testing.T, w *world) {
	ctx := t.Context()
	for _, how := range []string{
		"failed", "failed and deleted", "bounced", "cancelled", "deleted while queued", "deleted after a lease", "sent and deleted",
	} {
		c, s, former := w.refusedSend(t, how)
		before := w.stored(t, former.ID)
		w.tick()
		m, e := &message.Message{IdempotencyKey: former.IdempotencyKey}, &message.OutboxEntry{Channel: "mail"}
		created, err := w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{Deliver: e})
		require.NoError(t, err, how)
		require.True(t, created, how)
		require.NotEqual(t, former.ID, m.ID, how)
		require.EqualValues(t, 3, m.Seq, how)
		require.Equal(t, s.SuggestedContent, m.Content)
		require.Equal(t, former.IdempotencyKey, m.IdempotencyKey)
		require.Equal(t, m.ID, *w.suggestion(t, s.ID).SentMessageID, how)
		require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status, how)
		require.Equal(t, []*message.OutboxEntry{e}, w.entries(t, m.ID))

		was := w.stored(t, former.ID)
		require.Empty(t, was.IdempotencyKey, how)
		require.Equal(t, before.Deleted() || how == "cancelled", was.Deleted(), "%s: what was never said does not stay", how)
		// A further call finds the new one, and a former one that comes back is not sent.
		w.unchanged(t, func() {
			again := &message.Message{}
			created, err := w.mine.Suggestions().Send(ctx, s.ID, again, store.SendOptions{})
			require.NoError(t, err)
			require.False(t, created, how)
			same(t, m, again)
		})
		must[*message.Message](t)(w.mine.Messages().Restore(ctx, former.ID))
		require.NotEqual(t, message.DeliveryQueued, w.stored(t, former.ID).Delivery, how)
		claimed := w.claims(t, "a")
		require.Len(t, claimed, 1, how)
		require.Equal(t, m.ID, claimed[0].Message.ID, how)
		must[*message.OutboxEntry](t)(w.mine.Deliveries().Done(ctx, e.ID, "a", store.DeliveryResult{}))
	}
}

// testSendAnewWithoutOutbox: the host transmits itself, the provider refuses, and the host deletes
// the message or notes a bounce.
func testSendAnewWithoutOutbox(t *testing.T, w *world) {
	ctx := t.Context()
	for _, refuse := range []func(m *message.Message){
		func(m *message.Message) { w.deleteMessage(t, m) },
		func(m *message.Message) {
			must[*message.Message](t)(w.mine.Deliveries().Bounce(ctx, m.ID, "refused"))
		},
	} {
		c := w.asked(t)
		s := w.decided(t, c, "")
		m := &message.Message{PostmarkMessageID: uuid.NewString()}
		must[bool](t)(w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{}))
		refuse(m)
		again := &message.Message{}
		created, err := w.mine.Suggestions().Send(ctx, s.ID, again, store.SendOptions{})
		require.NoError(t, err)
		require.True(t, created)
		require.NotEqual(t, m.ID, again.ID)
		require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
		require.Equal(t, s.SuggestedContent, again.Content)
	}
}

func testSendAnewRefused(t *testing.T, w *world) {
	ctx := t.Context()
	// The message that did not arrive is no new one.
	for _, how := range []string{"failed", "bounced", "failed and deleted"} {
		_, s, former := w.refusedSend(t, how)
		w.unchanged(t, func() {
			_, err := w.mine.Suggestions().Send(ctx, s.ID, &message.Message{ID: former.ID}, store.SendOptions{})
			require.ErrorIs(t, err, store.ErrConflict, how)
		})
		require.Equal(t, former.ID, *w.suggestion(t, s.ID).SentMessageID)
		require.Equal(t, former.IdempotencyKey, w.stored(t, former.ID).IdempotencyKey)
	}
	// A worker has the deleted one, and may be sending it.
	s := w.decided(t, w.asked(t), "")
	m, _ := w.send(t, s)
	require.Len(t, w.claims(t, "a"), 1)
	w.deleteMessage(t, m)
	w.unchanged(t, func() {
		_, err := w.mine.Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{})
		transition(t, err, "delivery", "claimed", "cancelled")
	})
}

func testUnsend(t *testing.T, w *world) {
	ctx := t.Context()
	for _, of := range []store.Scope{w.mine, w.st.AllUsers()} {
		c := w.asked(t)
		s := w.decided(t, c, "better")
		m := &message.Message{IdempotencyKey: "key"}
		entries := []*message.OutboxEntry{{Channel: "a"}, {Channel: "b", DueAt: epoch.Add(1000 * time.Hour)}}
		must[bool](t)(w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{Deliver: entries[0]}))
		entries[1].MessageID = m.ID
		require.NoError(t, w.mine.Deliveries().Enqueue(ctx, entries[1]))
		at := w.tick()
		got, err := of.Suggestions().Unsend(ctx, s.ID)
		require.NoError(t, err)
		want := *s
		want.UpdatedAt = at
		same(t, want, got)
		same(t, got, w.suggestion(t, s.ID))
		was := w.stored(t, m.ID)
		require.True(t, was.Deleted())
		require.Equal(t, message.DeliveryCancelled, was.Delivery)
		for _, e := range w.entries(t, m.ID) {
			require.Equal(t, at, *e.CancelledAt)
		}
		require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status)
		require.Empty(t, w.claims(t, "w"))
		_, err = of.Suggestions().Unsend(ctx, s.ID)
		transition(t, err, "suggestion", "edited", "unsent")
		// It can be sent again, with the same key.
		again := &message.Message{IdempotencyKey: "key"}
		created, err := of.Suggestions().Send(ctx, s.ID, again, store.SendOptions{})
		require.NoError(t, err)
		require.True(t, created)
		require.NotEqual(t, m.ID, again.ID)
		require.Equal(t, "better", again.Content)
		require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	}
}

func testUnsendRefused(t *testing.T, w *world) {
	ctx, out := t.Context(), w.mine.Deliveries()
	refused := func(s *suggestion.Suggestion, of, from, to string) {
		t.Helper()
		w.unchanged(t, func() {
			_, err := w.mine.Suggestions().Unsend(ctx, s.ID)
			transition(t, err, of, from, to)
		})
	}
	pending, approved := w.suggest(t, w.asked(t), nil), w.decided(t, w.asked(t), "")
	refused(pending, "suggestion", "pending", "unsent")
	refused(approved, "suggestion", "approved", "unsent")
	missing[*suggestion.Suggestion](t)(w.mine.Suggestions().Unsend(ctx, uuid.New()))
	missing[*suggestion.Suggestion](t)(w.other().Suggestions().Unsend(ctx, approved.ID))
	// Nobody knows what the host did with it.
	must[bool](t)(w.mine.Suggestions().Send(ctx, approved.ID, &message.Message{}, store.SendOptions{}))
	refused(approved, "message", "in no outbox", "unsent")

	s := w.decided(t, w.asked(t), "")
	m, e := w.send(t, s)
	other := &message.OutboxEntry{MessageID: m.ID, Channel: "other", DueAt: epoch.Add(1000 * time.Hour)}
	require.NoError(t, out.Enqueue(ctx, other))
	require.Len(t, w.claims(t, "a"), 1)
	refused(s, "delivery", "claimed", "cancelled")
	must[*message.OutboxEntry](t)(out.Done(ctx, e.ID, "a", store.DeliveryResult{}))
	refused(s, "delivery", "done", "unsent")

	for _, how := range []string{"failed", "cancelled"} {
		_, s, _ := w.refusedSend(t, how)
		refused(s, "delivery", how, "unsent")
	}
	// Of a message that was deleted the entry is taken out, and so it is after a lease.
	for _, how := range []string{"deleted while queued", "deleted after a lease"} {
		_, s, m := w.refusedSend(t, how)
		must[*suggestion.Suggestion](t)(w.mine.Suggestions().Unsend(ctx, s.ID))
		require.Nil(t, w.suggestion(t, s.ID).SentMessageID)
		require.Equal(t, message.DeliveryCancelled, w.stored(t, m.ID).Delivery)
		require.NotNil(t, w.entries(t, m.ID)[0].CancelledAt)
	}
	gone := w.decided(t, w.asked(t), "")
	w.send(t, gone)
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, gone.ID))
	missing[*suggestion.Suggestion](t)(w.mine.Suggestions().Unsend(ctx, gone.ID))
}
