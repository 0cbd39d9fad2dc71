package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func testDeliveryClaim(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	var all []*message.OutboxEntry
	for i := range 4 {
		e := &message.OutboxEntry{MessageID: w.reply(t, c).ID, Channel: fmt.Sprint("channel", i%2), DueAt: epoch.Add(-time.Duration(i) * time.Second)}
		require.NoError(t, s.Enqueue(ctx, e))
		all = append(all, e)
	}
	at := w.tick()
	got, err := s.Claim(ctx, store.ClaimOptions{Worker: "a", Limit: 1, Channels: []string{"channel0", "none", "channel0"}, Lease: time.Second})
	require.NoError(t, err)
	require.Len(t, got, 1)
	want := *all[2]
	want.ClaimedBy, want.ClaimedUntil, want.Attempts, want.UpdatedAt = "a", new(at.Add(time.Second)), 1, at
	same(t, &want, got[0].Entry)
	same(t, w.message(t, all[2].MessageID), got[0].Message)
	require.Equal(t, all[2].MessageID.String(), got[0].Key)
	got, err = w.st.AllUsers().Deliveries().Claim(ctx, store.ClaimOptions{Worker: "b"})
	require.NoError(t, err)
	require.Len(t, got, 3)
	for i, n := range []int{3, 1, 0} {
		require.Equal(t, all[n].ID, got[i].Entry.ID, "the one that is due longest comes first")
		require.Equal(t, at.Add(store.DefaultLease), *got[i].Entry.ClaimedUntil)
	}
	require.Empty(t, w.claims(t, "a"))
	w.clock.add(time.Second)
	again := w.claims(t, "c")
	require.Len(t, again, 1, "the lease has ended")
	require.Equal(t, int64(2), again[0].Entry.Attempts)
	require.Equal(t, all[2].MessageID.String(), again[0].Key)
}

func testDeliveryClaimRefused(t *testing.T, w *world) {
	for _, tt := range []struct {
		field string
		o     store.ClaimOptions
	}{
		{"worker", store.ClaimOptions{}},
		{"worker", store.ClaimOptions{Worker: strings.Repeat("a", 1025)}},
		{"worker", store.ClaimOptions{Worker: "a\x00"}},
		{"channels", store.ClaimOptions{Worker: "a", Channels: []string{""}}},
		{"channels", store.ClaimOptions{Worker: "a", Channels: make([]string, store.MaxLimit+1)}},
		{"limit", store.ClaimOptions{Worker: "a", Limit: -1}},
		{"limit", store.ClaimOptions{Worker: "a", Limit: store.MaxLimit + 1}},
		{"lease", store.ClaimOptions{Worker: "a", Lease: -1}},
	} {
		_, err := w.mine.Deliveries().Claim(t.Context(), tt.o)
		invalid(t, err, tt.field)
	}
}

func testDeliveryLease(t *testing.T, w *world) {
	ctx, s := t.Context(), w.mine.Deliveries()
	e := w.enqueue(t, w.reply(t, w.asked(t)))
	_, err := s.Renew(ctx, e.ID, "a", time.Minute)
	require.Empty(t, leaseLost(t, err).ClaimedBy)
	w.claims(t, "a")
	at := w.clock.add(30 * time.Second)
	renewed, err := s.Renew(ctx, e.ID, "a", 2*time.Minute)
	require.NoError(t, err)
	require.Equal(t, at.Add(2*time.Minute), *renewed.ClaimedUntil)
	require.Equal(t, int64(1), renewed.Attempts)
	_, err = s.Renew(ctx, e.ID, "b", time.Minute)
	require.Equal(t, &store.LeaseError{EntryID: e.ID, ClaimedBy: "a"}, leaseLost(t, err))
	w.clock.add(2 * time.Minute)
	must[*message.OutboxEntry](t)(s.Renew(ctx, e.ID, "a", time.Minute)) // nobody took over
	w.clock.add(time.Minute)
	require.Len(t, w.claims(t, "b"), 1)
	_, err = s.Renew(ctx, e.ID, "a", time.Minute)
	require.Equal(t, "b", leaseLost(t, err).ClaimedBy)
	_, err = s.Fail(ctx, e.ID, "a", store.Failure{Final: true})
	require.Equal(t, "b", leaseLost(t, err).ClaimedBy)
	missing[*message.OutboxEntry](t)(s.Renew(ctx, uuid.New(), "a", 0))
	for field, call := range map[string]func() (*message.OutboxEntry, error){
		"worker": func() (*message.OutboxEntry, error) { return s.Renew(ctx, e.ID, "", 0) },
		"lease":  func() (*message.OutboxEntry, error) { return s.Renew(ctx, e.ID, "b", -1) },
	} {
		_, err := call()
		invalid(t, err, field)
	}
}

