package storetest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func operatorTests() subtests {
	return subtests{
		"Assign":              testAssign,
		"AssignFrom":          testAssignFrom,
		"AssignInput":         testAssignInput,
		"Snooze":              testSnooze,
		"SnoozeInput":         testSnoozeInput,
		"SnoozeEndedByAppend": testSnoozeEndedByAppend,
		"SnoozeKept":          testSnoozeKept,
		"Pin":                 testPin,
		"OperatorsAbsent":     testOperatorsAbsent,
		"QueueFilters":        testQueueFilters,
		"QueueOfSnoozed":      testQueueOfSnoozed,
		"QueueInput":          testQueueInput,
		"QueueCountsStop":     testQueueCountsStop,
		"OverviewDraft":       testOverviewDraft,
		"OverviewLead":        testOverviewLead,
		"OverviewLeadRefused": testOverviewLeadRefused,
	}
}

// from says who must have a conversation for it to be assigned, nobody if it is empty.
func from(assignee string) store.AssignOptions { return store.AssignOptions{From: &assignee} }

// unchangedRow requires that a call changes nothing, not even UpdatedAt.
func (w *world) unchangedRow(t *testing.T, id uuid.UUID, call func() (*conversation.Conversation, error)) {
	t.Helper()
	before := w.get(t, id)
	w.tick()
	got, err := call()
	require.NoError(t, err)
	same(t, before, got)
	same(t, before, w.get(t, id))
}

func testAssign(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Conversations(), w.conversation(t)
	anybody := store.AssignOptions{}
	assign := func(assignee string) {
		t.Helper()
		at := w.tick()
		got, err := s.Assign(ctx, c.ID, assignee, anybody)
		require.NoError(t, err)
		require.Equal(t, assignee, got.Assignee)
		require.Equal(t, at, got.UpdatedAt)
		same(t, w.get(t, c.ID), got)
	}
	assign("ann")
	w.unchangedRow(t, c.ID, func() (*conversation.Conversation, error) { return s.Assign(ctx, c.ID, "ann", anybody) })
	assign("bob")
	assign(strings.Repeat("é", 512))
	got, err := s.Unassign(ctx, c.ID, anybody)
	require.NoError(t, err)
	require.Empty(t, got.Assignee)
	w.unchangedRow(t, c.ID, func() (*conversation.Conversation, error) { return s.Unassign(ctx, c.ID, anybody) })
	got, err = w.st.AllUsers().Conversations().Assign(ctx, c.ID, "carol", anybody)
	require.NoError(t, err)
	require.Equal(t, w.user, got.UserID)
	require.Equal(t, conversation.StatusActive, got.Status, "whose it is says nothing of whose turn it is")
}

func testAssignFrom(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Conversations(), w.conversation(t)
	refused := func(has string) func(*conversation.Conversation, error) {
		return func(_ *conversation.Conversation, err error) {
			t.Helper()
			require.ErrorIs(t, err, store.ErrConflict)
			var taken *store.AssignedError
			require.ErrorAs(t, err, &taken)
			require.Equal(t, &store.AssignedError{ConversationID: c.ID, Assignee: has}, taken)
			require.Contains(t, err.Error(), c.ID.String())
			require.Equal(t, has, w.get(t, c.ID).Assignee)
		}
	}
	is := func(want string) func(*conversation.Conversation, error) {
		return func(got *conversation.Conversation, err error) {
			t.Helper()
			require.NoError(t, err)
			require.Equal(t, want, got.Assignee)
		}
	}
	refused("")(s.Assign(ctx, c.ID, "ann", from("bob")))
	is("ann")(s.Assign(ctx, c.ID, "ann", from("")))
	refused("ann")(s.Assign(ctx, c.ID, "bob", from("")))
	refused("ann")(s.Assign(ctx, c.ID, "bob", from("Ann")))
	refused("ann")(s.Unassign(ctx, c.ID, from("bob")))
	w.unchangedRow(t, c.ID, func() (*conversation.Conversation, error) { return s.Assign(ctx, c.ID, "ann", from("")) })
	is("bob")(s.Assign(ctx, c.ID, "bob", from("ann")))
	refused("bob")(s.Unassign(ctx, c.ID, from("")))
	is("")(s.Unassign(ctx, c.ID, from("bob")))
	is("")(s.Unassign(ctx, c.ID, from("bob")))
}

func testAssignInput(t *testing.T, w *world) {
	c := w.conversation(t)
	for _, bad := range []string{"", "\xff", "a\x00", strings.Repeat("a", 1025)} {
		_, err := w.mine.Conversations().Assign(t.Context(), c.ID, bad, store.AssignOptions{})
		invalid(t, err, "assignee")
		if bad != "" {
			_, err = w.mine.Conversations().Assign(t.Context(), c.ID, "ann", from(bad))
			invalid(t, err, "from")
			_, err = w.mine.Conversations().Unassign(t.Context(), c.ID, from(bad))
			invalid(t, err, "from")
		}
	}
	require.Empty(t, w.get(t, c.ID).Assignee)
}

