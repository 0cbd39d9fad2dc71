package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func testDeliveryCancel(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m := w.reply(t, c)
	e := w.enqueue(t, m)
	at := w.tick()
	cancelled, err := s.Cancel(ctx, e.ID)
	require.NoError(t, err)
	require.Equal(t, at, *cancelled.CancelledAt)
	require.Equal(t, message.DeliveryCancelled, w.message(t, m.ID).Delivery)
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status)
	_, err = s.Cancel(ctx, e.ID)
	transition(t, err, "delivery", "cancelled", "cancelled")
	require.Empty(t, w.claims(t, "a"))
	// Another entry of it can be made, which a worker gets and the host does not take back.
	again := w.enqueue(t, m)
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	w.claims(t, "a")
	_, err = s.Cancel(ctx, again.ID)
	transition(t, err, "delivery", "claimed", "cancelled")
	w.clock.add(store.DefaultLease)
	must[*message.OutboxEntry](t)(s.Cancel(ctx, again.ID))
	// A second reply that is taken back leaves the first one.
	first := w.enqueue(t, w.reply(t, c))
	second := w.enqueue(t, w.reply(t, c))
	must[*message.OutboxEntry](t)(s.Cancel(ctx, second.ID))
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	w.claims(t, "a")
	must[*message.OutboxEntry](t)(s.Done(ctx, first.ID, "a", store.DeliveryResult{}))
	_, err = s.Cancel(ctx, first.ID)
	transition(t, err, "delivery", "done", "cancelled")
}

func testDeliveryReschedule(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	e := w.enqueue(t, w.reply(t, c))
	later, err := s.Reschedule(ctx, e.ID, epoch.Add(time.Hour+time.Nanosecond))
	require.NoError(t, err)
	require.Equal(t, epoch.Add(time.Hour), later.DueAt)
	require.Empty(t, w.claims(t, "a"))
	must[*message.OutboxEntry](t)(s.Reschedule(ctx, e.ID, epoch))
	require.Len(t, w.claims(t, "a"), 1)
	_, err = s.Reschedule(ctx, e.ID, epoch)
	transition(t, err, "delivery", "claimed", "rescheduled")
	must[*message.OutboxEntry](t)(s.Fail(ctx, e.ID, "a", store.Failure{Final: true}))
	_, err = s.Reschedule(ctx, e.ID, epoch)
	transition(t, err, "delivery", "failed", "rescheduled")
	missing[*message.OutboxEntry](t)(s.Reschedule(ctx, uuid.New(), epoch))
}

func testDeliveryRetry(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m := w.reply(t, c)
	_, err := s.Retry(ctx, m.ID)
	transition(t, err, "message", "in no outbox", "tried again")
	e := w.enqueue(t, m)
	_, err = s.Retry(ctx, m.ID)
	transition(t, err, "message", "queued", "tried again")
	w.claims(t, "a")
	must[*message.OutboxEntry](t)(s.Fail(ctx, e.ID, "a", store.Failure{Error: "no", Final: true}))
	at := w.tick()
	again, err := s.Retry(ctx, m.ID)
	require.NoError(t, err)
	require.Len(t, again, 1)
	require.Equal(t, e.ID, again[0].ID)
	require.Equal(t, at, again[0].DueAt)
	require.Zero(t, again[0].Attempts)
	require.True(t, again[0].Open())
	d, reason := w.delivery(t, m.ID)
	require.Equal(t, message.DeliveryQueued, d)
	require.Empty(t, reason)
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	got := w.claims(t, "b")
	require.Len(t, got, 1)
	require.Equal(t, m.ID.String(), got[0].Key)
	must[*message.OutboxEntry](t)(s.Fail(ctx, e.ID, "b", store.Failure{Final: true}))
	w.inbound(t, c)
	must[[]*message.OutboxEntry](t)(s.Retry(ctx, m.ID))
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status, "there is a later question")
	w.claims(t, "b")
	must[*message.OutboxEntry](t)(s.Done(ctx, e.ID, "b", store.DeliveryResult{}))
	_, err = s.Retry(ctx, m.ID)
	transition(t, err, "message", "sent", "tried again")
	missing[[]*message.OutboxEntry](t)(s.Retry(ctx, uuid.New()))
}

