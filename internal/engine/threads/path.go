package threads

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// A path is read by its runs. A message with a parent_seq begins a run, and those after it up to
// the next such message follow it one by one. From an end the path is therefore the rest of the run
// before it, and goes on at the parent of that run's first message. A conversation without branches
// is one run. Messages that were removed for good leave holes in a run, through which it goes on.
//
// The runs are found in messages_parent_idx alone, so that a path takes one seek for each turn that
// it takes and a range of messages_seq_key for each run, whatever the other branches have.

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

// onPath selects columns of the messages m of a path, live or deleted. end selects the seq that the
// path ends with, as head; without a row the path is empty. The scope is that of one user.
func onPath(sc scope.Scope, columns string, conversationID uuid.UUID, end *query.Query) *query.Query {
	// Scalar subqueries, each a seek: joined by seq, PostgreSQL would read all runs for each turn.
	// COALESCE begins the first run at 1, since its first message need have no parent_seq.
	turn := func(q *query.Query, end string) {
		starts := " FROM " + sc.Tables.Messages + " s WHERE s.conversation_id = ? AND s.user_id = ? AND s.parent_seq IS NOT NULL AND s.seq <= " + end
		q.Add("COALESCE((SELECT max(s.seq)"+starts+"), 1), "+end+", (SELECT s.parent_seq"+starts+" ORDER BY s.seq DESC LIMIT 1)",
			conversationID, sc.User, conversationID, sc.User)
	}
	q := query.New("WITH RECURSIVE run (begin_seq, end_seq, next_seq) AS (SELECT ")
	turn(q, "h.head")
	q.Add(" FROM ").Bracketed(end).Add(" h UNION ALL SELECT ")
	turn(q, "run.next_seq")
	q.Add(" FROM run WHERE run.next_seq > 0)")
	return q.Add(" SELECT "+columns+" FROM run CROSS JOIN "+sc.Tables.Messages+
		" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq BETWEEN run.begin_seq AND run.end_seq", conversationID, sc.User)
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

// from selects columns of the messages that match a filter.
func (t thread) from(columns string, f store.MessageFilter) *query.Query {
	var q *query.Query
	if t.end != nil {
		q = onPath(t.sc, columns, t.conversation, t.end)
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
// path; it finds no rows where there are branches. read tells whether it found rows, with what they
// were selected by. ErrNotFound means that there is no such live conversation.
func (t thread) read(db query.Conn, read func(t thread) (found bool, rows *query.Query, err error)) error {
	return scope.Settle(func() (bool, error) {
		found, rows, err := read(t)
		if err != nil || found {
			return true, err
		}
		empty, branched, err := t.isEmpty(db, rows)
		if err != nil || !branched || t.end != nil || t.whole {
			return empty, err
		}
		along := t
		along.end = headOf(t.sc, t.conversation)
		if found, rows, err = read(along); err != nil || found {
			return true, err
		}
		empty, _, err = along.isEmpty(db, rows)
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

// threadMessages selects the live messages of a live conversation in the order of seq.
func threadMessages(sc scope.Scope, c *conversation.Conversation) *query.Query {
	if c.Branched {
		return onPath(sc, record.MessageColumns, c.ID, headOf(sc, c.ID)).Add(" AND m.deleted_at IS NULL ORDER BY seq")
	}
	return query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL ORDER BY seq", c.ID, c.UserID)
}
