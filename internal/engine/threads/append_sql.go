package threads

import (
	"context"
	"iter"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
)

// Statements are those of an append, the path that is gone most often.
type Statements struct {
	// next takes a seq and inserts a message with it; nextOnce passes over a message that
	// has a key of a stored one; together is next for many. PostgreSQL has them.
	next, nextOnce, together query.Statement
	// take takes a seq, insert inserts a message unless one of its keys is stored.
	take, insert query.Statement
}

// NewStatements leaves those out that the database cannot run.
func NewStatements(t scope.Tables, d dialect.Dialect) *Statements {
	fixed := func(sql string) query.Statement { return query.NewStatement(sql, d.Numbered()) }
	counted := func(seqs string) string {
		return "UPDATE " + t.Conversations + " SET last_seq = last_seq + " + seqs + ", status = COALESCE(?, status), " +
			"last_message_at = CASE WHEN last_seq = 0 THEN ? ELSE " + d.Greatest() + "(last_message_at, ?) END, updated_at = ? " +
			"WHERE id = ? AND user_id = ? AND deleted_at IS NULL"
	}
	intoMany := "INSERT INTO " + t.Messages + " (" + record.UserFirst + ") "
	s := &Statements{
		take:   fixed(counted("1") + " RETURNING last_seq"),
		insert: fixed(intoMany + "VALUES (?, ?, ?, ?, " + record.MessageMarks + ") ON CONFLICT DO NOTHING"),
	}
	if !d.OneStatementAppend() {
		return s
	}
	into := "INSERT INTO " + t.Messages + " (" + record.MessageColumns + ") SELECT ?, c.user_id, c.id, "
	s.next = fixed("WITH c AS (" + counted("1") + " RETURNING id, user_id, last_seq) " +
		into + "c.last_seq, " + record.MessageMarks + " FROM c RETURNING seq")
	// The lock comes first, as in all that changes a conversation: who waited for it sees
	// the counter as it is then. The update is for a message that was inserted alone.
	s.nextOnce = fixed("WITH m AS (" + into + "c.last_seq + 1, " + record.MessageMarks + " FROM (SELECT id, user_id, last_seq FROM " + t.Conversations +
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL FOR NO KEY UPDATE) c ON CONFLICT DO NOTHING RETURNING seq, sent_at) " +
		"UPDATE " + t.Conversations + " AS c SET last_seq = m.seq, status = COALESCE(?, c.status), " +
		"last_message_at = CASE WHEN c.last_seq = 0 THEN m.sent_at ELSE " + d.Greatest() + "(c.last_message_at, m.sent_at) END, updated_at = ? " +
		"FROM m WHERE c.id = ? AND c.user_id = ? RETURNING m.seq")
	s.together = fixed("WITH c AS (" + counted("?") + " AND last_seq = COALESCE(?, last_seq) RETURNING user_id, last_seq - ? AS before), " +
		"i AS (" + intoMany + "SELECT c.user_id, " + strings.Replace(record.Unnested, "v.seq", "c.before + v.seq", 1) +
		" FROM c CROSS JOIN " + d.Unnest(record.MessageTypes) + " AS v (" + record.WithoutUser + ")) SELECT before FROM c")
	return s
}

// oneStatement tells whether an INSERT takes its rows from an UPDATE in one step.
func oneStatement(ctx context.Context, sc scope.Scope) (bool, error) {
	if !sc.Dialect.OneStatementAppend() {
		return false, nil
	}
	f, err := sc.SchemaFeatures(query.On(ctx, sc.Writer))
	return err == nil && !f.Distributed, err
}

// countArgs appends the arguments of the update that takes seqs, after their number.
func countArgs(sc scope.Scope, args []any, status conversation.Status, sentAt any, conversationID, user string) []any {
	return append(args, record.Null(string(status)), sentAt, sentAt, sc.Instant(), conversationID, user)
}

// insertNext takes the next seq of the conversation and inserts m with it. It returns
// false and has written nothing if the conversation is not there or a key is.
func (s *Statements) insertNext(db query.Conn, sc scope.Scope, d Draft) (bool, error) {
	args := make([]any, 0, 32)
	conversationID, user, status := d.ConversationID.String(), sc.User.String(), statusAfter(d.Direction)
	if len(d.Keys) == 0 {
		args = append(countArgs(sc, args, status, d.SentAt, conversationID, user), d.ID.String())
		return s.next.With(record.MessageArgs(args, d.Message)).Row(db, &d.Seq)
	}
	args = append(record.MessageArgs(append(args, d.ID.String()), d.Message),
		conversationID, user, record.Null(string(status)), sc.Instant(), conversationID, user)
	return s.nextOnce.With(args).Row(db, &d.Seq)
}

// takeAndInsert is insertNext in two statements, whose first has to be undone if it
// returns false.
func (s *Statements) takeAndInsert(db query.Conn, sc scope.Scope, d Draft) (bool, error) {
	conversationID, user := d.ConversationID.String(), sc.User.String()
	take := countArgs(sc, make([]any, 0, 6), statusAfter(d.Direction), d.SentAt, conversationID, user)
	found, err := s.take.With(take).Row(db, &d.Seq)
	if err != nil || !found {
		return false, err
	}
	args := append(make([]any, 0, 24), user, d.ID.String(), conversationID, d.Seq)
	n, err := s.insert.With(record.MessageArgs(args, d.Message)).Exec(db)
	return n == 1, err
}

// insertTogether is insertNext for messages without keys, of which each gets its seq. It
// returns false and has written nothing if the conversation is not there or has not the
// expected counter.
func (s *Statements) insertTogether(db query.Conn, sc scope.Scope, ms []Draft, expected *int64) (bool, error) {
	state, n := threadState{}, int64(len(ms))
	for _, m := range ms {
		state.add(m.Message)
	}
	arrays, err := arraysOf(len(record.MessageTypes), rowsOf(ms))
	if err != nil {
		return false, err
	}
	var expect any
	if expected != nil {
		expect = *expected
	}
	args := append(make([]any, 0, 32), n)
	args = append(countArgs(sc, args, state.status, state.lastMessageAt, ms[0].ConversationID.String(), sc.User.String()), expect, n)
	var before int64
	found, err := s.together.With(append(args, arrays...)).Row(db, &before)
	if err != nil || !found {
		return false, err
	}
	for _, m := range ms {
		m.Seq += before
	}
	return true, nil
}

// portions cuts messages into as many as go into a statement. Their texts are bounded as
// well, since the driver copies them.
func portions(sc scope.Scope, drafts []Draft) iter.Seq[[]Draft] {
	const most = 4 << 20
	rows := sc.Dialect.RowsPerInsert()
	return func(yield func([]Draft) bool) {
		first, size := 0, 0
		for i, d := range drafts {
			if i > first && (i-first == rows || size > most) {
				if !yield(drafts[first:i]) {
					return
				}
				first, size = i, 0
			}
			size += len(d.Content)
		}
		if first < len(drafts) {
			yield(drafts[first:])
		}
	}
}

func onePortion(sc scope.Scope, ms []Draft) bool {
	for part := range portions(sc, ms) {
		return len(part) == len(ms)
	}
	return false
}