// testDeliveryChannels: what one channel has sent counts as sent.
func testDeliveryChannels(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m := w.reply(t, c)
	enqueue := func(channel string) *message.OutboxEntry {
		e := &message.OutboxEntry{MessageID: m.ID, Channel: channel}
		require.NoError(t, s.Enqueue(ctx, e))
		return e
	}
	is := func(d message.Delivery, status conversation.Status) {
		t.Helper()
		got, _ := w.delivery(t, m.ID)
		require.Equal(t, d, got)
		require.Equal(t, status, w.get(t, c.ID).Status)
	}
	a, b := enqueue("a"), enqueue("b")
	w.claims(t, "w")
	must[*message.OutboxEntry](t)(s.Fail(ctx, a.ID, "w", store.Failure{Error: "no", Final: true}))
	is(message.DeliveryQueued, conversation.StatusWaiting)
	must[*message.OutboxEntry](t)(s.Fail(ctx, b.ID, "w", store.Failure{Error: "no", Final: true}))
	is(message.DeliveryFailed, conversation.StatusNeedsReply)
	x := enqueue("x")
	is(message.DeliveryQueued, conversation.StatusWaiting)
	must[*message.OutboxEntry](t)(s.Cancel(ctx, x.ID))
	is(message.DeliveryFailed, conversation.StatusNeedsReply)
	again, err := s.Retry(ctx, m.ID)
	require.NoError(t, err)
	require.Len(t, again, 3)
	require.Equal(t, []string{"a", "b", "x"}, []string{again[0].Channel, again[1].Channel, again[2].Channel})
	w.claims(t, "w")
	must[*message.OutboxEntry](t)(s.Done(ctx, b.ID, "w", store.DeliveryResult{}))
	is(message.DeliverySent, conversation.StatusWaiting)
	must[*message.OutboxEntry](t)(s.Fail(ctx, a.ID, "w", store.Failure{Error: "no", Final: true}))
	is(message.DeliverySent, conversation.StatusWaiting)
	enqueue("y")
	is(message.DeliverySent, conversation.StatusWaiting)
}

func testDeliveryBounce(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m := w.reply(t, c)
	e := w.enqueue(t, m)
	w.claims(t, "a")
	must[*message.OutboxEntry](t)(s.Done(ctx, e.ID, "a", store.DeliveryResult{}))
	delivered, err := s.Delivered(ctx, m.ID)
	require.NoError(t, err)
	require.Equal(t, message.DeliveryDelivered, delivered.Delivery)
	same(t, delivered, w.message(t, m.ID))
	must[*message.Message](t)(s.Delivered(ctx, m.ID))
	require.Equal(t, delivered.Revision, w.message(t, m.ID).Revision, "nothing has changed")
	bounced, err := s.Bounce(ctx, m.ID, "no such user")
	require.NoError(t, err)
	require.Equal(t, "bounced no such user", string(bounced.Delivery)+" "+bounced.DeliveryError)
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status)
	again, err := s.Bounce(ctx, m.ID, "again")
	require.NoError(t, err)
	same(t, bounced, again)
	_, err = s.Delivered(ctx, m.ID)
	transition(t, err, "message", "bounced", "delivered")
	// It can be sent once more, and a bounce that comes before the worker has reported stays.
	second := w.enqueue(t, m)
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	w.claims(t, "a")
	must[*message.Message](t)(s.Bounce(ctx, m.ID, "once more"))
	must[*message.OutboxEntry](t)(s.Done(ctx, second.ID, "a", store.DeliveryResult{}))
	d, reason := w.delivery(t, m.ID)
	require.Equal(t, "bounced once more", string(d)+" "+reason)
	_, err = s.Bounce(ctx, w.inbound(t, c).ID, "")
	invalid(t, err, "message_id")
	_, err = s.Delivered(ctx, w.inbound(t, c).ID)
	invalid(t, err, "message_id")
	missing[*message.Message](t)(s.Bounce(ctx, uuid.New(), ""))
}

