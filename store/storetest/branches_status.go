package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// testBranchStatus: status and activity are those of the path of the head, however it became that.
func testBranchStatus(t *testing.T, w *world) {
	ctx, in, out := t.Context(), message.DirectionInbound, message.DirectionOutbound
	is := func(c *conversation.Conversation, want conversation.Status, hours int) {
		t.Helper()
		got := w.get(t, c.ID)
		require.Equal(t, want, got.Status)
		require.WithinDuration(t, w.clock.Now().Add(-time.Duration(hours)*time.Hour), got.LastMessageAt, time.Minute)
	}
	first := int64(1)
	under := func(hours int, d message.Direction, k message.Kind) *message.Message {
		m := w.sentAt(hours, d, k)
		m.ParentSeq = &first
		return m
	}
	c := w.conversation(t)
	w.append(t, c, w.sentAt(5, in, ""))
	w.append(t, c, w.sentAt(1, out, ""))
	is(c, conversation.StatusWaiting, 1)
	w.append(t, c, under(6, out, ""))
	is(c, conversation.StatusNeedsReply, 5)
	must[*conversation.Conversation](t)(w.mine.Messages().SetHead(ctx, c.ID, 2))
	is(c, conversation.StatusWaiting, 1)
	w.append(t, c, under(0, in, message.KindNote))
	is(c, conversation.StatusNeedsReply, 5)
	must[*conversation.Conversation](t)(w.mine.Conversations().Archive(ctx, c.ID))
	must[*conversation.Conversation](t)(w.mine.Messages().SetHead(ctx, c.ID, 2))
	is(c, conversation.StatusArchived, 1)
	w.append(t, c, under(7, in, ""))
	is(c, conversation.StatusArchived, 5)
	must[*conversation.Conversation](t)(w.mine.Conversations().Reopen(ctx, c.ID))
	is(c, conversation.StatusActive, 5)
	w.append(t, c, w.sentAt(8, out, ""))
	is(c, conversation.StatusActive, 5)
	// Together they do what they do one by one.
	ms := []*message.Message{w.sentAt(2, out, ""), under(6, out, "")}
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{}))
	is(c, conversation.StatusNeedsReply, 5)
	must[*conversation.Conversation](t)(w.mine.Conversations().Archive(ctx, c.ID))
	ms = []*message.Message{w.sentAt(2, out, ""), under(6, out, "")}
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{}))
	is(c, conversation.StatusNeedsReply, 5)
}

// testDeliveryDecides: the outbox moves status and activity as any other change of a message does.
func testDeliveryDecides(t *testing.T, w *world) {
	ctx, s := t.Context(), w.mine.Deliveries()
	is := func(c *conversation.Conversation, want conversation.Status) {
		t.Helper()
		require.Equal(t, want, w.get(t, c.ID).Status)
	}
	alone := w.conversation(t)
	m := w.reply(t, alone)
	e := w.enqueue(t, m)
	is(alone, conversation.StatusWaiting)
	must[*message.OutboxEntry](t)(s.Cancel(ctx, e.ID))
	is(alone, conversation.StatusActive)
	must[[]*message.OutboxEntry](t)(s.Retry(ctx, m.ID))
	is(alone, conversation.StatusWaiting)
	must[*message.OutboxEntry](t)(s.Cancel(ctx, e.ID))
	must[*message.Message](t)(s.Delivered(ctx, m.ID))
	is(alone, conversation.StatusWaiting)

	// A message that is sent after the question was queued before it.
	asked := w.asked(t)
	e = w.enqueue(t, w.reply(t, asked))
	w.clock.add(time.Minute)
	question := w.inbound(t, asked)
	is(asked, conversation.StatusNeedsReply)
	w.clock.add(time.Minute)
	require.Len(t, w.claims(t, "a"), 1)
	at := w.tick()
	must[*message.OutboxEntry](t)(s.Done(ctx, e.ID, "a", store.DeliveryResult{SentAt: at}))
	is(asked, conversation.StatusWaiting)
	require.Equal(t, at, w.get(t, asked.ID).LastMessageAt)
	require.True(t, question.SentAt.Before(at))

	// What is not on the path of the head decides nothing.
	branched := w.asked(t)
	m = w.reply(t, branched)
	other := &message.Message{Direction: message.DirectionOutbound, Content: "b", ParentSeq: new(m.Seq - 1)}
	w.append(t, branched, other)
	must[*message.Message](t)(s.Bounce(ctx, m.ID, "no"))
	is(branched, conversation.StatusWaiting)
	must[*message.Message](t)(s.Bounce(ctx, other.ID, "no"))
	is(branched, conversation.StatusNeedsReply)
}
