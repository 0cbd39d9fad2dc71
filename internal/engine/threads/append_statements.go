package threads

import (
	"context"
	"strings"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
)

// Statements are the SQL texts of appends, the most frequent write. They are built once for
// a store, and all its scopes share them.
type Statements struct {
	// On PostgreSQL one statement takes the seq and inserts the message. appendPlain is for a
	// message with no more than text, appendNew for one without keys, appendKeyed skips a
	// message that has a key of a stored one, and appendMany is appendNew for several messages.
	appendPlain, appendNew, appendKeyed, appendMany query.Statement
	// keyedWithStates and manyWithStates also write states.
	keyedWithStates, manyWithStates query.Statement
	// takeSeq, setStatus and insert are the statements of an append on SQLite. insert skips a
	// message that has a key of a stored one, and insertPlain is for a message with no more
	// than text.
	takeSeq, setStatus, insert, insertPlain query.Statement
	// takeSeqWaiting is takeSeq for a message that supersedes suggestions; it also tells whether
	// some wait. supersede is for those that do.
	takeSeqWaiting, supersede query.Statement
	// inbound are the appends in one statement of messages that supersede suggestions, and
	// supersedes says that these are they.
	inbound    *Statements
	supersedes bool
}

// NewStatements builds the statements for the tables of a store. It leaves out those that
// the database cannot run.
func NewStatements(t scope.Tables, d dialect.Dialect) *Statements {
	s := &Statements{}
	if d.OneStatementAppend() {
		s.buildSingle(t, d)
		s.inbound = &Statements{supersedes: true}
		s.inbound.buildSingle(t, d)
	}
	s.buildSeparate(t, d)
	s.buildSuperseding(t, d)
	return s
}

// takeSeqs begins the update of a conversation that gives n seqs. It sets no column that has
// an index, unless status is among the assignments. It leaves a conversation alone whose head is
// not its last message: see appendAfterHead.
func takeSeqs(t scope.Tables, d dialect.Dialect, n, status string) string {
	return "UPDATE " + t.Conversations + " SET last_seq = last_seq + " + n + status + ", " +
		"last_message_at = CASE WHEN last_seq = 0 THEN ? ELSE " + d.Greatest() + "(last_message_at, ?) END, updated_at = ? " +
		"WHERE id = ? AND user_id = ? AND deleted_at IS NULL AND head_seq IS NULL"
}

// buildSeparate builds the statements of an append that takes several. The status has a
// statement of its own, since SQLite writes the entries of an index anew whenever an update
// names a column of it, whether or not the value changes.
func (s *Statements) buildSeparate(t scope.Tables, d dialect.Dialect) {
	statement := func(sql string) query.Statement { return query.NewStatement(sql, d.Numbered()) }
	insert := func(columns, marks string) query.Statement {
		return statement("INSERT INTO " + t.Messages + " (" + columns + ") VALUES (?, ?, ?, ?, " + marks + ") ON CONFLICT DO NOTHING")
	}
	s.takeSeq = statement(takeSeqs(t, d, "1", "") + " RETURNING last_seq, status")
	s.setStatus = statement("UPDATE " + t.Conversations + " SET status = ? WHERE id = ? AND user_id = ?")
	s.insert = insert(record.MessageColumns, record.MessageMarks)
	s.insertPlain = insert(record.PlainMessageColumns, record.PlainMessageMarks)
}

// buildSingle builds the appends in one statement.
func (s *Statements) buildSingle(t scope.Tables, d dialect.Dialect) {
	statement := func(sql string) query.Statement { return query.NewStatement(sql, d.Numbered()) }
	const setStatus = ", status = COALESCE(?, status)"
	o := s.superseding(t)
	appendOne := func(columns, marks string) query.Statement {
		return statement("WITH c AS (" + takeSeqs(t, d, "1", setStatus) + o.seen + " RETURNING id, user_id, last_seq, last_message_at)" + o.update("c") + " " +
			"INSERT INTO " + t.Messages + " (" + columns + ") SELECT ?, c.user_id, c.id, c.last_seq, " + marks + " FROM c RETURNING seq")
	}
	s.appendPlain = appendOne(record.PlainMessageColumns, record.PlainMessageMarks)
	s.appendNew = appendOne(record.MessageColumns, record.MessageMarks)
	// The row lock comes first, as in every change of a conversation: a statement that waited
	// for the lock sees the new counter. The update runs only if the message was inserted.
	s.appendKeyed = statement("WITH m AS (INSERT INTO " + t.Messages + " (" + record.MessageColumns + ") " +
		"SELECT ?, c.user_id, c.id, c.last_seq + 1, " + record.MessageMarks + " FROM (SELECT id, user_id, last_seq FROM " + t.Conversations +
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL AND head_seq IS NULL" + o.seen + " FOR NO KEY UPDATE) c ON CONFLICT DO NOTHING RETURNING seq), " +
		"u AS (UPDATE " + t.Conversations + " AS c SET last_seq = m.seq, status = COALESCE(?, c.status), " +
		"last_message_at = CASE WHEN c.last_seq = 0 THEN ? ELSE " + d.Greatest() + "(c.last_message_at, ?) END, updated_at = ? " +
		"FROM m WHERE c.id = ? AND c.user_id = ? RETURNING m.seq, c.last_message_at)" + o.update("u") + " SELECT seq FROM u")
	s.appendMany = statement("WITH c AS (" + takeSeqs(t, d, "?", setStatus) + " AND last_seq = COALESCE(?, last_seq)" + o.seen +
		" RETURNING user_id, last_message_at, last_seq - ? AS before)" + o.update("c") + ", " +
		"i AS (INSERT INTO " + t.Messages + " (" + record.UserFirst + ") SELECT c.user_id, " + unnestedAfter("c.before") +
		" FROM c CROSS JOIN " + d.Unnest(record.MessageTypes) + " AS v (" + record.WithoutUser + ")) SELECT before FROM c")
	s.buildWithStates(t, d)
}

