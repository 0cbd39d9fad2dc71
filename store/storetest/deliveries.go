package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func deliveryTests() subtests {
	return subtests{
		"DeliveryEnqueue":        testDeliveryEnqueue,
		"DeliveryEnqueueRefused": testDeliveryEnqueueRefused,
		"DeliveryHidden":         testDeliveryHidden,
		"DeliveryList":           testDeliveryList,
		"DeliveryClaim":          testDeliveryClaim,
		"DeliveryClaimRefused":   testDeliveryClaimRefused,
		"DeliveryLease":          testDeliveryLease,
		"DeliveryDone":           testDeliveryDone,
		"DeliveryDoneIDs":        testDeliveryDoneIDs,
		"DeliveryDoneLate":       testDeliveryDoneLate,
		"DeliveryFail":           testDeliveryFail,
		"DeliveryFailAnswered":   testDeliveryFailAnswered,
		"DeliveryCancel":         testDeliveryCancel,
		"DeliveryDecides":        testDeliveryDecides,
		"DeliveryReschedule":     testDeliveryReschedule,
		"DeliveryRetry":          testDeliveryRetry,
		"DeliveryChannels":       testDeliveryChannels,
		"DeliveryBounce":         testDeliveryBounce,
		"DeliveryReportRefused":  testDeliveryReportRefused,
		"DeliveryHealth":         testDeliveryHealth,
	}
}

// asked makes a conversation with a question in it.
func (w *world) asked(t testing.TB) *conversation.Conversation {
	t.Helper()
	c := w.conversation(t)
	w.inbound(t, c)
	return c
}

func (w *world) reply(t testing.TB, c *conversation.Conversation) *message.Message {
	t.Helper()
	return w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Content: "out"})
}

func (w *world) enqueue(t testing.TB, m *message.Message) *message.OutboxEntry {
	t.Helper()
	e := &message.OutboxEntry{MessageID: m.ID, Channel: "mail"}
	require.NoError(t, w.mine.Deliveries().Enqueue(t.Context(), e))
	return e
}

// claims claims everything that is due.
func (w *world) claims(t testing.TB, worker string) []*store.Claimed {
	t.Helper()
	got, err := w.mine.Deliveries().Claim(t.Context(), store.ClaimOptions{Worker: worker})
	require.NoError(t, err)
	return got
}

func (w *world) delivery(t testing.TB, id uuid.UUID) (message.Delivery, string) {
	t.Helper()
	m := w.message(t, id)
	return m.Delivery, m.DeliveryError
}

func transition(t testing.TB, err error, of, from, to string) {
	t.Helper()
	require.Equal(t, &store.TransitionError{Of: of, From: from, To: to}, err)
}

func leaseLost(t testing.TB, err error) *store.LeaseError {
	t.Helper()
	require.ErrorIs(t, err, store.ErrConflict)
	lost, ok := errors.AsType[*store.LeaseError](err)
	require.True(t, ok, "%v", err)
	return lost
}

func testDeliveryEnqueue(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m := w.reply(t, c)
	require.Empty(t, m.Delivery)
	at := w.tick()
	e := w.enqueue(t, m)
	require.Equal(t, &message.OutboxEntry{
		ID: e.ID, UserID: w.user, MessageID: m.ID, Channel: "mail", DueAt: at, CreatedAt: at, UpdatedAt: at,
	}, e)
	require.NotEqual(t, uuid.Nil, e.ID)
	got, err := s.Get(ctx, e.ID)
	require.NoError(t, err)
	same(t, e, got)
	queued := w.message(t, m.ID)
	require.Equal(t, message.DeliveryQueued, queued.Delivery)
	require.Equal(t, int64(1), queued.Revision)
	require.Equal(t, int64(1), queued.ChangeSeq)
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	later := &message.OutboxEntry{ID: uuid.New(), MessageID: w.reply(t, c).ID, Channel: "mail", DueAt: at.Add(time.Hour)}
	require.NoError(t, w.st.AllUsers().Deliveries().Enqueue(ctx, later))
	require.Equal(t, w.user, later.UserID)
	require.Len(t, w.claims(t, "a"), 1, "the other one is due later")
}

