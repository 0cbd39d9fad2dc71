package engine_test

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func (w *branchWalk) append() {
	m, n := w.newMessage()
	if w.rand.IntN(3) == 0 {
		m.IdempotencyKey = fmt.Sprint("key", w.rand.IntN(4))
		n.key = m.IdempotencyKey
	}
	w.note("append %s", n.key)
	w.appendAs(m, n, w.m.head)
}

// appendAs appends a message and says in the model what must become of it.
func (w *branchWalk) appendAs(m *message.Message, n *modelNode, parent int64) {
	known := w.m.keyed(n.key)
	created, err := w.mine.Messages().Append(w.t.Context(), w.m.id, m)
	switch {
	case known == nil:
		require.NoError(w.t, err)
		require.True(w.t, created)
		w.m.add(n, parent)
		n.id = m.ID
		require.Equal(w.t, n.seq, m.Seq)
	case known.deleted:
		var taken *store.TakenError
		require.ErrorAs(w.t, err, &taken)
		require.ErrorIs(w.t, err, store.ErrConflict)
		require.Equal(w.t, known.id, taken.Message.ID)
		_, err = w.mine.Messages().GetByKey(w.t.Context(), w.m.id, n.key)
		require.ErrorIs(w.t, err, store.ErrNotFound)
	default:
		require.NoError(w.t, err)
		require.False(w.t, created)
		require.Equal(w.t, known.id, m.ID)
		got, err := w.mine.Messages().GetByKey(w.t.Context(), w.m.id, n.key)
		require.NoError(w.t, err)
		require.Equal(w.t, known.id, got.ID)
	}
}

func (w *branchWalk) appendUnder() {
	m, n := w.newMessage()
	parent := w.someSeq()
	m.ParentSeq = &parent
	w.note("append under %d", parent)
	if parent > 0 && w.m.nodes[parent] == nil {
		_, err := w.mine.Messages().Append(w.t.Context(), w.m.id, m)
		require.ErrorIs(w.t, err, store.ErrInvalid)
		return
	}
	w.appendAs(m, n, parent)
}

// someSeq returns 0, the seq of a message or, sometimes, one that no message has.
func (w *branchWalk) someSeq() int64 {
	switch w.rand.IntN(12) {
	case 0:
		return 0
	case 1:
		return w.rand.Int64N(w.m.last + 3)
	}
	return w.some()
}

func (w *branchWalk) appendMany() {
	var ms []*message.Message
	var nodes []*modelNode
	for range 4 {
		m, n := w.newMessage()
		ms, nodes = append(ms, m), append(nodes, n)
	}
	// Some follow one that was there before, and the last one is a sibling of the second.
	parents := []int64{w.m.head, w.m.last + 1, w.m.last + 2, w.m.last + 1}
	for i := range parents {
		if i < 3 && w.rand.IntN(4) == 0 {
			parents[i] = w.some()
			ms[i].ParentSeq = new(parents[i])
		}
	}
	ms[3].ParentSeq = &parents[3]
	w.note("append many under %v", parents)
	created, err := w.mine.Messages().AppendMany(w.t.Context(), w.m.id, ms, store.AppendOptions{ExpectedSeq: new(w.m.last)})
	require.NoError(w.t, err)
	require.Equal(w.t, []bool{true, true, true, true}, created)
	for i, n := range nodes {
		w.m.add(n, parents[i])
		n.id = ms[i].ID
	}
}

// plain creates a message with the host's own GORM.
func (w *branchWalk) plain() {
	m, n := w.newMessage()
	m.UserID, m.ConversationID = w.user, w.m.id
	parent := w.m.head
	if w.rand.IntN(2) == 0 {
		parent = w.someSeq()
		m.ParentSeq = &parent
	}
	w.note("plain under %d", parent)
	err := w.st.DB(w.t.Context()).Transaction(func(tx *gorm.DB) error { return tx.Create(m).Error })
	if parent > 0 && w.m.nodes[parent] == nil {
		require.ErrorIs(w.t, err, store.ErrInvalid)
		return
	}
	require.NoError(w.t, err)
	w.m.add(n, parent)
	n.id = m.ID
	require.Equal(w.t, n.seq, m.Seq)
}

