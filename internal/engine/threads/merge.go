package threads

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s conversations) Merge(ctx context.Context, from, into uuid.UUID, o store.MoveOptions) (*conversation.Conversation, error) {
	sc, err := OwnerScope(ctx, s.sc, from)
	if err != nil {
		return nil, query.Wrap("merge", err)
	}
	var c *conversation.Conversation
	moved := 0
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		c, moved, err = mergeInto(ctx, sc.In(tx), from, into, o)
		return err
	})
	if err != nil {
		return nil, query.Wrap("merge", err)
	}
	sc.Noted(ctx, moved, 0)
	return c, nil
}

// errMovedMeanwhile says that a message was moved or removed between two statements.
var errMovedMeanwhile = fmt.Errorf("%w: a message was moved or removed meanwhile", store.ErrConflict)

// mergeInto moves all that a conversation has into another one, in a transaction, and returns that
// one as it is then and how many messages it moved. The scope is that of one user. It locks the
// two in the order of their ids, and does what Merge says.
func mergeInto(ctx context.Context, sc scope.Scope, fromID, intoID uuid.UUID, o store.MoveOptions) (*conversation.Conversation, int, error) {
	if fromID == intoID {
		return nil, 0, rule.Invalid("into", "is the conversation itself")
	}
	db := query.On(ctx, sc.Writer)
	locked, err := lockAll(sc, db, []uuid.UUID{fromID, intoID})
	if err != nil {
		return nil, 0, err
	}
	from, into := locked[fromID], locked[intoID]
	if from != nil && into != nil && !into.Deleted() && from.MergedIntoID != nil && *from.MergedIntoID == intoID {
		return into, 0, nil
	}
	if err := errors.Join(liveOr(from, fromID), liveOr(into, intoID)); err != nil {
		return nil, 0, err
	}
	if err := checkLeads(from, into, o); err != nil {
		return nil, 0, err
	}
	rows, err := readMovedOf(sc, db, fromID)
	if err != nil {
		return nil, 0, err
	}
	if err := checkMoved(rows); err != nil {
		return nil, 0, err
	}
	head, last := placeTree(rows, headSeq(from), headSeq(into), into.LastSeq)
	m := moving{ctx: ctx, sc: sc, db: db, into: into, rows: rows}
	if err := m.mergeAll(from); err != nil {
		return nil, 0, err
	}
	c, err := m.settle(head, last, inherited(from, into, sc.Instant()))
	return c, len(rows), err
}

// lockAll locks conversations, live or deleted, until the transaction ends, and returns their rows
// by id.
func lockAll(sc scope.Scope, db query.Conn, ids []uuid.UUID) (map[uuid.UUID]*conversation.Conversation, error) {
	locked := make(map[uuid.UUID]*conversation.Conversation, len(ids))
	// One by one: without statistics PostgreSQL would find a list of them by their user.
	for _, id := range slices.SortedFunc(slices.Values(ids), scope.CompareIDs) {
		one := query.New("id = ? AND "+sc.Dialect.Unindexed("user_id")+" = ?", id, sc.User)
		found, err := query.All(db, sc.LockRows(record.ConversationColumns, one), record.ConversationDest)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			locked[c.ID] = c
		}
	}
	return locked, nil
}

// liveOr returns why a conversation is not live, nil if it is.
func liveOr(c *conversation.Conversation, id uuid.UUID) error {
	switch {
	case c == nil || c.Deleted() && c.MergedIntoID == nil:
		return store.ErrNotFound
	case c.Deleted():
		return &store.MergedError{From: id, Into: *c.MergedIntoID, Err: store.ErrNotFound}
	}
	return nil
}

func checkLeads(from, into *conversation.Conversation, o store.MoveOptions) error {
	if !o.AcrossLeads && from.LeadID != "" && into.LeadID != "" && from.LeadID != into.LeadID {
		return rule.Invalid("into", "has another lead; MoveOptions.AcrossLeads allows it")
	}
	return nil
}