func testDeliveryEnqueueRefused(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m, in := w.reply(t, c), w.inbound(t, c)
	note := w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Kind: message.KindNote, Content: "note"})
	half := w.append(t, c, &message.Message{Direction: message.DirectionOutbound, State: message.StateInterrupted, Content: "half"})
	invalid(t, s.Enqueue(ctx, nil), "entry")
	for _, tt := range []struct {
		field string
		entry message.OutboxEntry
	}{
		{"channel", message.OutboxEntry{MessageID: m.ID}},
		{"channel", message.OutboxEntry{MessageID: m.ID, Channel: strings.Repeat("a", 1025)}},
		{"channel", message.OutboxEntry{MessageID: m.ID, Channel: "\xff"}},
		{"message_id", message.OutboxEntry{MessageID: in.ID, Channel: "mail"}},
		{"message_id", message.OutboxEntry{MessageID: note.ID, Channel: "mail"}},
		{"message_id", message.OutboxEntry{MessageID: half.ID, Channel: "mail"}},
		{"user_id", message.OutboxEntry{MessageID: m.ID, Channel: "mail", UserID: uuid.New()}},
		{"entry", message.OutboxEntry{MessageID: m.ID, Channel: "mail", Attempts: 1}},
		{"entry", message.OutboxEntry{MessageID: m.ID, Channel: "mail", LastError: "a"}},
		{"entry", message.OutboxEntry{MessageID: m.ID, Channel: "mail", DoneAt: &epoch}},
		{"entry", message.OutboxEntry{MessageID: m.ID, Channel: "mail", ClaimedBy: "a", ClaimedUntil: &epoch}},
	} {
		invalid(t, s.Enqueue(ctx, &tt.entry), tt.field)
	}
	require.ErrorIs(t, s.Enqueue(ctx, &message.OutboxEntry{Channel: "mail"}), store.ErrNotFound)
	require.Zero(t, w.counts(t).Deliveries)
	e := w.enqueue(t, m)
	require.ErrorIs(t, s.Enqueue(ctx, &message.OutboxEntry{MessageID: m.ID, Channel: "mail"}), store.ErrConflict)
	taken := &message.OutboxEntry{ID: e.ID, MessageID: w.reply(t, c).ID, Channel: "mail"}
	require.ErrorIs(t, s.Enqueue(ctx, taken), store.ErrConflict)
	require.Empty(t, taken.UserID, "nothing is filled in beside an error")
	w.claims(t, "a")
	must[*message.OutboxEntry](t)(s.Done(ctx, e.ID, "a", store.DeliveryResult{}))
	transition(t, s.Enqueue(ctx, &message.OutboxEntry{MessageID: m.ID, Channel: "mail"}), "message", "sent", "queued")
	require.Equal(t, int64(1), w.counts(t).Deliveries)
}

// testDeliveryHidden: what is hidden is not sent, and is there again when it comes back.
func testDeliveryHidden(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m := w.reply(t, c)
	e := w.enqueue(t, m)
	hidden := func(s store.Deliveries) {
		t.Helper()
		missing[*message.OutboxEntry](t)(s.Get(ctx, e.ID))
		missing[*message.OutboxEntry](t)(s.Cancel(ctx, e.ID))
		missing[*message.OutboxEntry](t)(s.Reschedule(ctx, e.ID, epoch))
		missing[[]*message.OutboxEntry](t)(s.Retry(ctx, m.ID))
		missing[*message.Message](t)(s.Bounce(ctx, m.ID, ""))
		missing[*message.Message](t)(s.Delivered(ctx, m.ID))
		require.ErrorIs(t, s.Enqueue(ctx, &message.OutboxEntry{MessageID: m.ID, Channel: "other"}), store.ErrNotFound)
		listed, err := s.List(ctx, store.DeliveryFilter{}, page)
		require.NoError(t, err)
		require.Empty(t, listed.Items)
		got, err := s.Claim(ctx, store.ClaimOptions{Worker: "a"})
		require.NoError(t, err)
		require.Equal(t, []*store.Claimed{}, got)
	}
	hidden(w.other().Deliveries())
	w.deleteMessage(t, m)
	hidden(s)
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, m.ID))
	w.delete(t, c)
	hidden(s)
	w.restoreConversation(t, c.ID)
	require.Len(t, w.claims(t, "a"), 1)
	// Who has it may report on it all the same.
	w.deleteMessage(t, m)
	w.delete(t, c)
	must[*message.OutboxEntry](t)(s.Renew(ctx, e.ID, "a", 0))
	must[*message.OutboxEntry](t)(s.Done(ctx, e.ID, "a", store.DeliveryResult{GmailMessageID: "g"}))
	w.restoreConversation(t, c.ID)
	must[*message.Message](t)(w.mine.Messages().Restore(ctx, m.ID))
	require.Equal(t, message.DeliverySent, w.message(t, m.ID).Delivery)
	require.Equal(t, "g", w.message(t, m.ID).GmailMessageID)
}

