package engine_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// filter returns a random filter, and what it takes of the model.
func (w *branchWalk) filter() (store.MessageFilter, func(n *modelNode) bool) {
	f := store.MessageFilter{Order: store.MessageOrder(w.rand.IntN(5)), Deleted: store.Deleted(w.rand.IntN(3))}
	some := func(n int) bool { return w.rand.IntN(n) == 0 }
	if some(2) {
		f.Deleted = store.ExcludeDeleted
	}
	if some(3) {
		f.Branches = store.AllBranches
	}
	if some(3) {
		f.AfterSeq = w.rand.Int64N(w.m.last + 3)
	}
	if some(3) {
		f.BeforeSeq = w.rand.Int64N(w.m.last + 3)
	}
	if some(5) {
		f.Roles = []message.Role{message.RoleUser, message.RoleSystem}
	}
	if some(6) {
		f.Direction = message.DirectionInbound
	}
	f.HasToolCalls, f.HasAttachments = some(9), some(9)
	if some(8) {
		f.SentSince = time.Date(2025, 6, 1, 0, 0, w.rand.IntN(5), 0, time.UTC)
	}
	if some(8) {
		f.SentBefore = time.Date(2025, 6, 1, 0, 0, w.rand.IntN(1<<25), 0, time.UTC)
	}
	return f, func(n *modelNode) bool {
		return (f.Deleted == store.IncludeDeleted || n.deleted == (f.Deleted == store.OnlyDeleted)) &&
			(f.AfterSeq == 0 || n.seq > f.AfterSeq) && (f.BeforeSeq == 0 || n.seq < f.BeforeSeq) &&
			(len(f.Roles) == 0 || slices.Contains(f.Roles, n.role)) && (f.Direction == "" || n.direction == f.Direction) &&
			(!f.HasToolCalls || n.tools) && (!f.HasAttachments || n.files) &&
			(f.SentSince.IsZero() || !n.sentAt.Before(f.SentSince)) && (f.SentBefore.IsZero() || n.sentAt.Before(f.SentBefore))
	}
}

// filtered is what the model has for a filter, in its order.
func (w *branchWalk) filtered(f store.MessageFilter, takes func(n *modelNode) bool) []string {
	nodes := w.m.path(w.m.head)
	if f.Branches == store.AllBranches {
		nodes = nil
		for _, n := range w.m.nodes {
			nodes = append(nodes, n)
		}
	}
	slices.SortFunc(nodes, func(a, b *modelNode) int {
		if f.Order == store.SentOrder || f.Order == store.ReverseSentOrder {
			if c := a.sentAt.Compare(b.sentAt); c != 0 {
				return c
			}
		}
		return int(a.seq - b.seq)
	})
	if f.Order == store.ReverseThreadOrder || f.Order == store.ReverseSentOrder {
		slices.Reverse(nodes)
	}
	want := []string{}
	for _, n := range nodes {
		if takes(n) {
			want = append(want, n.content)
		}
	}
	return want
}

// compareFiltered compares every reading method under a random filter with the model.
func (w *branchWalk) compareFiltered() {
	t, ctx := w.t, w.t.Context()
	f, takes := w.filter()
	want := w.filtered(f, takes)
	ms := w.other().ForUser(w.user).Messages()
	listed := []string{}
	for p := (store.PageRequest{Limit: 1 + w.rand.IntN(7)}); ; {
		page, err := ms.List(ctx, w.m.id, f, p)
		require.NoError(t, err, "%+v", f)
		listed = append(listed, textsOf(page.Items)...)
		require.True(t, page.Next == "" || len(page.Items) > 0)
		if p.After = page.Next; p.After == "" {
			break
		}
	}
	require.Equal(t, want, listed, "pages of %+v", f)
	all, err := collectMessages(ms.All(ctx, w.m.id, f))
	require.NoError(t, err)
	require.Equal(t, want, textsOf(all), "all of %+v", f)
	size := 1 + w.rand.IntN(7)
	number := 1 + w.rand.IntN(len(want)/size+1)
	numbered, err := ms.ListNumbered(ctx, w.m.id, f, store.NumberRequest{Size: size, Number: number})
	require.NoError(t, err)
	require.EqualValues(t, len(want), numbered.Total, "%+v", f)
	from := min(len(want), (number-1)*size)
	require.Equal(t, want[from:min(len(want), from+size)], textsOf(numbered.Items), "page %d of %+v", number, f)
	w.compareAround()
}

func (w *branchWalk) compareAround() {
	seq, n := 1+w.rand.Int64N(w.m.last+2), 1+w.rand.IntN(5)
	var before, after []string
	on := false
	for _, m := range live(w.m.path(w.m.head)) {
		switch {
		case m.seq < seq:
			before = append(before, m.content)
		case m.seq == seq:
			on = true
			before = append(before, m.content)
		default:
			after = append(after, m.content)
		}
	}
	keep := n
	if on {
		keep++
	}
	want := append(slices.Clone(before[max(0, len(before)-keep):]), after[:min(n, len(after))]...)
	got, err := w.other().ForUser(w.user).Messages().Around(w.t.Context(), w.m.id, seq, n)
	require.NoError(w.t, err)
	require.ElementsMatch(w.t, want, textsOf(got), "around %d by %d", seq, n)
	if want != nil {
		require.Equal(w.t, want, textsOf(got))
	}
}

// other is the store, or a second one that heard of none of its writes.
func (w *branchWalk) other() store.Store {
	if w.second != nil && w.rand.IntN(2) == 0 {
		return w.second
	}
	return w.st
}
