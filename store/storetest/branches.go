package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func branchTests() subtests {
	return subtests{
		"BranchParents":   testBranchParents,
		"BranchReads":     testBranchReads,
		"BranchAgain":     testBranchAgain,
		"BranchPages":     testBranchPages,
		"BranchBytes":     testBranchBytes,
		"BranchSiblings":  testBranchSiblings,
		"BranchSetHead":   testBranchSetHead,
		"BranchStatus":    testBranchStatus,
		"BranchTruncate":  testBranchTruncate,
		"BranchFreeKeys":  testBranchFreeKeys,
		"BranchReplace":   testBranchReplace,
		"BranchFork":      testBranchFork,
		"BranchForkOther": testBranchForkOther,
		"BranchPurge":     testBranchPurge,
		"BranchImport":    testBranchImport,
		"BranchGetByKey":  testBranchGetByKey,
	}
}

// under appends a message with a parent.
func (w *world) under(t testing.TB, c *conversation.Conversation, parent int64, content string) *message.Message {
	t.Helper()
	return w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: content, ParentSeq: &parent})
}

// tree is a thread "1", "2", "3" with "2b" beside "2", "3b" after that, and the head there.
func (w *world) tree(t testing.TB) *conversation.Conversation {
	t.Helper()
	c := w.thread(t, 3)
	w.under(t, c, 1, "2b")
	w.append(t, c, text("3b"))
	return w.get(t, c.ID)
}

func (w *world) path(t testing.TB, c *conversation.Conversation, seq int64) []string {
	t.Helper()
	page, err := w.mine.Messages().Path(t.Context(), c.ID, seq, store.PageRequest{})
	require.NoError(t, err)
	return contents(page.Items)
}

func testBranchParents(t *testing.T, w *world) {
	c := w.conversation(t)
	first := w.under(t, c, 0, "1")
	require.Nil(t, first.ParentSeq, "the beginning of a linear thread stores nothing")
	second := w.under(t, c, 1, "2")
	require.Nil(t, second.ParentSeq, "and neither does what follows the message before it")
	require.False(t, w.get(t, c.ID).Branched)
	branch := w.under(t, c, 1, "2b")
	require.Equal(t, new(int64(1)), branch.ParentSeq)
	c = w.get(t, c.ID)
	require.True(t, c.Branched)
	require.Nil(t, c.HeadSeq, "the newest message is the head")
	same(t, branch, w.message(t, branch.ID))
	root := w.under(t, c, 0, "another beginning")
	require.Equal(t, []string{"another beginning"}, w.messages(t, c))
	other := w.thread(t, 9)
	before := w.get(t, c.ID)
	for _, bad := range []int64{-1, 5, 9, 1 << 40} {
		w.unchanged(t, func() {
			m := &message.Message{Role: message.RoleUser, ParentSeq: &bad}
			_, err := w.mine.Messages().Append(t.Context(), c.ID, m)
			invalid(t, err, "parent_seq")
			require.Contains(t, err.Error(), map[bool]string{true: "is negative", false: "is that of no message of the conversation"}[bad < 0])
			_, err = w.mine.Messages().AppendMany(t.Context(), c.ID, []*message.Message{{Role: message.RoleUser, ParentSeq: &bad}}, store.AppendOptions{})
			invalid(t, err, "parent_seq")
			require.Contains(t, err.Error(), map[bool]string{true: "is negative", false: "is that of no message of the conversation"}[bad < 0])
			var at *store.BatchError
			require.ErrorAs(t, err, &at)
		})
	}
	same(t, before, w.get(t, c.ID))
	require.False(t, w.get(t, other.ID).Branched)
	w.deleteMessage(t, root)
	w.under(t, c, root.Seq, "after a deleted one")
	require.Equal(t, []string{"after a deleted one"}, w.messages(t, c))

	// A batch names parents by the seqs that its messages get.
	many := w.thread(t, 1)
	ms := []*message.Message{text("2"), text("3"), text("3b"), text("4b")}
	ms[2].ParentSeq = new(int64(2))
	created, err := w.mine.Messages().AppendMany(t.Context(), many.ID, ms, store.AppendOptions{ExpectedSeq: new(int64(1))})
	require.NoError(t, err)
	require.Equal(t, []bool{true, true, true, true}, created)
	require.Equal(t, []string{"1", "2", "3b", "4b"}, w.messages(t, many))
	require.Equal(t, []string{"1", "2", "3"}, w.path(t, many, 3))
	late := []*message.Message{text("6"), text("7")}
	late[0].ParentSeq = new(int64(7))
	_, err = w.mine.Messages().AppendMany(t.Context(), many.ID, late, store.AppendOptions{})
	invalid(t, err, "parent_seq")
	require.ErrorContains(t, err, "is that of no message of the conversation before this one")
	var seq *store.SeqConflictError
	_, err = w.mine.Messages().AppendMany(t.Context(), many.ID, []*message.Message{text("x")}, store.AppendOptions{ExpectedSeq: new(int64(4))})
	require.ErrorAs(t, err, &seq, "the last seq counts, not the length of the path")
	require.EqualValues(t, 5, seq.Actual)
}

