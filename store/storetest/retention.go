package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func retentionTests() subtests {
	return subtests{
		"RetentionRefuses":              testRetentionRefuses,
		"RetentionBoundaries":           testRetentionBoundaries,
		"RetentionOneStepARun":          testRetentionOneStepARun,
		"RetentionWritesTheMark":        testRetentionWritesTheMark,
		"RetentionDryRun":               testRetentionDryRun,
		"RetentionOfOneUser":            testRetentionOfOneUser,
		"RetentionInBatches":            testRetentionInBatches,
		"RetentionOfLongConversations":  testRetentionOfLongConversations,
		"RetentionSparesWhatWasTouched": testRetentionSparesWhatWasTouched,
		"RetentionLetsOthersWrite":      testRetentionLetsOthersWrite,
		"RetentionEndsWithItsContext":   testRetentionEndsWithItsContext,
	}
}

const day = 24 * time.Hour

// everyStep archives, deletes and purges.
var everyStep = store.RetentionPolicy{ArchiveAfter: 10 * day, DeleteAfter: 30 * day, PurgeAfter: 20 * day}

// aged makes a conversation of a user whose last message is that old.
func (w *world) aged(t testing.TB, user uuid.UUID, age time.Duration) *conversation.Conversation {
	t.Helper()
	at := w.clock.Now().Add(-age)
	m := text("old")
	m.SentAt = at
	c := &conversation.Conversation{CreatedAt: at}
	require.NoError(t, c.AddMessage(m))
	c.LastSeq = 0
	require.NoError(t, w.st.ForUser(user).Conversations().Create(t.Context(), c))
	return c
}

func retain(t testing.TB, s store.Scope, p store.RetentionPolicy) store.RetentionResult {
	t.Helper()
	res, err := s.Maintenance().Retain(t.Context(), p)
	require.NoError(t, err)
	return res
}

// retains requires that a dry run counts what the run then does.
func (w *world) retains(t testing.TB, s store.Scope, p store.RetentionPolicy) store.RetentionResult {
	t.Helper()
	before := w.counts(t)
	dry := p
	dry.DryRun = true
	want := retain(t, s, dry)
	require.Equal(t, before, w.counts(t), "a dry run removes nothing")
	got := retain(t, s, p)
	require.Equal(t, want, got, "the dry run and the run")
	require.Equal(t, before, w.counts(t).Add(got.Purged), "what is counted is what went")
	return got
}

func (w *world) where(t testing.TB, c *conversation.Conversation) string {
	t.Helper()
	page, err := w.st.ForUser(c.UserID).Conversations().List(t.Context(), store.ConversationFilter{Deleted: store.IncludeDeleted}, store.PageRequest{})
	require.NoError(t, err)
	for _, found := range page.Items {
		switch {
		case found.ID != c.ID:
		case found.Deleted():
			return "deleted"
		default:
			return string(found.Status)
		}
	}
	return "gone"
}

func testRetentionRefuses(t *testing.T, w *world) {
	w.aged(t, w.user, 1000*day)
	for field, policies := range map[string][]store.RetentionPolicy{
		"policy":        {{}, {BatchSize: 10}},
		"archive_after": {{ArchiveAfter: -1}, {ArchiveAfter: -1, DeleteAfter: 1}},
		"delete_after":  {{DeleteAfter: -1}, {ArchiveAfter: 2, DeleteAfter: 1}},
		"purge_after":   {{PurgeAfter: -1}, {ArchiveAfter: 1, PurgeAfter: -1}},
		"batch_size":    {{ArchiveAfter: 1, BatchSize: -1}, {ArchiveAfter: 1, BatchSize: 10_001}},
	} {
		for _, p := range policies {
			for _, p.DryRun = range []bool{false, true} {
				for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
					res, err := s.Maintenance().Retain(t.Context(), p)
					invalid(t, err, field)
					require.Zero(t, res)
				}
			}
		}
	}
	require.Len(t, w.listed(t, store.ConversationFilter{Statuses: conversation.OpenStatuses()}), 1, "nothing was done")
	for _, p := range []store.RetentionPolicy{{ArchiveAfter: 1, BatchSize: 10_000}, {ArchiveAfter: 2, DeleteAfter: 2, BatchSize: 1}} {
		w.retains(t, w.mine, p)
	}
}

