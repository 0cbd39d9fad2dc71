package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// outbox is what an estate has in the outbox: messages that are not in it, whose entries
// are open, claimed and failed, and the cursor of a list.
type outbox struct {
	unsent                *message.Message
	open, claimed, failed *message.OutboxEntry
	next                  store.Cursor
	// sent is a suggestion whose message is open.
	sent *suggestion.Suggestion
}

// outboxWorker has what is claimed.
const outboxWorker = "the worker"

func newOutbox(t *testing.T, s store.Scope, conversationID uuid.UUID) (o outbox) {
	t.Helper()
	ctx, r := t.Context(), s.Deliveries()
	reply := func() *message.Message {
		m := &message.Message{Direction: message.DirectionOutbound, Content: "to be sent"}
		appended(t, s, conversationID, m)
		return m
	}
	claimed := func() *message.OutboxEntry {
		e := &message.OutboxEntry{MessageID: reply().ID, Channel: "mail"}
		require.NoError(t, r.Enqueue(ctx, e))
		// The furnished rows have a claim, so that this is all that is due.
		got, err := r.Claim(ctx, store.ClaimOptions{Worker: outboxWorker, Lease: 100 * 365 * 24 * time.Hour})
		require.NoError(t, err)
		require.Len(t, got, 1)
		return got[0].Entry
	}
	o.unsent, o.claimed, o.failed = reply(), claimed(), claimed()
	must[*message.OutboxEntry](t)(r.Fail(ctx, o.failed.ID, outboxWorker, store.Failure{Error: "refused", Final: true}))
	o.open = &message.OutboxEntry{MessageID: reply().ID, Channel: "mail"}
	require.NoError(t, r.Enqueue(ctx, o.open))
	o.sent = &suggestion.Suggestion{ConversationID: conversationID, SuggestedContent: "to be taken back"}
	require.NoError(t, s.Suggestions().Create(ctx, o.sent))
	must[*suggestion.Suggestion](t)(s.Suggestions().Approve(ctx, o.sent.ID, suggestion.Review{}))
	queued := store.SendOptions{Deliver: &message.OutboxEntry{Channel: "mail"}}
	must[bool](t)(s.Suggestions().Send(ctx, o.sent.ID, &message.Message{}, queued))
	o.next = nextOf[*message.OutboxEntry](t)(r.List(ctx, store.DeliveryFilter{}, store.PageRequest{Limit: 1}))
	return o
}

// deliveryCalls are the calls of Deliveries, for the tests that go over every method.
func deliveryCalls() map[string][]call {
	open := func(args ...any) func(*estate, uuid.UUID) []any {
		return func(e *estate, _ uuid.UUID) []any { return append([]any{e.outbox.open.ID}, args...) }
	}
	claimed := func(args ...any) func(*estate, uuid.UUID) []any {
		return func(e *estate, _ uuid.UUID) []any { return append([]any{e.outbox.claimed.ID, outboxWorker}, args...) }
	}
	send := store.SendFunc(func(context.Context, *store.Claimed) (store.DeliveryResult, error) {
		return store.DeliveryResult{}, nil
	})
	return map[string][]call{
		"Get": {{want: notFound, args: open()}},
		"List": {
			{want: empty, args: with(store.DeliveryFilter{}, page)},
			{want: empty, args: func(e *estate, _ uuid.UUID) []any {
				return []any{store.DeliveryFilter{MessageID: e.outbox.open.MessageID, State: store.DeliveryOpen}, page}
			}},
			{want: refused, args: func(e *estate, _ uuid.UUID) []any {
				return []any{store.DeliveryFilter{}, store.PageRequest{Limit: 1, After: e.outbox.next}}
			}},
		},
		"Enqueue": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any {
			return []any{&message.OutboxEntry{MessageID: e.outbox.unsent.ID, Channel: "mail"}}
		}}},
		"Cancel":     {{want: notFound, args: open()}},
		"Reschedule": {{want: notFound, args: open(epoch)}},
		"Retry":      {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.outbox.failed.MessageID} }}},
		"Claim":      {{want: empty, args: with(store.ClaimOptions{Worker: "another", Channels: []string{"mail"}})}},
		"Renew":      {{want: notFound, args: claimed(time.Minute)}},
		"Done": {{want: notFound, args: claimed(store.DeliveryResult{
			Refs: []message.Ref{{Provider: "mail", Ref: "ref", Exclusive: true}}, GmailMessageID: "sent", EmailMessageID: "<sent@example.com>", SentAt: epoch,
		})}},
		"Fail": {{want: notFound, args: claimed(store.Failure{Error: "refused", RetryAfter: time.Minute})}},
		// One worker, since several report in any order.
		"Run":       {{want: empty, none: true, args: with(store.RunOptions{Once: true, Every: time.Minute, Workers: 1}, send)}},
		"Bounce":    {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.outbox.unsent.ID, "no such user"} }}},
		"Delivered": {{want: notFound, args: func(e *estate, _ uuid.UUID) []any { return []any{e.outbox.unsent.ID} }}},
	}
}
