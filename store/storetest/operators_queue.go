package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// theQueue is the filter of the queue.
var theQueue = store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}}

// queued is a conversation of an inbox with what the rows of other tables say of it.
type queued struct {
	*conversation.Conversation
	draft bool
}

// inbox fills the store with conversations that have everything operators do in all combinations.
func (w *world) inbox(t *testing.T, n int) []queued {
	t.Helper()
	dice := rand.New(rand.NewPCG(1, uint64(n)))
	all := make([]queued, 0, n)
	for i := range n {
		c := &conversation.Conversation{Title: fmt.Sprint(i), App: []string{"", "app"}[dice.IntN(2)], Assignee: []string{"", "ann", "bob"}[dice.IntN(3)]}
		if role := []message.Role{"", message.RoleUser, message.RoleUser, message.RoleAssistant}[dice.IntN(4)]; role != "" {
			sent := epoch.Add(-time.Duration(dice.IntN(40)) * time.Minute)
			c.Messages = []*message.Message{{Role: role, Content: "a", SentAt: sent}}
		}
		switch dice.IntN(4) {
		case 0:
			c.SnoozedUntil = new(epoch.Add(time.Duration(dice.IntN(3)) * time.Minute))
		case 1:
			c.SnoozedUntil = new(epoch.Add(-time.Duration(dice.IntN(3)) * time.Minute))
		}
		if dice.IntN(4) == 0 {
			c.PinnedAt = new(epoch)
		}
		w.create(t, c)
		q := queued{Conversation: c}
		for range dice.IntN(3) {
			d := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "draft"}
			require.NoError(t, w.mine.Suggestions().Create(t.Context(), d))
			if dice.IntN(2) == 0 {
				must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(t.Context(), d.ID))
				continue
			}
			q.draft = true
		}
		if dice.IntN(9) == 0 {
			w.delete(t, c)
			continue
		}
		all = append(all, q)
	}
	return all
}

// matches is a filter in Go.
func (q queued) matches(f store.ConversationFilter, now time.Time) bool {
	snoozed := q.SnoozedAt(now)
	queue := len(f.Statuses) == 1 && f.Statuses[0] == conversation.StatusNeedsReply
	switch f.Snoozed {
	case store.SnoozedByStatus:
		if queue && snoozed {
			return false
		}
	case store.ExcludeSnoozed:
		if snoozed {
			return false
		}
	case store.OnlySnoozed:
		if !snoozed {
			return false
		}
	}
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, q.Status)) &&
		(f.App == "" || f.App == q.App) && (f.Assignee == "" || f.Assignee == q.Assignee) && (!f.Unassigned || q.Assignee == "") &&
		(!f.Pinned || q.Pinned()) && (!f.HasDraft || q.draft)
}

// before is an order in Go.
func (q queued) before(o queued, f store.ConversationFilter) int {
	pinned := func(q queued) int {
		if f.PinnedFirst && q.Pinned() {
			return 0
		}
		return 1
	}
	if n := cmp.Compare(pinned(q), pinned(o)); n != 0 {
		return n
	}
	at, other := q.LastMessageAt, o.LastMessageAt
	if f.Order == store.NewestCreated {
		at, other = q.CreatedAt, o.CreatedAt
	}
	n := cmp.Or(at.Compare(other), strings.Compare(q.ID.String(), o.ID.String()))
	if f.Order != store.OldestActivity {
		n = -n
	}
	return n
}

// queueFilters are all combinations of what a queue is filtered and sorted by.
func queueFilters() (all []store.ConversationFilter) {
	for _, statuses := range [][]conversation.Status{nil, theQueue.Statuses, {conversation.StatusNeedsReply, conversation.StatusWaiting}} {
		for snoozed := store.SnoozedByStatus; snoozed <= store.OnlySnoozed; snoozed++ {
			for who := range 3 {
				for marks := range 8 {
					all = append(all, store.ConversationFilter{
						Statuses: statuses, Snoozed: snoozed, Assignee: []string{"", "ann", ""}[who], Unassigned: who == 2,
						Pinned: marks&1 != 0, HasDraft: marks&2 != 0, PinnedFirst: marks&4 != 0,
						Order: store.ConversationOrder(len(all) % 3),
					})
				}
			}
		}
	}
	for i := range all {
		if i%7 == 0 {
			all[i].App = "app"
		}
	}
	return all
}