func testDeliveryDone(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m := w.reply(t, c)
	e := w.enqueue(t, m)
	_, err := s.Done(ctx, e.ID, "a", store.DeliveryResult{})
	require.Equal(t, &store.LeaseError{EntryID: e.ID}, leaseLost(t, err), "nobody has claimed it")
	w.claims(t, "a")
	at := w.tick()
	done, err := s.Done(ctx, e.ID, "a", store.DeliveryResult{
		Refs:           []message.Ref{{Provider: "gmail", Ref: "0x1"}, {Provider: "mine", Ref: "only", Exclusive: true}, {Provider: "gmail", Ref: "0x1"}},
		GmailMessageID: "g", GmailThreadID: "gt", PostmarkMessageID: "p", EmailMessageID: "<a@example.com>", SentAt: at.Add(-time.Second),
	})
	require.NoError(t, err)
	same(t, &message.OutboxEntry{
		ID: e.ID, UserID: w.user, MessageID: m.ID, Channel: "mail", DueAt: e.DueAt, Attempts: 1, DoneAt: &at, CreatedAt: e.CreatedAt, UpdatedAt: at,
	}, done)
	got := w.message(t, m.ID)
	require.Equal(t, message.DeliverySent, got.Delivery)
	require.Equal(t, []string{"g", "gt", "p", "<a@example.com>"}, []string{got.GmailMessageID, got.GmailThreadID, got.PostmarkMessageID, got.EmailMessageID})
	require.Equal(t, at.Add(-time.Second), got.SentAt)
	require.Equal(t, at.Add(-time.Second), w.get(t, c.ID).LastMessageAt)
	require.Equal(t, []string{"gmail 0x1 false", "mine only true"}, w.refs(t, m.ID))
	found, err := w.mine.Messages().FindByProviderID(ctx, message.ProviderGmail, "g")
	require.NoError(t, err)
	require.Equal(t, m.ID, found.ID)
	require.Empty(t, w.claims(t, "b"))
	_, err = s.Done(ctx, e.ID, "a", store.DeliveryResult{})
	require.Equal(t, &store.LeaseError{EntryID: e.ID, DoneAt: &at}, leaseLost(t, err))
}

// refs are the names of a message, as texts.
func (w *world) refs(t testing.TB, id uuid.UUID) []string {
	t.Helper()
	var rows []message.Ref
	require.NoError(t, w.st.DB(t.Context()).Where("message_id = ?", id).Order("provider, ref").Find(&rows).Error)
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = fmt.Sprint(r.Provider, " ", r.Ref, " ", r.Exclusive)
	}
	return names
}

// testDeliveryDoneIDs: what another message has already does not keep a message from being sent.
func testDeliveryDoneIDs(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	copied := w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Content: "the copy of another mailbox", GmailMessageID: "g", EmailMessageID: "<a@example.com>"})
	require.NoError(t, w.st.DB(ctx).Create(&message.Ref{MessageID: copied.ID, UserID: w.user, Provider: "mine", Ref: "only", Exclusive: true}).Error)
	m := w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Content: "out", EmailMessageID: "<given@example.com>"})
	e := w.enqueue(t, m)
	w.claims(t, "a")
	must[*message.OutboxEntry](t)(s.Done(ctx, e.ID, "a", store.DeliveryResult{
		GmailMessageID: "g", EmailMessageID: "<theirs@example.com>", Refs: []message.Ref{{Provider: "mine", Ref: "only", Exclusive: true}},
	}))
	got := w.message(t, m.ID)
	require.Equal(t, message.DeliverySent, got.Delivery)
	require.Empty(t, got.GmailMessageID)
	require.Equal(t, "<given@example.com>", got.EmailMessageID)
	require.Equal(t, []string{"gmail g false", "mine only false", "rfc5322 <theirs@example.com> false"}, w.refs(t, m.ID))
	require.Equal(t, []string{"mine only true"}, w.refs(t, copied.ID))
}

