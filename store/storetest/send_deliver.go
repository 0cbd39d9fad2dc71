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

func sendTests() subtests {
	return subtests{
		"SendDeliver":           testSendDeliver,
		"SendDeliverRefused":    testSendDeliverRefused,
		"SendDeliverAgain":      testSendDeliverAgain,
		"SendDeliverLinked":     testSendDeliverLinked,
		"AppendDeliver":         testAppendDeliver,
		"AppendDeliverRefused":  testAppendDeliverRefused,
		"AppendDeliverAgain":    testAppendDeliverAgain,
		"SendAnew":              testSendAnew,
		"SendAnewWithoutOutbox": testSendAnewWithoutOutbox,
		"SendAnewRefused":       testSendAnewRefused,
		"SendStale":             testSendStale,
		"SendNotStale":          testSendNotStale,
		"SendStaleOnBranches":   testSendStaleOnBranches,
		"SendSecond":            testSendSecond,
		"SendNotSecond":         testSendNotSecond,
		"SendUnsend":            testUnsend,
		"SendUnsendRefused":     testUnsendRefused,
	}
}

// send sends a suggestion by a channel and returns the message and its entry.
func (w *world) send(t testing.TB, s *suggestion.Suggestion) (*message.Message, *message.OutboxEntry) {
	t.Helper()
	m, e := &message.Message{}, &message.OutboxEntry{Channel: "mail"}
	created, err := w.mine.Suggestions().Send(t.Context(), s.ID, m, store.SendOptions{Deliver: e})
	require.NoError(t, err)
	require.True(t, created)
	return m, e
}

// entries are the entries of a message, live or not.
func (w *world) entries(t testing.TB, id uuid.UUID) []*message.OutboxEntry {
	t.Helper()
	var found []*message.OutboxEntry
	require.NoError(t, w.st.DB(t.Context()).Order("created_at, id").Find(&found, "message_id = ?", id).Error)
	for _, e := range found {
		e.Normalize(epoch) // the driver's zone
	}
	return found
}

func testSendDeliver(t *testing.T, w *world) {
	ctx := t.Context()
	for _, of := range []store.Scope{w.mine, w.st.AllUsers()} {
		c := w.asked(t)
		s := w.decided(t, c, "")
		at := w.tick()
		m, e := &message.Message{RecipientEmail: "b@example.com"}, &message.OutboxEntry{Channel: "mail", DueAt: at.Add(time.Hour + time.Nanosecond)}
		created, err := of.Suggestions().Send(ctx, s.ID, m, store.SendOptions{Deliver: e})
		require.NoError(t, err)
		require.True(t, created)
		require.Equal(t, &message.OutboxEntry{
			ID: e.ID, UserID: w.user, MessageID: m.ID, Channel: "mail", DueAt: at.Add(time.Hour), CreatedAt: at, UpdatedAt: at,
		}, e)
		require.NotEqual(t, uuid.Nil, e.ID)
		got, err := w.mine.Deliveries().Get(ctx, e.ID)
		require.NoError(t, err)
		same(t, e, got)
		require.Equal(t, message.DeliveryQueued, m.Delivery)
		require.Zero(t, m.Revision, "it is queued from the beginning")
		same(t, m, w.message(t, m.ID))
		require.Equal(t, m.ID, *w.suggestion(t, s.ID).SentMessageID)
		require.Equal(t, conversation.StatusWaiting, w.get(t, c.ID).Status)
		require.Empty(t, w.claims(t, "a"), "it is due later")
		must[*message.OutboxEntry](t)(w.mine.Deliveries().Reschedule(ctx, e.ID, at))
		claimed := w.claims(t, "a")
		require.Len(t, claimed, 1)
		require.Equal(t, m.ID.String(), claimed[0].Key)
		must[*message.OutboxEntry](t)(w.mine.Deliveries().Done(ctx, e.ID, "a", store.DeliveryResult{}))
	}
	// Without Deliver nothing is in the outbox.
	m := &message.Message{}
	must[bool](t)(w.mine.Suggestions().Send(ctx, w.decided(t, w.asked(t), "").ID, m, store.SendOptions{}))
	require.Empty(t, w.entries(t, m.ID))
	require.Empty(t, w.message(t, m.ID).Delivery)
}