// testQueueFilters compares each filter with what it says in Go: in every list, in both scopes, from
// page to page.
func testQueueFilters(t *testing.T, w *world) {
	ctx, now := t.Context(), w.clock.Now()
	all := w.inbox(t, 80)
	for i, f := range queueFilters() {
		if i%5 > 0 && !testrun.Full() {
			continue
		}
		want := []string{}
		matching := slices.DeleteFunc(slices.Clone(all), func(q queued) bool { return !q.matches(f, now) })
		slices.SortFunc(matching, func(a, b queued) int { return a.before(b, f) })
		for _, q := range matching {
			want = append(want, q.Title)
		}
		for who, s := range map[string]store.Scope{"mine": w.mine, "all": w.st.AllUsers()} {
			got, err := list(7, func(p store.PageRequest) (store.Page[*conversation.Conversation], error) {
				return s.Conversations().List(ctx, f, p)
			})
			require.NoError(t, err)
			require.Equal(t, want, titles(got), "%s %+v", who, f)
			numbered, err := s.Conversations().ListNumbered(ctx, f, store.NumberRequest{Number: 2, Size: 3})
			require.NoError(t, err)
			require.EqualValues(t, len(want), numbered.Total, "%s %+v", who, f)
			require.Equal(t, want[min(3, len(want)):min(6, len(want))], titles(numbered.Items), "%s %+v", who, f)
		}
		shown, err := w.mine.Conversations().Overview(ctx, f, fullOverview, store.PageRequest{Limit: 9})
		require.NoError(t, err)
		for i, o := range shown.Items {
			require.Equal(t, want[i], o.Title)
			require.Equal(t, matching[i].draft, o.Draft != nil)
		}
		require.Len(t, shown.Items, min(9, len(want)))
	}
	w.compareCounts(t, all)
}

// compareCounts: each count is the total of its filter.
func (w *world) compareCounts(t *testing.T, all []queued) {
	t.Helper()
	var want store.QueueCounts
	draft, mine, nobodys := theQueue, theQueue, theQueue
	draft.HasDraft, mine.Assignee, nobodys.Unassigned = true, "ann", true
	for f, n := range map[*store.ConversationFilter]*int64{
		&theQueue: &want.NeedsReply, &draft: &want.WithDraft, &mine: &want.Mine, &nobodys: &want.Unassigned, {Snoozed: store.OnlySnoozed}: &want.Snoozed,
	} {
		for _, q := range all {
			if q.matches(*f, w.clock.Now()) {
				*n++
			}
		}
	}
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		got, err := s.Conversations().Counts(t.Context(), "ann")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	got, err := w.mine.Conversations().Counts(t.Context(), "")
	require.NoError(t, err)
	want.Mine = 0
	require.Equal(t, want, got)
	got, err = w.other().Conversations().Counts(t.Context(), "ann")
	require.NoError(t, err)
	require.Zero(t, got)
}