func testDeliveryList(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	var all []*message.OutboxEntry
	for range 4 {
		w.tick()
		all = append(all, w.enqueue(t, w.reply(t, c)))
	}
	w.claims(t, "a")
	must[*message.OutboxEntry](t)(s.Done(ctx, all[1].ID, "a", store.DeliveryResult{}))
	must[*message.OutboxEntry](t)(s.Fail(ctx, all[2].ID, "a", store.Failure{Final: true}))
	must[*message.OutboxEntry](t)(s.Fail(ctx, all[3].ID, "a", store.Failure{RetryAfter: time.Hour}))
	must[*message.OutboxEntry](t)(s.Cancel(ctx, all[3].ID))
	list := func(f store.DeliveryFilter) (found []int) {
		t.Helper()
		p := store.PageRequest{Limit: 3}
		for {
			listed, err := s.List(ctx, f, p)
			require.NoError(t, err)
			for _, e := range listed.Items {
				for i := range all {
					if all[i].ID == e.ID {
						found = append(found, i)
					}
				}
			}
			if p.After = listed.Next; p.After == "" {
				return found
			}
		}
	}
	require.Equal(t, []int{3, 2, 1, 0}, list(store.DeliveryFilter{}))
	require.Equal(t, []int{0}, list(store.DeliveryFilter{State: store.DeliveryOpen}))
	require.Equal(t, []int{1}, list(store.DeliveryFilter{State: store.DeliveryDone}))
	require.Equal(t, []int{2}, list(store.DeliveryFilter{State: store.DeliveryFailed}))
	require.Equal(t, []int{3}, list(store.DeliveryFilter{State: store.DeliveryCancelled}))
	require.Equal(t, []int{1}, list(store.DeliveryFilter{MessageID: all[1].MessageID}))
	require.Equal(t, []int{1, 0}, list(store.DeliveryFilter{DueBefore: all[2].DueAt}))
	require.Equal(t, []int{3, 2, 1, 0}, list(store.DeliveryFilter{Channel: "mail"}))
	require.Empty(t, list(store.DeliveryFilter{Channel: "other"}))
	_, err := s.List(ctx, store.DeliveryFilter{State: "sent"}, page)
	invalid(t, err, "state")
	_, err = s.List(ctx, store.DeliveryFilter{Channel: "a\x00"}, page)
	invalid(t, err, "channel")
	_, err = s.List(ctx, store.DeliveryFilter{DueBefore: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}, page)
	invalid(t, err, "due_before")
	_, err = s.List(ctx, store.DeliveryFilter{}, store.PageRequest{Limit: -1})
	invalid(t, err, "limit")
}

func testDeliveryTail(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	e := w.enqueue(t, w.reply(t, c))
	w.claims(t, "a")
	must[*message.OutboxEntry](t)(s.Done(ctx, e.ID, "a", store.DeliveryResult{}))
	must[*message.Message](t)(s.Bounce(ctx, e.MessageID, "gone"))
	changes, err := collect(w.mine.Messages().Tail(ctx, c.ID, store.Position{Seq: 2, Change: 1}, store.TailOptions{Once: true}))
	require.NoError(t, err)
	require.Len(t, changes, 1)
	require.Equal(t, message.DeliveryBounced, changes[0].Message.Delivery)
	require.Equal(t, int64(3), changes[0].Message.ChangeSeq)
	require.Equal(t, int64(3), w.get(t, c.ID).LastChangeSeq)
}

func testDeliveryHealth(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	found, err := w.st.Health().Deliveries(ctx)
	require.NoError(t, err)
	require.Equal(t, store.DeliveryHealth{}, found)
	first := w.tick()
	for range 3 {
		w.enqueue(t, w.reply(t, c))
	}
	hidden := w.reply(t, c)
	w.enqueue(t, hidden)
	w.deleteMessage(t, hidden)
	w.tick()
	require.NoError(t, s.Enqueue(ctx, &message.OutboxEntry{MessageID: w.reply(t, c).ID, Channel: "mail", DueAt: first.Add(24 * time.Hour)}))
	got, err := s.Claim(ctx, store.ClaimOptions{Worker: "a", Limit: 2})
	require.NoError(t, err)
	require.Len(t, got, 2)
	must[*message.OutboxEntry](t)(s.Fail(ctx, got[1].Entry.ID, "a", store.Failure{Error: "no", Final: true}))
	found, err = w.st.Health().Deliveries(ctx)
	require.NoError(t, err)
	require.Equal(t, store.DeliveryHealth{Open: 3, Overdue: 1, OldestDue: &first, Claimed: 1, Failed: 1}, found)
	must[*message.OutboxEntry](t)(s.Fail(ctx, got[0].Entry.ID, "a", store.Failure{Error: "later", RetryAfter: time.Hour}))
	must[[]*message.OutboxEntry](t)(s.Retry(ctx, got[1].Message.ID))
	found, err = w.st.Health().Deliveries(ctx)
	require.NoError(t, err)
	require.Equal(t, store.DeliveryHealth{Open: 4, Overdue: 2, OldestDue: &first, Retrying: 2}, found)
}