func testRetentionBoundaries(t *testing.T, w *world) {
	const after = 30 * day
	at := w.aged(t, w.user, after)
	past := w.aged(t, w.user, after+time.Microsecond)
	require.Equal(t, store.RetentionResult{Archived: 1}, w.retains(t, w.mine, store.RetentionPolicy{ArchiveAfter: after}))
	require.Equal(t, []string{"needs_reply", "archived"}, []string{w.where(t, at), w.where(t, past)})
	require.Equal(t, store.RetentionResult{Deleted: 1}, w.retains(t, w.mine, store.RetentionPolicy{DeleteAfter: after}))
	require.Equal(t, []string{"needs_reply", "deleted"}, []string{w.where(t, at), w.where(t, past)})

	w.clock.add(after)
	require.Zero(t, w.retains(t, w.mine, store.RetentionPolicy{PurgeAfter: after}))
	w.clock.add(time.Microsecond)
	require.Equal(t, store.RetentionResult{Purged: store.Counts{Conversations: 1, Messages: 1}},
		w.retains(t, w.mine, store.RetentionPolicy{PurgeAfter: after}))
	require.Equal(t, []string{"needs_reply", "gone"}, []string{w.where(t, at), w.where(t, past)})
}

func testRetentionOneStepARun(t *testing.T, w *world) {
	const archived, deleted, gone = "archived", "deleted", "gone"
	old, quiet, fresh := w.aged(t, w.user, 1000*day), w.aged(t, w.user, 11*day), w.aged(t, w.user, day)
	places := func() []string { return []string{w.where(t, old), w.where(t, quiet), w.where(t, fresh)} }

	require.Equal(t, store.RetentionResult{Archived: 1, Deleted: 1}, w.retains(t, w.mine, everyStep))
	require.Equal(t, []string{deleted, archived, "needs_reply"}, places())
	require.Zero(t, w.retains(t, w.mine, everyStep), "a second run at once has nothing to do")

	w.clock.add(19*day + time.Microsecond)
	require.Equal(t, store.RetentionResult{Archived: 1, Deleted: 1}, w.retains(t, w.mine, everyStep))
	require.Equal(t, []string{deleted, deleted, archived}, places())
	w.clock.add(day)
	require.Equal(t, store.RetentionResult{Purged: store.Counts{Conversations: 1, Messages: 1}}, w.retains(t, w.mine, everyStep))
	require.Equal(t, []string{gone, deleted, archived}, places())
	w.clock.add(100 * day)
	w.retains(t, w.mine, everyStep)
	require.Equal(t, []string{gone, gone, deleted}, places())
}