// testBranchAgain appends the sibling of each message of a tree under its Parent.
func testBranchAgain(t *testing.T, w *world) {
	for _, c := range []*conversation.Conversation{w.thread(t, 3), w.tree(t)} {
		old, err := collect(w.mine.Messages().All(t.Context(), c.ID, store.MessageFilter{Branches: store.AllBranches}))
		require.NoError(t, err)
		for _, m := range old {
			sibling := w.under(t, c, m.Parent(), "a sibling of "+m.Content)
			require.Equal(t, m.Parent(), sibling.Parent())
			branches, err := w.mine.Messages().Branches(t.Context(), c.ID, m.Seq)
			require.NoError(t, err)
			var seqs []int64
			for _, b := range branches {
				seqs = append(seqs, b.Seq)
			}
			require.Contains(t, seqs, sibling.Seq)
		}
	}
}

func testBranchReads(t *testing.T, w *world) {
	ctx, c := t.Context(), w.tree(t)
	ms := w.mine.Messages()
	path := []string{"1", "2b", "3b"}
	require.Equal(t, path, w.messages(t, c))
	thread, err := w.mine.Conversations().Thread(ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, path, contents(thread.Messages))
	last, err := ms.Last(ctx, c.ID, 2)
	require.NoError(t, err)
	require.Equal(t, path[1:], contents(last))
	around, err := ms.Around(ctx, c.ID, 4, 1)
	require.NoError(t, err)
	require.Equal(t, path, contents(around))
	around, err = ms.Around(ctx, c.ID, 3, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2b"}, contents(around), "a message of another branch is left out")
	numbered, err := ms.ListNumbered(ctx, c.ID, store.MessageFilter{}, store.NumberRequest{Size: 2, Number: 2})
	require.NoError(t, err)
	require.EqualValues(t, 3, numbered.Total)
	require.Equal(t, path[2:], contents(numbered.Items))
	for f, want := range map[*store.MessageFilter][]string{
		{Order: store.ReverseThreadOrder}:    {"3b", "2b", "1"},
		{AfterSeq: 1, BeforeSeq: 5}:          {"2b"},
		{Roles: []message.Role{"assistant"}}: {"2b"},
		{Branches: store.AllBranches}:        {"1", "2", "3", "2b", "3b"},
		{Deleted: store.OnlyDeleted}:         {},
	} {
		page, err := ms.List(ctx, c.ID, *f, store.PageRequest{})
		require.NoError(t, err)
		require.Equal(t, want, contents(page.Items), "%+v", *f)
	}
	_, err = ms.List(ctx, c.ID, store.MessageFilter{Branches: 2}, store.PageRequest{})
	invalid(t, err, "branches")

	// Pages of a path, and of another one.
	page, err := ms.Path(ctx, c.ID, 3, store.PageRequest{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2"}, contents(page.Items))
	rest, err := ms.Path(ctx, c.ID, 3, store.PageRequest{After: page.Next})
	require.NoError(t, err)
	require.Equal(t, []string{"3"}, contents(rest.Items))
	_, err = ms.Path(ctx, c.ID, 5, store.PageRequest{After: page.Next})
	require.ErrorIs(t, err, store.ErrInvalid, "the cursor is of another path")
	_, err = ms.Path(ctx, c.ID, 0, store.PageRequest{})
	invalid(t, err, "seq")
	missing[store.Page[*message.Message]](t)(ms.Path(ctx, c.ID, 6, store.PageRequest{}))
	missing[store.Page[*message.Message]](t)(ms.Path(ctx, uuid.New(), 1, store.PageRequest{}))
	everybody, err := w.st.AllUsers().Messages().Path(ctx, c.ID, 3, store.PageRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3"}, contents(everybody.Items))
	w.delete(t, c)
	missing[store.Page[*message.Message]](t)(ms.Path(ctx, c.ID, 3, store.PageRequest{}))
	missing[[]*message.Message](t)(ms.Last(ctx, c.ID, 1))
}

func testBranchSiblings(t *testing.T, w *world) {
	ctx, c := t.Context(), w.tree(t)
	third := w.under(t, c, 1, "2c")
	w.append(t, c, text("3c"))
	branches := func(seq int64) []store.Branch {
		t.Helper()
		got, err := w.mine.Messages().Branches(ctx, c.ID, seq)
		require.NoError(t, err)
		for i, b := range got {
			require.NotEqual(t, uuid.Nil, b.ID)
			require.True(t, b.Role.Valid())
			require.False(t, b.CreatedAt.IsZero())
			got[i] = store.Branch{Seq: b.Seq, OnPath: b.OnPath, TipSeq: b.TipSeq}
		}
		return got
	}
	want := []store.Branch{{Seq: 2, TipSeq: 3}, {Seq: 4, TipSeq: 5}, {Seq: third.Seq, TipSeq: 7, OnPath: true}}
	for _, seq := range []int64{2, 4, third.Seq} {
		require.Equal(t, want, branches(seq), "of %d", seq)
	}
	require.Equal(t, []store.Branch{{Seq: 1, TipSeq: 7, OnPath: true}}, branches(1), "an only child")
	w.under(t, c, 0, "1b")
	require.Equal(t, []store.Branch{{Seq: 1, TipSeq: 7}, {Seq: 8, TipSeq: 8, OnPath: true}}, branches(1))
	w.deleteMessage(t, third)
	require.Equal(t, []store.Branch{{Seq: 2, TipSeq: 3}, {Seq: 4, TipSeq: 5}}, branches(2), "deleted ones are left out")
	_, err := w.mine.Messages().Branches(ctx, c.ID, 0)
	invalid(t, err, "seq")
	missing[[]store.Branch](t)(w.mine.Messages().Branches(ctx, c.ID, 99))
	missing[[]store.Branch](t)(w.mine.Messages().Branches(ctx, uuid.New(), 1))
}

func testBranchSetHead(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 3)
	before := w.get(t, c.ID)
	set := func(seq int64) *conversation.Conversation {
		t.Helper()
		got, err := w.mine.Messages().SetHead(ctx, c.ID, seq)
		require.NoError(t, err)
		same(t, w.get(t, c.ID), got)
		return got
	}
	same(t, before, set(3)) // the head already
	require.Equal(t, new(int64(2)), set(2).HeadSeq)
	require.Equal(t, []string{"1", "2"}, w.messages(t, c))
	require.Equal(t, before.Status, w.get(t, c.ID).Status)
	next := w.append(t, c, &message.Message{Role: message.RoleUser, Content: "3b", IdempotencyKey: "k"})
	require.Equal(t, new(int64(2)), next.ParentSeq)
	require.Nil(t, w.get(t, c.ID).HeadSeq)
	require.Equal(t, []string{"1", "2", "3b"}, w.messages(t, c))
	set(3)
	again := &message.Message{Role: message.RoleUser, IdempotencyKey: "k"}
	created, err := w.mine.Messages().Append(ctx, c.ID, again)
	require.NoError(t, err)
	require.False(t, created)
	same(t, next, again)
	require.Equal(t, []string{"1", "2", "3"}, w.messages(t, c), "a redelivery moves no head")

	// A head that is deleted keeps its place.
	w.deleteMessage(t, c.Messages[2])
	require.Equal(t, []string{"1", "2"}, w.messages(t, c))
	require.Equal(t, new(int64(3)), w.append(t, c, text("4")).ParentSeq)
	require.Equal(t, []string{"1", "2", "4"}, w.messages(t, c))
	set(3)
	set(0)
	require.Empty(t, w.messages(t, c))
	require.Equal(t, new(int64(0)), w.append(t, c, text("again")).ParentSeq)
	require.Equal(t, []string{"again"}, w.messages(t, c))
	for _, seq := range []int64{7, 1 << 40} {
		missing[*conversation.Conversation](t)(w.mine.Messages().SetHead(ctx, c.ID, seq))
	}
	_, err = w.mine.Messages().SetHead(ctx, c.ID, -1)
	invalid(t, err, "seq")
	empty := w.conversation(t)
	_, err = w.mine.Messages().SetHead(ctx, empty.ID, 0)
	require.NoError(t, err)
	missing[*conversation.Conversation](t)(w.mine.Messages().SetHead(ctx, empty.ID, 1))
	w.delete(t, c)
	missing[*conversation.Conversation](t)(w.mine.Messages().SetHead(ctx, c.ID, 1))
}

func testBranchTruncate(t *testing.T, w *world) {
	ctx, c := t.Context(), w.conversation(t)
	w.append(t, c, &message.Message{Direction: message.DirectionInbound, Content: "1", SentAt: epoch})
	w.append(t, c, &message.Message{Direction: message.DirectionOutbound, Content: "2", SentAt: epoch.Add(time.Hour)})
	streaming := w.append(t, c, &message.Message{Role: message.RoleAssistant, Content: "3", State: message.StateStreaming, Fence: 1})
	truncate := func(seq int64) int64 {
		t.Helper()
		n, err := w.mine.Messages().TruncateAfter(ctx, c.ID, seq, store.TruncateOptions{})
		require.NoError(t, err)
		return n
	}
	before := w.get(t, c.ID)
	require.Zero(t, truncate(3), "at the head")
	same(t, before, w.get(t, c.ID))
	require.EqualValues(t, 2, truncate(1))
	missing[*message.Message](t)(w.mine.Messages().Get(ctx, streaming.ID))
	got := w.get(t, c.ID)
	require.Equal(t, conversation.StatusNeedsReply, got.Status)
	require.True(t, epoch.Equal(got.LastMessageAt))
	require.Equal(t, new(int64(1)), w.append(t, c, text("2b")).ParentSeq)
	_, err := w.mine.Messages().Restore(ctx, streaming.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2b"}, w.messages(t, c), "what is restored is on its own branch")
	_, err = w.mine.Messages().TruncateAfter(ctx, c.ID, 3, store.TruncateOptions{})
	invalid(t, err, "seq")
	_, err = w.mine.Messages().TruncateAfter(ctx, c.ID, -1, store.TruncateOptions{})
	invalid(t, err, "seq")
	missing[int64](t)(w.mine.Messages().TruncateAfter(ctx, c.ID, 5, store.TruncateOptions{}))
	require.EqualValues(t, 2, truncate(0))
	require.Zero(t, truncate(0))
	got = w.get(t, c.ID)
	require.Equal(t, conversation.StatusActive, got.Status)
	require.True(t, got.CreatedAt.Equal(got.LastMessageAt))
	require.Empty(t, w.messages(t, c))
	must[*conversation.Conversation](t)(w.mine.Messages().SetHead(ctx, c.ID, 3))
	must[*conversation.Conversation](t)(w.mine.Conversations().Archive(ctx, c.ID))
	require.EqualValues(t, 1, truncate(1))
	require.Equal(t, conversation.StatusArchived, w.get(t, c.ID).Status)
}

func testBranchFreeKeys(t *testing.T, w *world) {
	ctx, c := t.Context(), w.thread(t, 1)
	keyed := func() *message.Message {
		return &message.Message{Role: message.RoleAssistant, Content: "2", IdempotencyKey: "k", GmailMessageID: "g", PostmarkMessageID: "p"}
	}
	first := w.append(t, c, keyed())
	must[int64](t)(w.mine.Messages().TruncateAfter(ctx, c.ID, 1, store.TruncateOptions{}))
	created, err := w.mine.Messages().Append(ctx, c.ID, keyed())
	require.NoError(t, err)
	require.False(t, created, "a mail that is deleted stays deleted")
	must[*conversation.Conversation](t)(w.mine.Messages().SetHead(ctx, c.ID, 2))
	must[int64](t)(w.mine.Messages().TruncateAfter(ctx, c.ID, 1, store.TruncateOptions{FreeKeys: true}))
	second := w.append(t, c, keyed())
	require.NotEqual(t, first.ID, second.ID)
	same(t, second, w.message(t, second.ID))
}

func testBranchReplace(t *testing.T, w *world) {
	ctx, c := t.Context(), w.tree(t)
	keyed := func() []*message.Message {
		return []*message.Message{
			{Role: message.RoleUser, Content: "a", IdempotencyKey: "a", SentAt: epoch.Add(-time.Hour), ParentSeq: new(int64(3))},
			{Role: message.RoleAssistant, Content: "b", IdempotencyKey: "b", SentAt: epoch.Add(-time.Minute)},
		}
	}
	n, err := w.mine.Messages().Replace(ctx, c.ID, keyed(), store.ReplaceOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 3, n, "the path of the head")
	require.Equal(t, []string{"a", "b"}, w.messages(t, c))
	require.Equal(t, []string{"2", "3"}, w.path(t, c, 3), "the first message was on the path of the head")
	got := w.get(t, c.ID)
	require.Equal(t, conversation.StatusWaiting, got.Status)
	require.True(t, epoch.Add(-time.Minute).Equal(got.LastMessageAt))
	w.unchanged(t, func() {
		_, err = w.mine.Messages().Replace(ctx, c.ID, keyed(), store.ReplaceOptions{})
		require.ErrorIs(t, err, store.ErrConflict)
		var at *store.BatchError
		require.ErrorAs(t, err, &at)
		require.Zero(t, at.Index)
	})
	require.Equal(t, []string{"a", "b"}, w.messages(t, c), "all or nothing")
	n, err = w.mine.Messages().Replace(ctx, c.ID, keyed(), store.ReplaceOptions{FreeKeys: true})
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	n, err = w.mine.Messages().Replace(ctx, c.ID, nil, store.ReplaceOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	require.Empty(t, w.messages(t, c))
	require.Equal(t, conversation.StatusActive, w.get(t, c.ID).Status)
	_, err = w.mine.Messages().Replace(ctx, c.ID, []*message.Message{text("x"), nil}, store.ReplaceOptions{})
	require.ErrorIs(t, err, store.ErrInvalid)
	fresh := w.conversation(t)
	n, err = w.mine.Messages().Replace(ctx, fresh.ID, []*message.Message{text("1")}, store.ReplaceOptions{})
	require.NoError(t, err)
	require.Zero(t, n)
	require.False(t, w.get(t, fresh.ID).Branched)
	missing[int64](t)(w.mine.Messages().Replace(ctx, uuid.New(), keyed(), store.ReplaceOptions{}))
}