// regenerate appends a sibling of a message.
func (w *branchWalk) regenerate() {
	seq := w.some()
	if seq == 0 {
		return
	}
	m, n := w.newMessage()
	parent := w.m.nodes[seq].parent
	m.ParentSeq = &parent
	w.note("regenerate %d", seq)
	w.appendAs(m, n, parent)
}

func (w *branchWalk) edit() {
	n := w.m.nodes[w.some()]
	if n == nil || n.deleted {
		return
	}
	w.note("edit %d", n.seq)
	n.content += "!"
	_, err := w.mine.Messages().Update(w.t.Context(), n.id, store.MessageUpdate{Content: &n.content})
	require.NoError(w.t, err)
}

func (w *branchWalk) remove() {
	n := w.m.nodes[w.some()]
	if n == nil || n.deleted {
		return
	}
	w.note("delete %d", n.seq)
	_, err := w.mine.Messages().Delete(w.t.Context(), n.id)
	require.NoError(w.t, err)
	w.m.mark(n, true)
}

func (w *branchWalk) restore() {
	n := w.m.nodes[w.some()]
	if n == nil {
		return
	}
	w.note("restore %d", n.seq)
	_, err := w.mine.Messages().Restore(w.t.Context(), n.id)
	require.NoError(w.t, err)
	w.m.mark(n, false)
}

func (w *branchWalk) purge() {
	w.note("purge")
	counts, err := w.mine.Maintenance().Purge(w.t.Context(), message.Now().AddDate(1, 0, 0))
	require.NoError(w.t, err)
	require.Equal(w.t, w.m.purge(), counts.Messages)
}

func (w *branchWalk) archive() {
	w.note("archive")
	_, err := w.mine.Conversations().Archive(w.t.Context(), w.m.id)
	require.NoError(w.t, err)
	w.m.status = conversation.StatusArchived
}

func (w *branchWalk) reopen() {
	w.note("reopen")
	_, err := w.mine.Conversations().Reopen(w.t.Context(), w.m.id)
	require.NoError(w.t, err)
	w.m.status = w.m.status.Reopened()
}

// counted creates a message that AddMessage has placed, beside the conversation that it has moved. A
// message that is purged leaves a gap, over which AddMessage does not see.
func (w *branchWalk) counted() {
	if int64(len(w.m.nodes)) != w.m.last {
		return
	}
	m, n := w.newMessage()
	parent := w.m.head
	if w.rand.IntN(2) == 0 {
		parent = w.some()
		m.ParentSeq = &parent
	}
	w.note("counted under %d", parent)
	require.NoError(w.t, w.st.DB(w.t.Context()).Transaction(func(tx *gorm.DB) error {
		var c conversation.Conversation
		if err := tx.Preload("Messages", func(tx *gorm.DB) *gorm.DB { return tx.Unscoped() }).First(&c, "id = ?", w.m.id).Error; err != nil {
			return err
		}
		if err := c.AddMessage(m); err != nil {
			return err
		}
		if err := tx.Omit(clause.Associations).Save(&c).Error; err != nil {
			return err
		}
		return tx.Create(m).Error
	}))
	w.m.add(n, parent)
	n.id = m.ID
	require.Equal(w.t, n.seq, m.Seq)
}

// plainMany creates messages with the host's own GORM in one statement.
func (w *branchWalk) plainMany() {
	ms, nodes, parents := make([]*message.Message, 3), make([]*modelNode, 3), make([]int64, 3)
	for i := range ms {
		ms[i], nodes[i] = w.newMessage()
		ms[i].UserID, ms[i].ConversationID = w.user, w.m.id
		if parents[i] = w.m.last + int64(i); i == 0 {
			parents[i] = w.m.head
		}
		if w.rand.IntN(3) == 0 {
			parents[i] = w.some()
			ms[i].ParentSeq = new(parents[i])
		}
	}
	w.note("plain many under %v", parents)
	require.NoError(w.t, w.st.DB(w.t.Context()).Transaction(func(tx *gorm.DB) error { return tx.Create(&ms).Error }))
	for i, n := range nodes {
		w.m.add(n, parents[i])
		n.id = ms[i].ID
	}
}