// badEntries are entries that cannot be stored with a message, by the field at fault.
func badEntries(id uuid.UUID) []struct {
	field string
	entry message.OutboxEntry
} {
	return []struct {
		field string
		entry message.OutboxEntry
	}{
		{"channel", message.OutboxEntry{}},
		{"channel", message.OutboxEntry{Channel: "a\x00"}},
		{"message_id", message.OutboxEntry{Channel: "mail", MessageID: id}},
		{"user_id", message.OutboxEntry{Channel: "mail", UserID: id}},
		{"due_at", message.OutboxEntry{Channel: "mail", DueAt: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{"entry", message.OutboxEntry{Channel: "mail", Attempts: 1}},
		{"entry", message.OutboxEntry{Channel: "mail", LastError: "a"}},
		{"entry", message.OutboxEntry{Channel: "mail", CancelledAt: &epoch}},
		{"entry", message.OutboxEntry{Channel: "mail", ClaimedBy: "a", ClaimedUntil: &epoch}},
	}
}

func testSendDeliverRefused(t *testing.T, w *world) {
	ctx, c := t.Context(), w.asked(t)
	s := w.decided(t, c, "")
	taken := w.enqueue(t, w.reply(t, c))
	before := w.get(t, c.ID)
	send := func(m *message.Message, e *message.OutboxEntry) error {
		given := *e
		created, err := w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{Deliver: e})
		require.False(t, created)
		require.Equal(t, given, *e, "nothing is filled in beside an error")
		return err
	}
	w.unchanged(t, func() {
		for _, tt := range badEntries(uuid.New()) {
			invalid(t, send(&message.Message{}, &tt.entry), tt.field)
		}
		for _, m := range []*message.Message{
			{State: message.StateInterrupted}, {State: message.StateFailed},
		} {
			invalid(t, send(m, &message.OutboxEntry{Channel: "mail"}), "message_id")
		}
		require.ErrorIs(t, send(&message.Message{}, &message.OutboxEntry{ID: taken.ID, Channel: "mail"}), store.ErrConflict)
	})
	same(t, s, w.suggestion(t, s.ID))
	same(t, before, w.get(t, c.ID))
	m, e := w.send(t, s)
	require.Equal(t, []*message.OutboxEntry{e}, w.entries(t, m.ID), "the suggestion is as it was")
}

// testSendDeliverAgain: a later call tells how the message is doing, and queues nothing.
func testSendDeliverAgain(t *testing.T, w *world) {
	ctx := t.Context()
	s := w.decided(t, w.asked(t), "")
	m, e := w.send(t, s)
	again := func(channel string, want *message.OutboxEntry) {
		t.Helper()
		w.unchanged(t, func() {
			got, entry := &message.Message{}, &message.OutboxEntry{Channel: channel}
			created, err := w.mine.Suggestions().Send(ctx, s.ID, got, store.SendOptions{Deliver: entry})
			require.NoError(t, err)
			require.False(t, created)
			same(t, w.message(t, m.ID), got)
			require.Equal(t, want, entry)
		})
	}
	again("mail", e)
	again("other", &message.OutboxEntry{Channel: "other"})
	w.claims(t, "a")
	done, err := w.mine.Deliveries().Done(ctx, e.ID, "a", store.DeliveryResult{GmailMessageID: "g"})
	require.NoError(t, err)
	again("mail", done)
	// One that the host transmitted itself is not transmitted anew.
	s = w.decided(t, w.asked(t), "")
	m = &message.Message{}
	must[bool](t)(w.mine.Suggestions().Send(ctx, s.ID, m, store.SendOptions{}))
	again("mail", &message.OutboxEntry{Channel: "mail"})
}

// testSendDeliverLinked: what was stored before is put into the outbox, unless it has left.
func testSendDeliverLinked(t *testing.T, w *world) {
	ctx, c := t.Context(), w.asked(t)
	left := w.append(t, c, &message.Message{Role: message.RoleAssistant, IdempotencyKey: "left", GmailMessageID: "g"})
	said := w.append(t, c, &message.Message{Role: message.RoleAssistant, IdempotencyKey: "said", Delivery: message.DeliveryDelivered})
	w.append(t, c, &message.Message{Role: message.RoleAssistant, IdempotencyKey: "stored"})
	link := func(key string) (*message.Message, *message.OutboxEntry) {
		m, e := &message.Message{IdempotencyKey: key}, &message.OutboxEntry{Channel: "mail"}
		created, err := w.mine.Suggestions().Send(ctx, w.decided(t, c, "").ID, m, store.SendOptions{Deliver: e, AllowSecond: true})
		require.NoError(t, err)
		require.False(t, created)
		return m, e
	}
	for _, stored := range []*message.Message{left, said} {
		m, e := link(stored.IdempotencyKey)
		same(t, stored, m)
		require.Equal(t, &message.OutboxEntry{Channel: "mail"}, e)
		require.Empty(t, w.entries(t, stored.ID))
	}
	m, e := link("stored")
	require.Equal(t, message.DeliveryQueued, m.Delivery)
	same(t, m, w.message(t, m.ID))
	require.Equal(t, []*message.OutboxEntry{e}, w.entries(t, m.ID))
}

func testAppendDeliver(t *testing.T, w *world) {
	ctx := t.Context()
	seq := int64(1)
	for _, o := range []store.AppendOptions{
		{}, {ExpectedSeq: &seq}, {States: store.AppendStates{Conversation: store.StateMap{"k": conversation.Value("1")}}},
	} {
		for _, key := range []string{"", "key"} {
			c := w.asked(t)
			at := w.tick()
			ms := []*message.Message{
				{Direction: message.DirectionOutbound, Content: "one", IdempotencyKey: key},
				{Direction: message.DirectionInbound, Content: "two"},
				{Direction: message.DirectionOutbound, Content: "three"},
			}
			first, last := &message.OutboxEntry{Channel: "a"}, &message.OutboxEntry{ID: uuid.New(), Channel: "b", DueAt: at.Add(time.Hour), MessageID: uuid.Nil}
			o.Deliver = []*message.OutboxEntry{first, nil, last}
			created, err := w.mine.Messages().AppendMany(ctx, c.ID, ms, o)
			require.NoError(t, err)
			require.Equal(t, []bool{true, true, true}, created)
			require.Equal(t, []*message.OutboxEntry{first}, w.entries(t, ms[0].ID))
			require.Empty(t, w.entries(t, ms[1].ID))
			require.Equal(t, []*message.OutboxEntry{last}, w.entries(t, ms[2].ID))
			require.Equal(t, at.Add(time.Hour), last.DueAt)
			for i, d := range []message.Delivery{message.DeliveryQueued, "", message.DeliveryQueued} {
				require.Equal(t, d, ms[i].Delivery)
				require.EqualValues(t, i+2, ms[i].Seq)
				same(t, ms[i], w.message(t, ms[i].ID))
			}
		}
	}
	// One by itself, and one with an id of its own.
	c := w.asked(t)
	m, e := &message.Message{ID: uuid.New(), Direction: message.DirectionOutbound}, &message.OutboxEntry{Channel: "a"}
	e.MessageID = m.ID
	created, err := w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{m}, store.AppendOptions{Deliver: []*message.OutboxEntry{e}})
	require.NoError(t, err)
	require.Equal(t, []bool{true}, created)
	require.Equal(t, []*message.OutboxEntry{e}, w.entries(t, m.ID))
	// No entry at all is as no option.
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{{Role: message.RoleAssistant}}, store.AppendOptions{Deliver: []*message.OutboxEntry{nil}}))
}