func testSnooze(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Conversations(), w.thread(t, 1)
	at := w.tick()
	got, err := s.Snooze(ctx, c.ID, at.Add(time.Hour+1).In(time.FixedZone("", 3600)))
	require.NoError(t, err)
	require.Equal(t, at.Add(time.Hour), *got.SnoozedUntil, "to microseconds, in UTC")
	require.Equal(t, at, got.UpdatedAt)
	require.Equal(t, conversation.StatusNeedsReply, got.Status)
	require.Equal(t, c.LastMessageAt, got.LastMessageAt)
	same(t, w.get(t, c.ID), got)
	w.unchangedRow(t, c.ID, func() (*conversation.Conversation, error) { return s.Snooze(ctx, c.ID, at.Add(time.Hour)) })
	got, err = s.Snooze(ctx, c.ID, at.Add(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, at.Add(2*time.Hour), *got.SnoozedUntil)
	got, err = s.Unsnooze(ctx, c.ID)
	require.NoError(t, err)
	require.Nil(t, got.SnoozedUntil)
	w.unchangedRow(t, c.ID, func() (*conversation.Conversation, error) { return s.Unsnooze(ctx, c.ID) })
	must[*conversation.Conversation](t)(s.Archive(ctx, c.ID))
	got, err = w.st.AllUsers().Conversations().Snooze(ctx, c.ID, at.Add(time.Hour))
	require.NoError(t, err, "any live conversation")
	require.Equal(t, conversation.StatusArchived, got.Status)
}

func testSnoozeInput(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Conversations(), w.thread(t, 1)
	for _, bad := range []time.Time{
		{},
		epoch, epoch.Add(999), epoch.Add(-time.Microsecond), epoch.AddDate(-1, 0, 0), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1<<60, 0),
	} {
		_, err := s.Snooze(ctx, c.ID, bad)
		invalid(t, err, "snoozed_until")
	}
	require.Nil(t, w.get(t, c.ID).SnoozedUntil)
	last := time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	got, err := s.Snooze(ctx, c.ID, last)
	require.NoError(t, err)
	require.Equal(t, last, *got.SnoozedUntil)
	require.Empty(t, w.listed(t, theQueue))
	require.Len(t, w.listed(t, store.ConversationFilter{Snoozed: store.OnlySnoozed}), 1)
	got, err = s.Snooze(ctx, c.ID, epoch.Add(time.Microsecond))
	require.NoError(t, err, "the nearest")
	require.Equal(t, epoch.Add(time.Microsecond), *got.SnoozedUntil)
}

// snoozed makes a conversation that waits for a reply, with an answer before the last message, and
// snoozes it for a day.
func (w *world) snoozed(t *testing.T) *conversation.Conversation {
	t.Helper()
	c := w.thread(t, 1)
	w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: "out"})
	w.inbound(t, c)
	must[*conversation.Conversation](t)(w.mine.Conversations().Snooze(t.Context(), c.ID, w.clock.Now().AddDate(0, 0, 1)))
	return c
}

// testSnoozeEndedByAppend: an inbound message brings a conversation back, whichever way it takes to the
// tables, and whether or not the status changes with it.
func testSnoozeEndedByAppend(t *testing.T, w *world) {
	ctx := t.Context()
	ways := waysToAppend()
	ways["several keyed"] = func() []*message.Message {
		return []*message.Message{{IdempotencyKey: uuid.NewString(), Role: message.RoleUser}, {Role: message.RoleAssistant, Content: "a"}}
	}
	for name, ms := range ways {
		for _, turn := range []bool{false, true} {
			for how, do := range map[string]func(c *conversation.Conversation) error{
				"append": func(c *conversation.Conversation) error {
					for _, m := range ms() {
						if _, err := w.mine.Messages().Append(ctx, c.ID, m); err != nil {
							return err
						}
					}
					return nil
				},
				"many": func(c *conversation.Conversation) error {
					_, err := w.mine.Messages().AppendMany(ctx, c.ID, ms(), store.AppendOptions{})
					return err
				},
				"states": func(c *conversation.Conversation) error {
					_, err := w.mine.Messages().AppendMany(ctx, c.ID, ms(), store.AppendOptions{States: everywhere("k", value("v"))})
					return err
				},
				"import": func(c *conversation.Conversation) error {
					all := ms()
					for _, m := range all {
						m.ConversationID, m.SentAt = c.ID, epoch.AddDate(-1, 0, 0)
					}
					_, err := w.mine.Messages().Import(ctx, rowsOf(all...), store.ImportOptions{})
					return err
				},
			} {
				c := w.snoozed(t)
				if turn {
					w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: "out"})
				}
				require.NotNil(t, w.get(t, c.ID).SnoozedUntil, "what we send leaves it")
				require.NoError(t, do(c), "%s %s", how, name)
				require.Nil(t, w.get(t, c.ID).SnoozedUntil, "%s %s %t", how, name, turn)
			}
		}
	}
}