// unnestedAfter are record.Unnested with seqs that follow a number.
func unnestedAfter(before string) string {
	return strings.Replace(record.Unnested, "v.seq", before+" + v.seq", 1)
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
// returns false and has written nothing if the conversation is absent or has a head, or if a stored
// message has a key of the draft.
func (s *Statements) appendInOne(sc scope.Scope, db query.Conn, d Draft) (bool, error) {
	s = s.forMessages(Supersedes(d.Message))
	args := make([]any, 0, 60)
	conversationID, user, status, now := d.ConversationID.String(), sc.User.String(), statusAfter(d.Message), sc.Instant()
	activity := conversation.Activity(d.SentAt, now)
	if len(d.keys) > 0 {
		args = append(record.MessageArgs(append(args, d.ID.String()), d.Message), conversationID, user)
		args = append(s.seenArgs(args, conversationID, user), record.Null(string(status)), activity, activity, now, conversationID, user)
		return s.appendKeyed.With(s.supersedeArgs(args, conversationID, user, now, activity)).Row(db, &d.Seq)
	}
	args = append(args, record.Null(string(status)))
	args = s.seenArgs(takeSeqArgs(args, activity, now, conversationID, user), conversationID, user)
	args = append(s.supersedeArgs(args, conversationID, user, now, activity), d.ID.String())
	if plain, ok := record.PlainMessageArgs(args, d.Message); ok {
		return s.appendPlain.With(plain).Row(db, &d.Seq)
	}
	return s.appendNew.With(record.MessageArgs(args, d.Message)).Row(db, &d.Seq)
}

// appendInSeveral does the work of appendInOne in several statements. The first one writes, so
// that a transaction which began with a read cannot fail for having to upgrade its lock. If it
// returns false, the caller must roll back.
func (s *Statements) appendInSeveral(sc scope.Scope, db query.Conn, d Draft) (bool, error) {
	conversationID, user, now := d.ConversationID.String(), sc.User.String(), sc.Instant()
	var status conversation.Status
	args := takeSeqArgs(make([]any, 0, 5), conversation.Activity(d.SentAt, now), now, conversationID, user)
	var found, waits bool
	var err error
	if Supersedes(d.Message) {
		found, err = s.takeSeqWaiting.With(args).Row(db, &d.Seq, &status, &waits)
	} else {
		found, err = s.takeSeq.With(args).Row(db, &d.Seq, &status)
	}
	if err != nil || !found {
		return false, err
	}
	if next := statusAfter(d.Message); next != "" && next != status {
		if _, err := s.setStatus.With([]any{string(next), conversationID, user}).Exec(db); err != nil {
			return false, err
		}
	}
	args = append(make([]any, 0, 44), d.ID.String(), user, conversationID, d.Seq)
	insert := s.insertPlain
	args, plain := record.PlainMessageArgs(args, d.Message)
	if !plain {
		insert, args = s.insert, record.MessageArgs(args, d.Message)
	}
	n, err := insert.With(args).Exec(db)
	if err == nil && n == 1 && waits {
		err = s.supersedeAfter(sc, db, d, now)
	}
	return n == 1, err
}

// appendManyInOne is appendInOne for drafts of one conversation without keys. It returns
// false and has written nothing if the conversation is absent or has a head, or if its last seq is
// not the expected one.
func (s *Statements) appendManyInOne(sc scope.Scope, db query.Conn, drafts []Draft, expectedSeq *int64) (bool, error) {
	return s.takeMany(sc, db, func(s *Statements) *query.Statement { return &s.appendMany }, drafts, expectedSeq, nil)
}

// takeMany is appendManyInOne with a statement of its form, to whose arguments more may add.
func (s *Statements) takeMany(
	sc scope.Scope, db query.Conn, form func(*Statements) *query.Statement, drafts []Draft, expectedSeq *int64, more func(args []any) ([]any, error),
) (bool, error) {
	// The drafts get the seqs 1, 2, 3 …, to which the statement adds the counter before.
	thread, n, now := threadState{}, int64(len(drafts)), sc.Instant()
	for _, d := range drafts {
		thread.add(d.Message, now)
	}
	arrays, err := arraysOf(len(record.MessageTypes), rowsOf(drafts))
	if err != nil {
		return false, err
	}
	var expected any
	if expectedSeq != nil {
		expected = *expectedSeq
	}
	s = s.forMessages(!thread.asked.IsZero())
	conversationID, user := drafts[0].ConversationID.String(), sc.User.String()
	args := append(make([]any, 0, 80), n, record.Null(string(thread.status)))
	args = append(takeSeqArgs(args, thread.lastMessageAt, now, conversationID, user), expected)
	args = append(s.seenArgs(args, conversationID, user), n)
	args = s.supersedeArgs(args, conversationID, user, now, thread.asked)
	var before int64
	args = append(args, arrays...)
	if more != nil {
		if args, err = more(args); err != nil {
			return false, err
		}
	}
	found, err := form(s).With(args).Row(db, &before)
	if err != nil || !found {
		return false, err
	}
	for _, d := range drafts {
		d.Seq += before
	}
	return true, nil
}

// takeSeqArgs appends the arguments of takeSeqs behind the status.
func takeSeqArgs(args []any, activity, now time.Time, conversationID, user string) []any {
	return append(args, activity, activity, now, conversationID, user)
}
