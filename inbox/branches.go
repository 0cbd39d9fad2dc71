package inbox

import (
	"context"
	"slices"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// branchView is one of several messages in one place. Tip is the message to show it with.
type branchView struct {
	Number  int
	Tip     int64
	Current bool
}

// tree has the live messages of a conversation by the seq of the message before them, oldest first,
// and the newest live message that follows each.
type tree struct {
	children map[int64][]int64
	tips     map[int64]int64
}

// branches reads the tree of a conversation that has branches, in one query: the newest thousand of
// its messages. Of any other it is empty.
func (r *request) branches(ctx context.Context, c *conversation.Conversation) (*tree, error) {
	t := &tree{children: map[int64][]int64{}, tips: map[int64]int64{}}
	if !c.Branched {
		return t, nil
	}
	list, err := r.mine().Messages().List(ctx, c.ID, store.MessageFilter{
		Order: store.ReverseThreadOrder, Branches: store.AllBranches, Deleted: store.IncludeDeleted,
	}, store.PageRequest{Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	for _, m := range list.Items { // the newest first, so that each comes before its parent
		if !m.Deleted() {
			t.tips[m.Seq] = max(t.tips[m.Seq], m.Seq)
			t.children[m.Parent()] = append(t.children[m.Parent()], m.Seq)
		}
		t.tips[m.Parent()] = max(t.tips[m.Parent()], t.tips[m.Seq])
	}
	for _, seqs := range t.children {
		slices.Reverse(seqs)
	}
	return t, nil
}

// siblings are a message and those in its place, none if it is alone there.
func (t *tree) siblings(m *message.Message) []branchView {
	seqs := t.children[m.Parent()]
	if len(seqs) < 2 {
		return nil
	}
	all := make([]branchView, 0, len(seqs))
	for i, seq := range seqs {
		all = append(all, branchView{Number: i + 1, Tip: t.tips[seq], Current: seq == m.Seq})
	}
	return all
}