// inherited are the assignments of what a conversation takes over from one that is merged into it:
// what it lacks, the longer hold, and the end of a snooze: what waits in the queue stays there.
func inherited(from, into *conversation.Conversation, now time.Time) *query.Query {
	q := query.New("")
	for column, text := range map[string][2]string{
		"title": {into.Title, from.Title}, "subject": {into.Subject, from.Subject}, "assignee": {into.Assignee, from.Assignee},
	} {
		if text[0] == "" && text[1] != "" {
			q.Add(", "+column+" = ?", text[1])
		}
	}
	if into.LeadID == "" && from.LeadID != "" {
		q.Add(", lead_id = ?", from.LeadID)
	}
	if at := earliest(from.HeldAt, into.HeldAt); at != nil {
		q.Add(", held_at = ?", *at)
	}
	if into.SnoozedAt(now) && from.Status == conversation.StatusNeedsReply && !from.SnoozedAt(now) {
		q.Add(", snoozed_until = NULL")
	}
	if at := earliest(from.PinnedAt, into.PinnedAt); at != nil {
		q.Add(", pinned_at = ?", *at)
	}
	return q
}

func earliest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// moving is messages on their way to the end of a conversation, which is locked as well as those
// that they come from.
type moving struct {
	ctx  context.Context
	sc   scope.Scope // of one user, in a transaction
	db   query.Conn
	into *conversation.Conversation
	rows []*movedRow
}

// mergeAll moves all that a conversation has, and leaves the row with a pointer to where it went.
func (m moving) mergeAll(from *conversation.Conversation) error {
	if err := writeMoved(m.sc, m.db, m.into.ID, m.rows); err != nil {
		return err
	}
	if err := m.suggestionsOf(from.ID); err != nil {
		return err
	}
	if err := m.reads([]uuid.UUID{from.ID}); err != nil {
		return err
	}
	if err := m.marksOf(from.ID); err != nil {
		return err
	}
	now := m.sc.Instant()
	for _, q := range []*query.Query{
		// A chain of merges leads to its end in one step.
		query.New("UPDATE "+m.sc.Tables.Conversations+" SET merged_into_id = ? WHERE merged_into_id = ? AND "+m.sc.Dialect.Unindexed("user_id")+" = ?",
			m.into.ID, from.ID, m.sc.User),
		query.New("UPDATE "+m.sc.Tables.Conversations+" SET merged_into_id = ?, deleted_at = ?, updated_at = ?, head_seq = NULL, branched = ?, held_at = NULL"+
			" WHERE id = ? AND user_id = ?", m.into.ID, now, now, false, from.ID, m.sc.User),
	} {
		if _, err := q.Exec(m.db); err != nil {
			return err
		}
	}
	if m.into.Status == conversation.StatusArchived && from.Status != conversation.StatusArchived {
		m.into.Status = conversation.StatusArchived.Reopened()
	}
	return nil
}

// settle writes what the conversation is with the messages that it got: its end, its head, the status
// and the activity that follow from the path, and which suggestions are overtaken.
func (m moving) settle(head, last int64, more *query.Query) (*conversation.Conversation, error) {
	c := m.into
	branched := c.Branched || head != last
	for _, r := range m.rows {
		branched = branched || r.nextParent != nil
	}
	if branched {
		m.sc.Branched.Note(c.ID)
	}
	c.LastSeq = last
	assign := moveHead(c, head).Add(", last_seq = ?", last)
	if head == last {
		assign.Add(", branched = ?", branched)
	}
	if len(m.rows) > 0 {
		l, err := lockedPath{sc: m.sc, db: m.db, conversation: c, end: head}.latest()
		if err != nil {
			return nil, err
		}
		l.assigned(c, assign)
	}
	c, err := updateConversation(m.ctx, m.sc, c.ID, store.ExcludeDeleted, assign.Append(more))
	if err != nil {
		return nil, err
	}
	if err := m.sc.CheckSize("conversation", c.Size()); err != nil {
		return nil, err
	}
	return c, SupersedeOvertaken(m.ctx, m.sc, c.ID)
}