// testDeliveryDoneLate: the first Done counts, whoever reports it, and the second is told.
func testDeliveryDoneLate(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	late := func(meanwhile func(e *message.OutboxEntry)) *message.OutboxEntry {
		t.Helper()
		e := w.enqueue(t, w.reply(t, c))
		require.Len(t, w.claims(t, "a"), 1)
		w.clock.add(store.DefaultLease)
		meanwhile(e)
		done, err := s.Done(ctx, e.ID, "a", store.DeliveryResult{EmailMessageID: "<" + e.ID.String() + "@a>"})
		require.NoError(t, err)
		require.NotNil(t, done.DoneAt)
		require.Nil(t, done.FailedAt)
		require.Nil(t, done.CancelledAt)
		d, reason := w.delivery(t, e.MessageID)
		require.Equal(t, message.DeliverySent, d)
		require.Empty(t, reason)
		require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
		return e
	}
	late(func(*message.OutboxEntry) {})
	late(func(e *message.OutboxEntry) { must[*message.OutboxEntry](t)(s.Cancel(ctx, e.ID)) })
	late(func(e *message.OutboxEntry) {
		require.Len(t, w.claims(t, "b"), 1)
		must[*message.OutboxEntry](t)(s.Fail(ctx, e.ID, "b", store.Failure{Error: "no", Final: true}))
		require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status)
	})
	e := late(func(*message.OutboxEntry) { require.Len(t, w.claims(t, "b"), 1) })
	_, err := s.Renew(ctx, e.ID, "b", 0)
	require.NotNil(t, leaseLost(t, err).DoneAt)
	_, err = s.Fail(ctx, e.ID, "b", store.Failure{Final: true})
	require.NotNil(t, leaseLost(t, err).DoneAt)
	_, err = s.Done(ctx, e.ID, "b", store.DeliveryResult{EmailMessageID: "<second@b>"})
	require.NotNil(t, leaseLost(t, err).DoneAt)
	require.Equal(t, []string{"rfc5322 <second@b> false"}, w.refs(t, e.MessageID), "a reply to the second mail is found too")
	d, _ := w.delivery(t, e.MessageID)
	require.Equal(t, message.DeliverySent, d)
}

func testDeliveryFail(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Deliveries(), w.asked(t)
	m := w.reply(t, c)
	e := w.enqueue(t, m)
	w.claims(t, "a")
	at := w.tick()
	failed, err := s.Fail(ctx, e.ID, "a", store.Failure{Error: "later\x00\xff", RetryAfter: time.Minute})
	require.NoError(t, err)
	require.Equal(t, "later\uFFFD", failed.LastError)
	require.Equal(t, at.Add(time.Minute), failed.DueAt)
	require.Empty(t, failed.ClaimedBy)
	require.Equal(t, int64(1), failed.Attempts)
	require.Equal(t, message.DeliveryQueued, w.message(t, m.ID).Delivery)
	require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
	require.Empty(t, w.claims(t, "a"))
	at = w.tick()
	require.Len(t, w.claims(t, "b"), 1)
	failed, err = s.Fail(ctx, e.ID, "b", store.Failure{Error: strings.Repeat("ü", 4000), RetryAfter: time.Minute, Final: true})
	require.NoError(t, err)
	require.Equal(t, at, *failed.FailedAt)
	d, reason := w.delivery(t, m.ID)
	require.Equal(t, message.DeliveryFailed, d)
	require.Equal(t, strings.Repeat("ü", 2048), reason)
	require.Equal(t, conversation.StatusNeedsReply, w.get(t, c.ID).Status, "nobody has answered")
	w.clock.add(time.Hour)
	require.Empty(t, w.claims(t, "b"))
}