// outboxOf makes n messages in the outbox of each of two users.
func outboxOf(t *testing.T, st store.Store, n int) (entries []*message.OutboxEntry) {
	t.Helper()
	for range 2 {
		s := st.ForUser(uuid.New())
		c := newThread(t, s, 1)
		for i := range n {
			m := &message.Message{Direction: message.DirectionOutbound, Content: fmt.Sprint(i)}
			appended(t, s, c.ID, m)
			e := &message.OutboxEntry{MessageID: m.ID, Channel: "mail"}
			require.NoError(t, s.Deliveries().Enqueue(t.Context(), e))
			entries = append(entries, e)
		}
	}
	return entries
}

// claimsAtOnce: sixteen workers get every entry once.
func claimsAtOnce(t *testing.T, st store.Store) {
	entries, r := outboxOf(t, st, 40), st.AllUsers().Deliveries()
	var mu sync.Mutex
	by := map[uuid.UUID][]string{}
	var workers sync.WaitGroup
	for n := range 16 {
		workers.Go(func() {
			worker := fmt.Sprint("worker ", n)
			for {
				got, err := r.Claim(t.Context(), store.ClaimOptions{Worker: worker, Limit: 1 + n%3, Lease: time.Hour})
				assert.NoError(t, err) //nolint:testifylint // it is not the goroutine of the test
				if err != nil || len(got) == 0 {
					return
				}
				for _, c := range got {
					mu.Lock()
					by[c.Entry.ID] = append(by[c.Entry.ID], worker)
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	require.Len(t, by, len(entries))
	for id, workers := range by {
		require.Len(t, workers, 1, "the entry %s", id)
	}
}

// reportsAtOnce: of many reports on one entry one counts, and a Done beats a failure.
func reportsAtOnce(t *testing.T, st store.Store) {
	ctx, r := t.Context(), st.AllUsers().Deliveries()
	for _, e := range outboxOf(t, st, 5) {
		got, err := r.Claim(ctx, store.ClaimOptions{Worker: "a", Limit: 1, Lease: time.Hour})
		require.NoError(t, err)
		require.Len(t, got, 1)
		id := got[0].Entry.ID
		var done atomic.Int64
		var workers sync.WaitGroup
		for n := range 8 {
			workers.Go(func() {
				err := report(ctx, r, id, n)
				_, lost := errors.AsType[*store.LeaseError](err)
				assert.True(t, err == nil || lost, "%v", err)
				if err == nil && n%2 == 0 {
					done.Add(1)
				}
			})
		}
		workers.Wait()
		require.Equal(t, int64(1), done.Load(), e.ID)
		m, err := st.AllUsers().Messages().Get(ctx, got[0].Message.ID)
		require.NoError(t, err)
		require.Equal(t, message.DeliverySent, m.Delivery)
	}
}

func report(ctx context.Context, r store.Deliveries, id uuid.UUID, n int) error {
	if n%2 == 0 {
		_, err := r.Done(ctx, id, "a", store.DeliveryResult{})
		return err
	}
	_, err := r.Fail(ctx, id, "a", store.Failure{Error: "no", Final: true})
	return err
}

// enqueuesAtOnce: a message is in the outbox once on a channel.
func enqueuesAtOnce(t *testing.T, st store.Store) {
	s := st.ForUser(uuid.New())
	m := &message.Message{Direction: message.DirectionOutbound, Content: "out"}
	appended(t, s, newThread(t, s, 1).ID, m)
	var stored atomic.Int64
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			err := s.Deliveries().Enqueue(t.Context(), &message.OutboxEntry{MessageID: m.ID, Channel: "mail"})
			if err == nil {
				stored.Add(1)
				return
			}
			assert.ErrorIs(t, err, store.ErrConflict)
		})
	}
	callers.Wait()
	require.Equal(t, int64(1), stored.Load())
}
