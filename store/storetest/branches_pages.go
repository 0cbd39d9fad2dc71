package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// turns is a thread whose path has n messages, of which every fifth begins another run, with two
// messages beside each.
func (w *world) turns(t testing.TB, n int) (c *conversation.Conversation, path []*message.Message) {
	t.Helper()
	c = &conversation.Conversation{}
	for i := range n {
		m := text(fmt.Sprint(i))
		if i%5 == 4 {
			m.ParentSeq = new(int64(len(c.Messages)))
			c.Messages = append(c.Messages, text("beside"), text("beside"))
		}
		c.Messages = append(c.Messages, m)
		path = append(path, m)
	}
	return w.create(t, c), path
}

// testBranchPages: the pages of a path are full, however many of its messages are deleted, and in
// either direction they are those of a linear thread.
func testBranchPages(t *testing.T, w *world) {
	ctx := t.Context()
	c, path := w.turns(t, 60)
	require.True(t, w.get(t, c.ID).Branched)
	for _, m := range slices.Concat(path[2:4], path[20:35], path[50:58]) {
		w.deleteMessage(t, m)
	}
	live := slices.Concat(path[:2], path[4:20], path[35:50], path[58:])
	want := contents(live)
	for n := 1; n <= len(live)+1; n += 4 {
		last, err := w.mine.Messages().Last(ctx, c.ID, n)
		require.NoError(t, err)
		require.Equal(t, want[max(0, len(want)-n):], contents(last), "last %d", n)
	}
	for _, f := range []store.MessageFilter{
		{},
		{Order: store.ReverseThreadOrder},
		{AfterSeq: live[5].Seq, BeforeSeq: live[30].Seq},
		{AfterSeq: live[5].Seq, BeforeSeq: live[30].Seq, Order: store.ReverseThreadOrder},
		{Roles: []message.Role{message.RoleUser}, Order: store.ReverseThreadOrder},
		{Order: store.SentOrder},
	} {
		expected := slices.Clone(want)
		if f.AfterSeq > 0 {
			expected = expected[6:30]
		}
		if f.Order == store.ReverseThreadOrder {
			slices.Reverse(expected)
		}
		for _, limit := range []int{1, 7, 100} {
			var got []string
			for p := (store.PageRequest{Limit: limit}); ; {
				page, err := w.mine.Messages().List(ctx, c.ID, f, p)
				require.NoError(t, err)
				got = append(got, contents(page.Items)...)
				if p.After = page.Next; p.After == "" {
					break
				}
				require.Len(t, page.Items, limit, "%+v", f)
			}
			require.Equal(t, expected, got, "%+v by %d", f, limit)
		}
	}
	deleted, err := w.mine.Messages().List(ctx, c.ID, store.MessageFilter{Deleted: store.OnlyDeleted}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, deleted.Items, 25)
	require.Equal(t, want, w.path(t, c, c.LastSeq))
	thread, err := w.mine.Conversations().Thread(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, want, contents(thread.Messages))
}

// testBranchBytes: a page of a path ends with the message that fills it, in either direction, and a
// thread has all of them.
func testBranchBytes(t *testing.T, w *world) {
	const n = 10 // MaxPageBytes are 8 messages
	c := &conversation.Conversation{}
	for i := range n {
		c.Messages = append(c.Messages, text(fmt.Sprint(i)+mebibyte))
	}
	c.Messages[5].ParentSeq = new(int64(4)) // beside the fifth message, which the path does without
	w.create(t, c)
	for _, o := range []store.MessageOrder{store.ThreadOrder, store.ReverseThreadOrder} {
		require.Equal(t, n-1, pagesOf(t, 2, func(p store.PageRequest) (store.Page[*message.Message], error) {
			return w.mine.Messages().List(t.Context(), c.ID, store.MessageFilter{Order: o}, p)
		}, func(m *message.Message) uuid.UUID { return m.ID }))
	}
	last, err := w.mine.Messages().Last(t.Context(), c.ID, n)
	require.NoError(t, err)
	require.Less(t, len(last), n-1)
	seqs := []int64{1, 2, 3, 4, 6, 7, 8, 9, 10}
	for i, m := range last {
		require.Equal(t, seqs[len(seqs)-len(last)+i], m.Seq, "the nearest to the end, without gaps")
	}
	thread, err := w.mine.Conversations().Thread(t.Context(), c.ID)
	require.NoError(t, err)
	require.Len(t, thread.Messages, n-1)
}