func testRetentionWritesTheMark(t *testing.T, w *world) {
	ctx := t.Context()
	c := w.aged(t, w.user, 11*day)
	bare := w.create(t, &conversation.Conversation{CreatedAt: epoch.Add(-11 * day)})
	want, bareWant := w.get(t, c.ID), w.get(t, bare.ID)
	now := w.tick()
	retain(t, w.mine, everyStep)
	for _, c := range []*conversation.Conversation{want, bareWant} {
		c.Status, c.UpdatedAt = conversation.StatusArchived, now
		same(t, c, w.get(t, c.ID))
	}
	now = w.clock.add(30 * day)
	retain(t, w.mine, everyStep)
	back, err := w.mine.Conversations().Restore(ctx, c.ID)
	require.NoError(t, err)
	want.UpdatedAt = now
	same(t, want, back)
	require.Equal(t, []string{"old"}, w.messages(t, c), "a soft delete keeps the messages")
	page, err := w.mine.Conversations().List(ctx, store.ConversationFilter{Deleted: store.OnlyDeleted}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.True(t, page.Items[0].DeletedAt.Time.Equal(now), "deleted when the run did it")
}

// estates fills users with everything that a purge tells apart.
func (w *world) estates(t testing.TB, users ...uuid.UUID) {
	t.Helper()
	ctx := t.Context()
	for _, user := range users {
		s := w.st.ForUser(user)
		for i := range 4 {
			c := w.household(t, user, "")
			own := &suggestion.Suggestion{ConversationID: c.ID, InReplyToMessageID: &c.Messages[i%2].ID, SuggestedContent: "own"}
			require.NoError(t, s.Suggestions().Create(ctx, own))
			must[*suggestion.Suggestion](t)(s.Suggestions().Delete(ctx, own.ID))
			must[*message.Message](t)(s.Messages().Delete(ctx, c.Messages[i%3].ID))
			if i < 2 {
				must[*conversation.Conversation](t)(s.Conversations().Delete(ctx, c.ID))
			}
			if i%2 == 1 {
				must[*conversation.Conversation](t)(s.Conversations().Hold(ctx, c.ID))
			}
		}
	}
}

func testRetentionDryRun(t *testing.T, w *world) {
	other := uuid.New()
	w.estates(t, w.user, other)
	w.clock.add(20*day + time.Microsecond)
	w.estates(t, w.user, other)
	for _, user := range []uuid.UUID{w.user, other} {
		w.aged(t, user, 11*day)
		w.aged(t, user, 31*day)
	}
	before := dump(t, w.st, w.user) + dump(t, w.st, other)
	dry := everyStep
	dry.DryRun = true
	dry.Progress = func(store.RetentionResult) { t.Error("a dry run has no batches") }
	mine, all := retain(t, w.mine, dry), retain(t, w.st.AllUsers(), dry)
	require.Equal(t, before, dump(t, w.st, w.user)+dump(t, w.st, other), "nothing is written")
	require.Equal(t, store.RetentionResult{Archived: 2, Deleted: 1, Purged: mine.Purged}, mine)
	require.Greater(t, mine.Purged.Messages, 2*mine.Purged.Conversations, "messages by themselves as well")
	require.Greater(t, mine.Purged.Suggestions, int64(2))
	require.Equal(t, store.RetentionResult{Archived: 4, Deleted: 2, Purged: mine.Purged.Add(mine.Purged)}, all)
	require.Zero(t, retain(t, w.other(), dry))

	require.Equal(t, mine, w.retains(t, w.mine, everyStep))
	require.Equal(t, mine, w.retains(t, w.st.AllUsers(), everyStep), "the other user's part is the same")
	require.Zero(t, w.retains(t, w.st.AllUsers(), everyStep))
	noOrphans(t, w.st)
}

func testRetentionOfOneUser(t *testing.T, w *world) {
	other := uuid.New()
	var theirs []*conversation.Conversation
	for _, age := range []time.Duration{11 * day, 31 * day} {
		theirs = append(theirs, w.aged(t, other, age))
		w.aged(t, w.user, age)
	}
	require.Equal(t, store.RetentionResult{Archived: 1, Deleted: 1}, w.retains(t, w.mine, everyStep))
	for _, c := range theirs {
		require.Equal(t, "needs_reply", w.where(t, c))
	}
	require.Equal(t, store.RetentionResult{Archived: 1, Deleted: 1}, w.retains(t, w.st.AllUsers(), everyStep))
	w.clock.add(21 * day)
	require.Equal(t, store.RetentionResult{Deleted: 1, Purged: store.Counts{Conversations: 1, Messages: 1}}, w.retains(t, w.mine, everyStep))
	require.Equal(t, []string{"archived", "deleted"}, []string{w.where(t, theirs[0]), w.where(t, theirs[1])})
}

// testRetentionInBatches has more rows than a batch takes, half of them of one and the
// same time, which a page after page could skip or read for ever.
func testRetentionInBatches(t *testing.T, w *world) {
	other := uuid.New()
	for _, user := range []uuid.UUID{w.user, other} {
		for i := range 10 {
			w.aged(t, user, 31*day+time.Duration(max(0, i-5))*time.Second)
			w.aged(t, user, 11*day+time.Duration(max(0, i-5))*time.Second)
		}
	}
	for _, tt := range []struct {
		scope store.Scope
		n     int64
	}{{w.mine, 10}, {w.st.AllUsers(), 10}} {
		p := everyStep
		p.BatchSize = 3
		var last store.RetentionResult
		calls := 0
		p.Progress = func(now store.RetentionResult) {
			step := now.Archived - last.Archived + now.Deleted - last.Deleted
			require.Positive(t, step)
			require.LessOrEqual(t, step, int64(3))
			require.True(t, now.Archived == 0 || now.Deleted == tt.n, "archived before all was deleted: %+v", now)
			last = now
			calls++
		}
		res := w.retains(t, tt.scope, p)
		require.Equal(t, store.RetentionResult{Archived: tt.n, Deleted: tt.n}, res)
		require.Equal(t, res, last, "the last progress is the result")
		require.GreaterOrEqual(t, calls, 8)
	}
	w.clock.add(21 * day)
	p := store.RetentionPolicy{PurgeAfter: 20 * day, BatchSize: 3}
	calls := int64(0)
	p.Progress = func(now store.RetentionResult) {
		calls++
		require.LessOrEqual(t, now.Purged.Conversations, 3*calls)
	}
	require.Equal(t, store.Counts{Conversations: 20, Messages: 20}, w.retains(t, w.st.AllUsers(), p).Purged)
}

// testRetentionOfLongConversations pretends to have many messages.
func testRetentionOfLongConversations(t *testing.T, w *world) {
	for _, seq := range []int64{3000, 3000, 1000, 20_000, 10, 10} {
		c := w.thread(t, 1)
		w.setLastSeq(t, c, seq)
		w.tick()
		w.delete(t, c)
	}
	w.clock.add(30 * day)
	p := store.RetentionPolicy{PurgeAfter: 20 * day}
	var done []int64
	p.Progress = func(now store.RetentionResult) { done = append(done, now.Purged.Conversations) }
	w.retains(t, w.mine, p)
	require.Equal(t, []int64{1, 3, 4, 6}, done)
}

// testRetentionSparesWhatWasTouched changes conversations between being picked and their
// batch: a page has rows of several users, and a batch only one's.
func testRetentionSparesWhatWasTouched(t *testing.T, w *world) {
	ctx := t.Context()
	appends := func(s store.Scope, c *conversation.Conversation) {
		must[bool](t)(s.Messages().Append(ctx, c.ID, text("wait")))
	}
	restores := func(s store.Scope, c *conversation.Conversation) {
		must[*conversation.Conversation](t)(s.Conversations().Restore(ctx, c.ID))
	}
	holds := func(s store.Scope, c *conversation.Conversation) {
		must[*conversation.Conversation](t)(s.Conversations().Hold(ctx, c.ID))
	}
	erases := func(s store.Scope, c *conversation.Conversation) {
		must[store.Counts](t)(s.Conversations().Erase(ctx, c.ID))
	}
	type touches map[string]func(store.Scope, *conversation.Conversation)
	live := touches{"append": appends, "hold": holds, "erase": erases}
	for _, tt := range []struct {
		policy  store.RetentionPolicy
		touches touches
	}{
		{store.RetentionPolicy{ArchiveAfter: day}, live},
		{store.RetentionPolicy{DeleteAfter: day}, live},
		{store.RetentionPolicy{PurgeAfter: day}, touches{"restore": restores, "hold": holds, "erase": erases}},
	} {
		for name, touch := range tt.touches {
			w.sparesWhatWasTouched(t, name, tt.policy, touch)
		}
	}
}

func (w *world) sparesWhatWasTouched(t *testing.T, name string, p store.RetentionPolicy, touch func(store.Scope, *conversation.Conversation)) {
	t.Helper()
	ctx := t.Context()
	due := map[uuid.UUID]*conversation.Conversation{}
	for range 3 {
		c := w.aged(t, uuid.New(), 10*day)
		due[c.ID] = c
		if p.PurgeAfter > 0 {
			must[*conversation.Conversation](t)(w.st.ForUser(c.UserID).Conversations().Delete(ctx, c.ID))
		}
	}
	if p.PurgeAfter > 0 {
		w.clock.add(2 * day)
	}
	places := map[uuid.UUID]string{}
	for id, c := range due {
		places[id] = w.where(t, c)
	}
	p.Progress = func(store.RetentionResult) {
		for id, c := range due {
			if w.where(t, c) == places[id] {
				touch(w.st.ForUser(c.UserID), c)
			}
			delete(due, id)
		}
	}
	res := retain(t, w.st.AllUsers(), p)
	require.EqualValues(t, 1, res.Archived+res.Deleted+res.Purged.Conversations, "%s, %+v: %+v", name, p, res)
	for id := range places {
		n, err := w.st.AllUsers().Conversations().Erase(ctx, id)
		if err != nil {
			require.ErrorIs(t, err, store.ErrNotFound)
		}
		require.LessOrEqual(t, n.Conversations, int64(1))
	}
}

// testRetentionLetsOthersWrite appends after each batch, through the same store: were a
// transaction or a lock still held, SQLite's only connection would not be free.
func testRetentionLetsOthersWrite(t *testing.T, w *world) {
	var cs []*conversation.Conversation
	for i := range 12 {
		cs = append(cs, w.aged(t, w.user, 20*day-time.Duration(i)*time.Hour))
	}
	appended := 0
	res := retain(t, w.mine, store.RetentionPolicy{ArchiveAfter: 10 * day, BatchSize: 2, Progress: func(store.RetentionResult) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if last := len(cs) - 1 - appended; w.where(t, cs[last]) != "archived" {
			must[bool](t)(w.mine.Messages().Append(ctx, cs[last].ID, text("still here")))
			appended++
		}
	}})
	require.Greater(t, appended, 2)
	require.EqualValues(t, len(cs)-appended, res.Archived)
	for i, c := range cs {
		want := "archived"
		if i >= len(cs)-appended {
			want = "needs_reply"
		}
		require.Equal(t, want, w.where(t, c), fmt.Sprint(i))
		CheckConversation(t, w.mine, c.ID)
	}
}

func testRetentionEndsWithItsContext(t *testing.T, w *world) {
	for range 7 {
		w.aged(t, w.user, 11*day)
		w.delete(t, w.aged(t, w.user, 11*day))
	}
	w.clock.add(21 * day)
	for _, p := range []store.RetentionPolicy{{PurgeAfter: day, BatchSize: 2}, {ArchiveAfter: day, BatchSize: 2}} {
		ctx, cancel := context.WithCancel(t.Context())
		p.Progress = func(store.RetentionResult) { cancel() }
		res, err := w.mine.Maintenance().Retain(ctx, p)
		require.ErrorIs(t, err, context.Canceled)
		require.EqualValues(t, 2, res.Archived+res.Purged.Conversations, "what was done is in the result")
		p.Progress = nil
		res = w.retains(t, w.mine, p)
		require.EqualValues(t, 5, res.Archived+res.Purged.Conversations, "a second run goes on")
	}
	_, err := w.mine.Maintenance().Retain(canceled(t), everyStep)
	require.ErrorIs(t, err, context.Canceled)
}