// testQueueOfSnoozed: a snoozed conversation is out of each queue until it is due, without a job.
func testQueueOfSnoozed(t *testing.T, w *world) {
	ctx := t.Context()
	first, second := w.thread(t, 1), w.thread(t, 2)
	queue := func() (ids []uuid.UUID) {
		t.Helper()
		page, err := w.mine.Conversations().NeedsReply(ctx, page)
		require.NoError(t, err)
		unread, err := w.mine.Conversations().Unread(ctx, epoch.AddDate(-1, 0, 0), store.PageRequest{})
		require.NoError(t, err)
		reported, err := w.mine.Reports().Unread(ctx, epoch.AddDate(-1, 0, 0), store.PageRequest{})
		require.NoError(t, err)
		counts, err := w.mine.Conversations().Counts(ctx, "")
		require.NoError(t, err)
		require.EqualValues(t, len(page.Items), counts.NeedsReply)
		require.EqualValues(t, 2-len(page.Items), counts.Snoozed)
		require.Len(t, reported.Items, len(page.Items))
		require.Equal(t, titles(page.Items), titles(unread.Items))
		for _, c := range page.Items {
			ids = append(ids, c.ID)
		}
		return ids
	}
	require.Equal(t, []uuid.UUID{second.ID, first.ID}, queue())
	must[*conversation.Conversation](t)(w.mine.Conversations().Snooze(ctx, second.ID, epoch.Add(2*time.Minute)))
	require.Equal(t, []uuid.UUID{first.ID}, queue())
	require.Len(t, w.listed(t, store.ConversationFilter{}), 2, "a list that is no queue has it")
	w.tick()
	require.Equal(t, []uuid.UUID{first.ID}, queue())
	w.tick()
	require.Equal(t, []uuid.UUID{second.ID, first.ID}, queue(), "at the time itself, in its place")
	must[*conversation.Conversation](t)(w.mine.Conversations().Snooze(ctx, second.ID, w.clock.Now().Add(time.Hour)))
	w.inbound(t, second)
	require.Equal(t, []uuid.UUID{second.ID, first.ID}, queue(), "they have written again")
}

func testQueueInput(t *testing.T, w *world) {
	for field, f := range map[string]store.ConversationFilter{
		"snoozed": {Snoozed: -1}, "unassigned": {Unassigned: true, Assignee: "ann"}, "order": {Order: store.OldestActivity + 1},
	} {
		_, err := w.mine.Conversations().List(t.Context(), f, page)
		invalid(t, err, field)
	}
	_, err := w.mine.Conversations().List(t.Context(), store.ConversationFilter{Snoozed: store.OnlySnoozed + 1}, page)
	invalid(t, err, "snoozed")
	for _, bad := range []string{"\xff", "a\x00", strings.Repeat("a", 1025)} {
		_, err := w.mine.Conversations().Counts(t.Context(), bad)
		invalid(t, err, "assignee")
	}
	_, err = w.mine.Conversations().Counts(canceled(t), "")
	require.Error(t, err)
}

// testQueueCountsStop: no count goes beyond MaxQueueCount.
func testQueueCountsStop(t *testing.T, w *world) {
	db := w.st.DB(t.Context())
	cs := make([]*conversation.Conversation, store.MaxQueueCount+3)
	ds := make([]*suggestion.Suggestion, len(cs))
	for i := range cs {
		cs[i] = &conversation.Conversation{ID: uuid.New(), UserID: w.user, Status: conversation.StatusNeedsReply, CreatedAt: epoch}
		ds[i] = &suggestion.Suggestion{ConversationID: cs[i].ID, UserID: w.user, SuggestedContent: "draft", CreatedAt: epoch}
	}
	require.NoError(t, db.CreateInBatches(cs, 200).Error)
	require.NoError(t, db.CreateInBatches(ds, 200).Error)
	got, err := w.mine.Conversations().Counts(t.Context(), "ann")
	require.NoError(t, err)
	const most = store.MaxQueueCount
	require.Equal(t, store.QueueCounts{NeedsReply: most, WithDraft: most, Unassigned: most}, got)
	f := theQueue
	f.HasDraft = true
	first, err := w.mine.Conversations().List(t.Context(), f, store.PageRequest{Limit: 5})
	require.NoError(t, err, "more drafts than are few")
	require.Len(t, first.Items, 5)
	rest, err := w.mine.Conversations().List(t.Context(), f, store.PageRequest{Limit: 1000, After: first.Next})
	require.NoError(t, err)
	require.Len(t, rest.Items, len(cs)-5)
}