func testSnoozeKept(t *testing.T, w *world) {
	ctx, c := t.Context(), w.snoozed(t)
	until := *w.get(t, c.ID).SnoozedUntil
	key := &message.Message{Role: message.RoleUser, Content: "stored before", IdempotencyKey: "key"}
	w.append(t, c, key)
	must[*conversation.Conversation](t)(w.mine.Conversations().Snooze(ctx, c.ID, until))
	ms := []*message.Message{
		{Role: message.RoleAssistant, Content: "out"},
		{Role: message.RoleSystem, Content: "no direction"},
		{Role: message.RoleUser, Content: "failed", State: message.StateFailed},
	}
	for _, kind := range []message.Kind{message.KindNote, message.KindAutoReply, message.KindBounce, message.KindEvent} {
		ms = append(ms, &message.Message{Role: message.RoleUser, Kind: kind, Content: string(kind)})
	}
	for _, m := range ms {
		again := *m
		w.append(t, c, &again)
		require.Equal(t, until, *w.get(t, c.ID).SnoozedUntil, m.Content)
	}
	must[[]bool](t)(w.mine.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{}))
	redelivered := &message.Message{Role: message.RoleUser, Content: "again", IdempotencyKey: "key"}
	created, err := w.mine.Messages().Append(ctx, c.ID, redelivered)
	require.NoError(t, err)
	require.False(t, created)
	_, err = w.mine.Messages().AppendMany(ctx, c.ID, []*message.Message{{Role: message.RoleUser, Content: "again", IdempotencyKey: "key"}}, store.AppendOptions{})
	require.NoError(t, err)
	w.deleteMessage(t, ms[0])
	require.Equal(t, until, *w.get(t, c.ID).SnoozedUntil, "a message that was there already is not new")
	other := w.create(t, &conversation.Conversation{SnoozedUntil: &until, Messages: []*message.Message{text("a")}})
	require.Equal(t, until, *other.SnoozedUntil, "who creates it says so")
	require.Equal(t, until, *w.get(t, other.ID).SnoozedUntil)
}

func testSnoozeEndedByStream(t *testing.T, w *world) {
	for _, role := range []message.Role{message.RoleUser, message.RoleAssistant} {
		c := w.snoozed(t)
		writer, err := w.mine.Messages().Stream(t.Context(), c.ID, &message.Message{Role: role, Content: "begun"}, store.StreamOptions{})
		require.NoError(t, err)
		require.NotNil(t, w.get(t, c.ID).SnoozedUntil, "nothing is said yet")
		require.NoError(t, writer.Finish(t.Context(), store.Usage{}))
		require.Equal(t, role == message.RoleUser, w.get(t, c.ID).SnoozedUntil == nil)
	}
}

func testPin(t *testing.T, w *world) {
	ctx, s, c := t.Context(), w.mine.Conversations(), w.conversation(t)
	at := w.tick()
	got, err := s.Pin(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, at, *got.PinnedAt)
	require.Equal(t, at, got.UpdatedAt)
	w.unchangedRow(t, c.ID, func() (*conversation.Conversation, error) { return s.Pin(ctx, c.ID) })
	got, err = s.Unpin(ctx, c.ID)
	require.NoError(t, err)
	require.Nil(t, got.PinnedAt)
	w.unchangedRow(t, c.ID, func() (*conversation.Conversation, error) { return s.Unpin(ctx, c.ID) })
}

func testOperatorsAbsent(t *testing.T, w *world) {
	ctx, c := t.Context(), w.conversation(t)
	absent := func(s store.Scope, id uuid.UUID) {
		t.Helper()
		is := missing[*conversation.Conversation](t)
		is(s.Conversations().Assign(ctx, id, "ann", store.AssignOptions{}))
		is(s.Conversations().Assign(ctx, id, "ann", from("")))
		is(s.Conversations().Unassign(ctx, id, from("ann")))
		is(s.Conversations().Snooze(ctx, id, epoch.AddDate(1, 0, 0)))
		is(s.Conversations().Unsnooze(ctx, id))
		is(s.Conversations().Pin(ctx, id))
		is(s.Conversations().Unpin(ctx, id))
	}
	absent(w.other(), c.ID)
	absent(w.mine, uuid.New())
	absent(w.st.AllUsers(), uuid.New())
	w.delete(t, c)
	absent(w.mine, c.ID)
}

// assignAtOnce: of operators who take a conversation at once one gets it, and the others are told who.
func assignAtOnce(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { _, errs[i] = mine.Conversations().Assign(t.Context(), c.ID, name, from("")) })
	}
	wg.Wait()
	got, err := mine.Conversations().Get(t.Context(), c.ID)
	require.NoError(t, err)
	has := got.Assignee
	for i, err := range errs {
		if names[i] == has {
			require.NoError(t, err)
			continue
		}
		var taken *store.AssignedError
		require.ErrorAs(t, err, &taken)
		require.Equal(t, has, taken.Assignee)
	}
	require.Contains(t, names, has)
}
