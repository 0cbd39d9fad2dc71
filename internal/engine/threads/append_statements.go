package threads

import (
	"context"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
)

// Statements are the SQL texts of appends, the most frequent write. They are built once for
// a store, and all its scopes share them.
type Statements struct {
	// On PostgreSQL one statement takes the seq and inserts the message. appendNew is for a
	// message without keys, appendKeyed skips a message that has a key of a stored one, and
	// appendMany is appendNew for several messages.
	appendNew, appendKeyed, appendMany query.Statement
	// takeSeq and insert are the two statements of an append on SQLite. insert skips a
	// message that has a key of a stored one.
	takeSeq, insert query.Statement
}

// NewStatements builds the statements for the tables of a store. It leaves out those that
// the database cannot run.
func NewStatements(t scope.Tables, d dialect.Dialect) *Statements {
	statement := func(sql string) query.Statement { return query.NewStatement(sql, d.Numbered()) }
	takeSeqs := func(n string) string {
		return "UPDATE " + t.Conversations + " SET last_seq = last_seq + " + n + ", status = COALESCE(?, status), " +
			"last_message_at = CASE WHEN last_seq = 0 THEN ? ELSE " + d.Greatest() + "(last_message_at, ?) END, updated_at = ? " +
			"WHERE id = ? AND user_id = ? AND deleted_at IS NULL"
	}
	insertRows := "INSERT INTO " + t.Messages + " (" + record.UserFirst + ") "
	s := &Statements{
		takeSeq: statement(takeSeqs("1") + " RETURNING last_seq"),
		insert:  statement(insertRows + "VALUES (?, ?, ?, ?, " + record.MessageMarks + ") ON CONFLICT DO NOTHING"),
	}
	if !d.OneStatementAppend() {
		return s
	}
	insertOne := "INSERT INTO " + t.Messages + " (" + record.MessageColumns + ") SELECT ?, c.user_id, c.id, "
	s.appendNew = statement("WITH c AS (" + takeSeqs("1") + " RETURNING id, user_id, last_seq) " +
		insertOne + "c.last_seq, " + record.MessageMarks + " FROM c RETURNING seq")
	// The row lock comes first, as in every change of a conversation: a statement that waited
	// for the lock sees the new counter. The update runs only if the message was inserted.
	s.appendKeyed = statement("WITH m AS (" + insertOne + "c.last_seq + 1, " + record.MessageMarks + " FROM (SELECT id, user_id, last_seq FROM " + t.Conversations +
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL FOR NO KEY UPDATE) c ON CONFLICT DO NOTHING RETURNING seq, sent_at) " +
		"UPDATE " + t.Conversations + " AS c SET last_seq = m.seq, status = COALESCE(?, c.status), " +
		"last_message_at = CASE WHEN c.last_seq = 0 THEN m.sent_at ELSE " + d.Greatest() + "(c.last_message_at, m.sent_at) END, updated_at = ? " +
		"FROM m WHERE c.id = ? AND c.user_id = ? RETURNING m.seq")
	s.appendMany = statement("WITH c AS (" + takeSeqs("?") + " AND last_seq = COALESCE(?, last_seq) RETURNING user_id, last_seq - ? AS before), " +
		"i AS (" + insertRows + "SELECT c.user_id, " + strings.Replace(record.Unnested, "v.seq", "c.before + v.seq", 1) +
		" FROM c CROSS JOIN " + d.Unnest(record.MessageTypes) + " AS v (" + record.WithoutUser + ")) SELECT before FROM c")
	return s
}

// appendsInOneStatement tells whether the database runs the one-statement appends, in which
// an INSERT takes its rows from an UPDATE. Distributed tables do not.
func appendsInOneStatement(ctx context.Context, sc scope.Scope) (bool, error) {
	if !sc.Dialect.OneStatementAppend() {
		return false, nil
	}
	f, err := sc.SchemaFeatures(query.On(ctx, sc.Writer))
	return err == nil && !f.Distributed, err
}

// appendInOne takes the next seq of the conversation and inserts the draft with it. It
// returns false and has written nothing if the conversation is absent or if a stored message
// has a key of the draft.
func (s *Statements) appendInOne(sc scope.Scope, db query.Conn, d Draft) (bool, error) {
	args := make([]any, 0, 32)
	conversationID, user, status := d.ConversationID.String(), sc.User.String(), statusAfter(d.Direction)
	if len(d.keys) == 0 {
		args = append(takeSeqArgs(sc, args, status, d.SentAt, conversationID, user), d.ID.String())
		return s.appendNew.With(record.MessageArgs(args, d.Message)).Row(db, &d.Seq)
	}
	args = append(record.MessageArgs(append(args, d.ID.String()), d.Message),
		conversationID, user, record.Null(string(status)), sc.Instant(), conversationID, user)
	return s.appendKeyed.With(args).Row(db, &d.Seq)
}

// appendInTwo does the work of appendInOne in two statements. If it returns false, the
// caller must roll back the first one.
func (s *Statements) appendInTwo(sc scope.Scope, db query.Conn, d Draft) (bool, error) {
	conversationID, user := d.ConversationID.String(), sc.User.String()
	args := takeSeqArgs(sc, make([]any, 0, 6), statusAfter(d.Direction), d.SentAt, conversationID, user)
	found, err := s.takeSeq.With(args).Row(db, &d.Seq)
	if err != nil || !found {
		return false, err
	}
	args = append(make([]any, 0, 24), user, d.ID.String(), conversationID, d.Seq)
	n, err := s.insert.With(record.MessageArgs(args, d.Message)).Exec(db)
	return n == 1, err
}

// appendManyInOne is appendInOne for drafts of one conversation without keys. It returns
// false and has written nothing if the conversation is absent or its last seq is not the
// expected one.
func (s *Statements) appendManyInOne(sc scope.Scope, db query.Conn, drafts []Draft, expectedSeq *int64) (bool, error) {
	// The drafts get the seqs 1, 2, 3 …, to which the statement adds the counter before.
	thread, n := threadState{}, int64(len(drafts))
	for _, d := range drafts {
		thread.add(d.Message)
	}
	arrays, err := arraysOf(len(record.MessageTypes), rowsOf(drafts))
	if err != nil {
		return false, err
	}
	var expected any
	if expectedSeq != nil {
		expected = *expectedSeq
	}
	args := append(make([]any, 0, 32), n)
	args = append(takeSeqArgs(sc, args, thread.status, thread.lastMessageAt, drafts[0].ConversationID.String(), sc.User.String()), expected, n)
	var before int64
	found, err := s.appendMany.With(append(args, arrays...)).Row(db, &before)
	if err != nil || !found {
		return false, err
	}
	for _, d := range drafts {
		d.Seq += before
	}
	return true, nil
}

// takeSeqArgs appends the arguments of the update that takes seqs, except their number.
func takeSeqArgs(sc scope.Scope, args []any, status conversation.Status, sentAt any, conversationID, user string) []any {
	return append(args, record.Null(string(status)), sentAt, sentAt, sc.Instant(), conversationID, user)
}