func testOverviewDraft(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	draft := func() *store.DraftPreview {
		t.Helper()
		return w.overview(t, store.OverviewOptions{Draft: true})[0].Draft
	}
	require.Nil(t, draft())
	long := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: strings.Repeat("字", store.MaxPreview+1), ConfidenceScore: new(0.25)}
	require.NoError(t, w.mine.Suggestions().Create(ctx, long))
	require.Equal(t, &store.DraftPreview{
		ID: long.ID, Content: strings.Repeat("字", store.MaxPreview), Truncated: true, Confidence: new(0.25), CreatedAt: long.CreatedAt,
	}, draft())
	w.tick()
	newer := w.suggest(t, c, nil)
	require.Equal(t, &store.DraftPreview{ID: newer.ID, Content: "draft", CreatedAt: newer.CreatedAt}, draft(), "the newest one")
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Approve(ctx, newer.ID, suggestion.Review{By: "ann"}))
	require.Equal(t, long.ID, draft().ID, "the newest that is pending")
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, long.ID))
	require.Nil(t, draft())
	w.suggest(t, c, nil)
	require.Nil(t, w.overview(t, store.OverviewOptions{})[0].Draft, "not asked for")
}

func testOverviewLead(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, withLeads())
	makeLeadsTable(t, w.st, map[leadKey]hostLead{
		{w.user, "1"}: {title: new("Ünal & Sons"), category: new("a"), tier: new(10)}, {w.user, "2"}: {title: new("")},
		{uuid.New(), "3"}: {title: new("another's")},
	})
	for _, lead := range []string{"", "3", "2", "1"} {
		w.create(t, &conversation.Conversation{LeadID: lead})
		w.tick()
	}
	ask := store.OverviewOptions{Lead: []string{"tier", "title", "category", "tier"}}
	for _, s := range []store.Scope{w.mine, w.st.AllUsers()} {
		got, err := s.Conversations().Overview(t.Context(), store.ConversationFilter{}, ask, page)
		require.NoError(t, err)
		var leads []map[string]string
		for _, o := range got.Items {
			leads = append(leads, o.Lead)
		}
		require.Equal(t, []map[string]string{{"title": "Ünal & Sons", "category": "a", "tier": "10"}, {"title": ""}, {}, {}}, leads)
	}
	if w.inTx(t) {
		return // whose handle cannot be wrapped
	}
	rec := &Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(w.st.DB(t.Context())), withLeads())
	require.NoError(t, err)
	everything := fullOverview
	everything.Lead = ask.Lead
	for range 2 { // the first asks for the types of the table
		rec.Reset()
		_, err = recorded.ForUser(w.user).Conversations().Overview(t.Context(), theQueue, everything, page)
		require.NoError(t, err)
	}
	require.Len(t, rec.Statements(), 1, "the queue in one statement")
}

func testOverviewLeadRefused(t *testing.T, outer *world) {
	w := newWorld(t, outer.factory, withLeads())
	makeLeadsTable(t, w.st, nil)
	nobodys, err := convostore.New(t.Context(), w.st.DB(t.Context()), convostore.WithClock(w.clock.Now),
		convostore.WithLeads(store.HostTable{Name: leadsTable, Title: "title", Columns: []string{"tier"}}))
	require.NoError(t, err)
	for _, s := range []store.Scope{w.mine, w.st.AllUsers(), nobodys.ForUser(w.user), outer.mine} {
		for _, bad := range [][]string{{"owner"}, {""}, {"tier", `tier"`}, {"Tier"}, make([]string, store.MaxLeadColumns+1)} {
			_, err := s.Conversations().Overview(t.Context(), store.ConversationFilter{}, store.OverviewOptions{Lead: bad}, page)
			invalid(t, err, "lead")
		}
	}
	tier := store.OverviewOptions{Lead: []string{"tier"}}
	for _, s := range []store.Scope{nobodys.ForUser(w.user), outer.mine, outer.st.AllUsers()} {
		_, err := s.Conversations().Overview(t.Context(), store.ConversationFilter{}, tier, page)
		invalid(t, err, "lead")
	}
	_, err = nobodys.AllUsers().Conversations().Overview(t.Context(), store.ConversationFilter{}, tier, page)
	require.NoError(t, err, "all users may read a table whose owner nobody knows")
}
