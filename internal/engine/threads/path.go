package threads

import (
	"math"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// A path is read by its runs. A message with a parent_seq begins a run, and those after it up to
// the next such message follow it one by one. From an end the path is therefore the rest of the run
// before it, and goes on at the parent of that run's first message. A conversation without branches
// is one run. Messages that were removed for good leave holes in a run, through which it goes on.
//
// The runs are found in messages_parent_idx alone, so that a path takes one seek for each turn that
// it takes and a range of messages_seq_key for each run, whatever the other branches have.

// parentIndex has the beginnings of runs alone.
const parentIndex = "messages_parent_idx"

// headOf selects the end of the path of the head of a live conversation, as head.
func headOf(sc scope.Scope, conversationID uuid.UUID) *query.Query {
	return query.New("SELECT COALESCE(c.head_seq, c.last_seq) AS head FROM "+sc.Tables.Conversations+
		" c WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL", conversationID, sc.User)
}

// seqOf selects a seq as head, if a live conversation has a message with it.
func seqOf(sc scope.Scope, conversationID uuid.UUID, seq int64) *query.Query {
	q := query.New("SELECT m.seq AS head FROM "+sc.Tables.Messages+" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq = ? AND ",
		conversationID, sc.User, seq)
	return q.Add(sc.Liveness("c.id = ? AND c.user_id = ?)"), conversationID, sc.User)
}

// path is the messages of a conversation that lead to an end, live or deleted.
type path struct {
	sc           scope.Scope // of one user
	conversation uuid.UUID
	// end selects the seq that the path ends with, as head; without a row the path is empty.
	end *query.Query
}

// rows selects columns of the messages m of a path. Conditions on m may be added, and an order.
func (p path) rows(columns string) *query.Query {
	if p.sc.Dialect.Lateral() {
		return p.rowsLaterally(columns)
	}
	return p.rowsByKey(columns)
}

// page reads a page of a path.
func (p path) page(db query.Conn, g pathPage) ([]*message.Message, bool, error) {
	if p.sc.Dialect.Lateral() {
		return g.read(db, p.pageLaterally(record.MessageColumns, g))
	}
	return p.readSpans(db, g)
}

// pathPage is what is read of a path in the order of seq.
type pathPage struct {
	filter store.MessageFilter
	// after is the place that the page begins after, nil for the beginning.
	after     *scope.Place
	backwards bool
	// limit is the most messages, 0 for all of them.
	limit int
}

// read reads a page, up to store.MaxPageBytes if it has a limit.
func (g pathPage) read(db query.Conn, q *query.Query) ([]*message.Message, bool, error) {
	if g.limit > 0 {
		return readPage(db, q)
	}
	found, err := query.All(db, q, record.MessageDest)
	return found, false, err
}

func (g pathPage) direction() string {
	if g.backwards {
		return " DESC"
	}
	return ""
}

// matching adds the conditions on the messages m.
func (g pathPage) matching(q *query.Query, sc scope.Scope) *query.Query {
	return beyond(filterMessages(q, sc.Dialect, g.filter), g.order(), g.after)
}

func (g pathPage) order() store.MessageOrder {
	if g.backwards {
		return store.ReverseThreadOrder
	}
	return store.ThreadOrder
}

// bounds returns the lowest and the highest seq that a page may have.
func (g pathPage) bounds() (low, high int64) {
	low, high = g.filter.AfterSeq+1, int64(math.MaxInt64)
	if g.filter.BeforeSeq > 0 {
		high = g.filter.BeforeSeq - 1
	}
	switch {
	case g.after == nil:
	case g.backwards:
		high = min(high, g.after.Key-1)
	default:
		low = max(low, g.after.Key+1)
	}
	return low, high
}

func (g pathPage) limited(q *query.Query) *query.Query {
	if g.limit == 0 {
		return q
	}
	return q.Add(" LIMIT ?", g.limit)
}

// thread selects messages of one conversation: all of them, or those of a path.
type thread struct {
	sc           scope.Scope // of one user
	conversation uuid.UUID
	// end selects the end of the path, as head. It is nil if the conversation is read whole.
	end *query.Query
	// whole has all branches. Otherwise a thread without an end has no rows if there are any.
	whole bool
}

// page reads a page of the messages that match a filter, from after a place on if there is one, up
// to store.MaxPageBytes; more tells whether it left some out.
func (t thread) page(db query.Conn, f store.MessageFilter, after *scope.Place, limit int) (found []*message.Message, more bool, err error) {
	if t.end == nil || f.Order == store.SentOrder || f.Order == store.ReverseSentOrder {
		return readPage(db, beyond(t.from(record.MessageColumns, f), f.Order, after).Add(" ORDER BY "+messageOrder(f.Order)+" LIMIT ?", limit))
	}
	return path{t.sc, t.conversation, t.end}.page(db, pathPage{f, after, f.Order == store.ReverseThreadOrder, limit})
}

// beyond adds the condition for what comes after a place, if there is one.
func beyond(q *query.Query, o store.MessageOrder, after *scope.Place) *query.Query {
	if after != nil {
		q.Add(messagesAfter(o), messagesAfterArgs(o, *after)...)
	}
	return q
}

// from selects columns of the messages that match a filter.
func (t thread) from(columns string, f store.MessageFilter) *query.Query {
	var q *query.Query
	if t.end != nil {
		q = path{t.sc, t.conversation, t.end}.rows(columns)
	} else {
		q = query.New("SELECT "+columns+" FROM "+t.sc.Tables.Messages+" m WHERE conversation_id = ?", t.conversation)
		// The subquery names the conversation by its id and not by columns of the message, so
		// that it runs once and not for each row.
		q = t.sc.Owned(q, "m.").Add(" AND "+t.sc.Liveness(t.condition()), t.conversation, t.sc.User)
	}
	return filterMessages(q, t.sc.Dialect, f)
}

func (t thread) condition() string {
	if t.whole {
		return "c.id = ? AND c.user_id = ?)"
	}
	return "c.id = ? AND c.user_id = ? AND NOT c.branched)"
}

// read runs a read of the conversation, and once more along the path of the head if it has
// branches. Conversations without any, nearly all of them, take the one statement that needs no
// path; it finds no rows where there are branches. Where branches were seen before, the path comes
// first. read tells whether it found rows, and rows selects them. ErrNotFound means that there is
// no such live conversation.
func (t thread) read(db query.Conn, read func(t thread) (found bool, err error), rows func(t thread) *query.Query) error {
	return scope.Settle(func() (bool, error) {
		t := t
		if t.end == nil && !t.whole && t.sc.Branched.Has(t.conversation) {
			t.end = headOf(t.sc, t.conversation)
		}
		if found, err := read(t); err != nil || found {
			return true, err
		}
		empty, branched, err := t.isEmpty(db, rows(t))
		if err != nil || !branched || t.end != nil || t.whole {
			return empty, err
		}
		t.sc.Branched.Note(t.conversation)
		t.end = headOf(t.sc, t.conversation)
		if found, err := read(t); err != nil || found {
			return true, err
		}
		empty, _, err = t.isEmpty(db, rows(t))
		return empty, err
	})
}

// isEmpty is IsEmpty, and tells whether the conversation has branches.
func (t thread) isEmpty(db query.Conn, rows *query.Query) (empty, branched bool, err error) {
	q := query.New("SELECT NOT EXISTS ").Bracketed(rows).
		Add(", branched FROM "+t.sc.Tables.Conversations+" WHERE id = ? AND user_id = ? AND deleted_at IS NULL", t.conversation, t.sc.User)
	found, err := q.Row(db, &empty, &branched)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return empty, branched, err
}

// threadMessages reads the live messages of a live conversation in the order of seq.
func threadMessages(sc scope.Scope, db query.Conn, c *conversation.Conversation) ([]*message.Message, error) {
	if c.Branched {
		found, _, err := headPath(sc, c.ID).page(db, pathPage{})
		return found, err
	}
	return query.All(db, query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL ORDER BY seq", c.ID, c.UserID), record.MessageDest)
}