// fork copies a path, and goes on with the copy every other time.
func (w *branchWalk) fork() {
	at := w.someSeq()
	w.note("fork at %d", at)
	c, err := w.mine.Conversations().Fork(w.t.Context(), w.m.id, store.ForkOptions{AtSeq: at, ExternalKey: uuid.NewString()})
	if at > 0 && w.m.nodes[at] == nil {
		require.ErrorIs(w.t, err, store.ErrNotFound)
		return
	}
	require.NoError(w.t, err)
	require.Equal(w.t, w.m.id, *c.ForkedFromID)
	end := w.m.head
	if at > 0 {
		end = at
		require.Equal(w.t, at, *c.ForkedFromSeq)
	}
	copied := newModelThread(c)
	ms, err := collectMessages(w.mine.Messages().All(w.t.Context(), c.ID, store.MessageFilter{Deleted: store.IncludeDeleted}))
	require.NoError(w.t, err)
	require.Equal(w.t, contentsOf(w.m.path(end)), textsOf(ms))
	for i, n := range live(w.m.path(end)) {
		same := *n
		copied.add(&same, copied.head)
		same.id = ms[i].ID
		require.Equal(w.t, same.seq, ms[i].Seq)
		require.Equal(w.t, same.key, ms[i].IdempotencyKey)
		require.NotEqual(w.t, n.id, same.id)
	}
	left := copied
	if w.rand.IntN(2) == 0 {
		w.m, left, w.trail = copied, w.m, nil
	}
	_, err = w.mine.Conversations().Erase(w.t.Context(), left.id)
	require.NoError(w.t, err)
}

func (w *branchWalk) truncate() {
	seq, free := w.someSeq(), w.rand.IntN(2) == 0
	w.note("truncate %d %v", seq, free)
	hidden, err := w.mine.Messages().TruncateAfter(w.t.Context(), w.m.id, seq, store.TruncateOptions{FreeKeys: free})
	onPath := seq == 0
	for _, n := range w.m.path(w.m.head) {
		onPath = onPath || n.seq == seq
	}
	switch {
	case seq > 0 && w.m.nodes[seq] == nil:
		require.ErrorIs(w.t, err, store.ErrNotFound)
	case !onPath:
		require.ErrorIs(w.t, err, store.ErrInvalid)
	default:
		require.NoError(w.t, err)
		require.Equal(w.t, w.m.truncate(seq, free), hidden)
	}
}

func (w *branchWalk) replace() {
	var ms []*message.Message
	var nodes []*modelNode
	for range w.rand.IntN(3) {
		m, n := w.newMessage()
		m.ParentSeq = new(int64(7))
		ms, nodes = append(ms, m), append(nodes, n)
	}
	w.note("replace by %d", len(ms))
	hidden, err := w.mine.Messages().Replace(w.t.Context(), w.m.id, ms, store.ReplaceOptions{FreeKeys: true})
	require.NoError(w.t, err)
	require.Equal(w.t, w.m.truncate(0, true), hidden)
	for i, n := range nodes {
		w.m.add(n, w.m.head)
		n.id = ms[i].ID
	}
}

func (w *branchWalk) setHead() {
	seq := w.someSeq()
	w.note("head %d", seq)
	c, err := w.mine.Messages().SetHead(w.t.Context(), w.m.id, seq)
	if seq > 0 && w.m.nodes[seq] == nil {
		require.ErrorIs(w.t, err, store.ErrNotFound)
		return
	}
	require.NoError(w.t, err)
	require.Equal(w.t, w.m.id, c.ID)
	w.m.setHead(seq)
}