func testAppendDeliverRefused(t *testing.T, w *world) {
	ctx, c := t.Context(), w.asked(t)
	out := func() *message.Message { return &message.Message{Direction: message.DirectionOutbound} }
	add := func(es ...*message.OutboxEntry) error {
		_, err := w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{out(), out()}, store.AppendOptions{Deliver: es})
		return err
	}
	second := func(err error, field string) {
		t.Helper()
		invalid(t, err, field)
		var at *store.BatchError
		require.ErrorAs(t, err, &at)
		require.Equal(t, 1, at.Index)
	}
	good := func() *message.OutboxEntry { return &message.OutboxEntry{Channel: "mail"} }
	w.unchanged(t, func() {
		invalid(t, add(good()), "deliver")
		invalid(t, add(good(), good(), nil), "deliver")
		same := good()
		second(add(same, same), "deliver")
		for _, tt := range badEntries(uuid.New()) {
			second(add(good(), &tt.entry), tt.field)
		}
		for _, m := range []*message.Message{
			{Direction: message.DirectionInbound}, {Role: message.RoleTool}, {Direction: message.DirectionOutbound, Kind: message.KindNote},
		} {
			_, err := w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{out(), m}, store.AppendOptions{Deliver: []*message.OutboxEntry{nil, good()}})
			second(err, "message_id")
		}
		a, b := good(), good()
		a.ID = uuid.New()
		b.ID = a.ID
		require.ErrorIs(t, add(a, b), store.ErrConflict)
		require.Equal(t, uuid.Nil, a.UserID, "nothing is filled in beside an error")
	})
}

// testAppendDeliverAgain: a repeated call queues nothing twice.
func testAppendDeliverAgain(t *testing.T, w *world) {
	ctx, c := t.Context(), w.asked(t)
	add := func(keys ...string) (ms []*message.Message, es []*message.OutboxEntry, created []bool) {
		for _, key := range keys {
			ms = append(ms, &message.Message{Direction: message.DirectionOutbound, IdempotencyKey: key})
			es = append(es, &message.OutboxEntry{Channel: "mail"})
		}
		created, err := w.mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{Deliver: es})
		require.NoError(t, err)
		return ms, es, created
	}
	ms, es, created := add("a", "b", "a")
	require.Equal(t, []bool{true, true, false}, created)
	require.Equal(t, es[0], es[2], "the second of two with one key has the entry of the first")
	require.Equal(t, ms[0], ms[2])
	w.unchanged(t, func() {
		again, entries, created := add("b", "a")
		require.Equal(t, []bool{false, false}, created)
		same(t, []*message.Message{ms[1], ms[0]}, again)
		require.Equal(t, []*message.OutboxEntry{es[1], es[0]}, entries)
	})
	_, err := w.mine.Deliveries().Cancel(ctx, es[1].ID)
	require.NoError(t, err)
	_, entries, created := add("c", "b")
	require.Equal(t, []bool{true, false}, created)
	require.NotNil(t, entries[1].CancelledAt, "what was taken back stays so")
	require.Len(t, w.claims(t, "a"), 2)
	// One that was stored without an entry gets one.
	stored := w.append(t, c, &message.Message{Direction: message.DirectionOutbound, IdempotencyKey: "bare"})
	ms, es, created = add("bare")
	require.Equal(t, []bool{false}, created)
	require.Equal(t, stored.ID, ms[0].ID)
	require.Equal(t, message.DeliveryQueued, ms[0].Delivery)
	require.Equal(t, es, w.entries(t, stored.ID))
}