// testDeliveryFailAnswered: whether a conversation needs a reply after a failure.
func testDeliveryFailAnswered(t *testing.T, w *world) {
	ctx, s := t.Context(), w.mine.Deliveries()
	fail := func(e *message.OutboxEntry) {
		t.Helper()
		require.NotEmpty(t, w.claims(t, "a"))
		must[*message.OutboxEntry](t)(s.Fail(ctx, e.ID, "a", store.Failure{Error: "no", Final: true}))
	}
	for name, tt := range map[string]struct {
		after func(c *conversation.Conversation)
		want  conversation.Status
	}{
		"a later reply": {func(c *conversation.Conversation) { w.reply(t, c) }, conversation.StatusWaiting},
		"a later note": {func(c *conversation.Conversation) {
			w.append(t, c, &message.Message{Role: message.RoleAssistant, Kind: message.KindNote, Content: "n"})
		}, conversation.StatusNeedsReply},
		"a deleted reply":  {func(c *conversation.Conversation) { w.deleteMessage(t, w.reply(t, c)) }, conversation.StatusNeedsReply},
		"a bounced reply":  {func(c *conversation.Conversation) { must[*message.Message](t)(s.Bounce(ctx, w.reply(t, c).ID, "")) }, conversation.StatusNeedsReply},
		"a later question": {func(c *conversation.Conversation) { w.inbound(t, c) }, conversation.StatusNeedsReply},
		"an archived one": {func(c *conversation.Conversation) {
			must[*conversation.Conversation](t)(w.mine.Conversations().Archive(ctx, c.ID))
		}, conversation.StatusNeedsReply},
		"an automatic mail": {func(c *conversation.Conversation) {
			w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Kind: message.KindAutoReply, Content: "a"})
		}, conversation.StatusNeedsReply},
	} {
		c := w.asked(t)
		e := w.enqueue(t, w.reply(t, c))
		tt.after(c)
		fail(e)
		require.Equal(t, tt.want, w.get(t, c.ID).Status, name)
	}
}

func testDeliveryReportRefused(t *testing.T, w *world) {
	ctx, s := t.Context(), w.mine.Deliveries()
	e := w.enqueue(t, w.reply(t, w.asked(t)))
	w.claims(t, "a")
	long := strings.Repeat("a", 1025)
	for _, tt := range []struct {
		field, worker string
		r             store.DeliveryResult
	}{
		{"worker", "", store.DeliveryResult{}},
		{"gmail_message_id", "a", store.DeliveryResult{GmailMessageID: long}},
		{"gmail_thread_id", "a", store.DeliveryResult{GmailThreadID: "\xff"}},
		{"postmark_message_id", "a", store.DeliveryResult{PostmarkMessageID: "a\x00"}},
		{"email_message_id", "a", store.DeliveryResult{EmailMessageID: long}},
		{"sent_at", "a", store.DeliveryResult{SentAt: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{"provider", "a", store.DeliveryResult{Refs: []message.Ref{{Ref: "a"}}}},
		{"ref", "a", store.DeliveryResult{Refs: []message.Ref{{Provider: "a", Ref: long}}}},
		{"refs", "a", store.DeliveryResult{Refs: []message.Ref{{Provider: "a", Ref: "a", UserID: w.user}}}},
		{"refs", "a", store.DeliveryResult{Refs: make([]message.Ref, 101)}},
	} {
		_, err := s.Done(ctx, e.ID, tt.worker, tt.r)
		invalid(t, err, tt.field)
	}
	_, err := s.Fail(ctx, e.ID, "", store.Failure{})
	invalid(t, err, "worker")
	_, err = s.Fail(ctx, e.ID, "a", store.Failure{RetryAfter: -1})
	invalid(t, err, "retry_after")
	_, err = s.Reschedule(ctx, e.ID, time.Time{})
	invalid(t, err, "due_at")
	missing[*message.OutboxEntry](t)(s.Done(ctx, uuid.New(), "a", store.DeliveryResult{}))
	missing[*message.OutboxEntry](t)(s.Fail(ctx, uuid.Nil, "a", store.Failure{}))
	must[*message.OutboxEntry](t)(s.Renew(ctx, e.ID, "a", 0))
}
