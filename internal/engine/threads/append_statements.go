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
	"github.com/convostore/convostore/internal/overtake"
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
	// takeSeq, setStatus and insert are the statements of an append on SQLite. setLateStatus is
	// for a message that is not the latest. insert skips a message that has a key of a stored one,
	// and insertPlain is for a message with no more than text.
	takeSeq, setStatus, setLateStatus, insert, insertPlain query.Statement
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

// takeSeqs begins the update of a conversation that gives n seqs and moves its activity. It sets no
// column that has an index, unless status is among the assignments. It leaves a conversation alone
// whose head is not its last message, and one of which only a batch can tell what a late message
// does: see appendAfterHead. Its arguments follow those of n and status: see takeSeqArgs.
func takeSeqs(t scope.Tables, n, status string) string {
	r := ruleOf(t)
	return "UPDATE " + t.Conversations + " AS c SET last_seq = c.last_seq + " + n + status + ", " + r.SetActivity("c") + ", updated_at = ? " +
		"WHERE c.id = ? AND c.user_id = ? AND c.deleted_at IS NULL AND c.head_seq IS NULL AND " + r.Settled("c")
}

// endSnooze is the assignment that brings a snoozed conversation c back if a condition holds.
func endSnooze(condition string) string {
	return "snoozed_until = CASE WHEN " + condition + " THEN NULL ELSE c.snoozed_until END"
}

// taken is what takeSeq returns: also whether the message is late, and whether the conversation is
// snoozed. Its argument is when the message was ordered, or NULL.
const taken = " RETURNING last_seq, status, COALESCE(last_message_at > ?, FALSE), snoozed_until IS NOT NULL"

// buildSeparate builds the statements of an append that takes several. The status and the snooze have a
// statement of their own, since SQLite writes the entries of an index anew whenever an update
// names a column of it, whether or not the value changes.
func (s *Statements) buildSeparate(t scope.Tables, d dialect.Dialect) {
	statement := func(sql string) query.Statement { return query.NewStatement(sql, d.Numbered()) }
	insert := func(columns, marks string) query.Statement {
		return statement("INSERT INTO " + t.Messages + " (" + columns + ") VALUES (?, ?, ?, ?, " + marks + ") ON CONFLICT DO NOTHING")
	}
	s.takeSeq = statement(takeSeqs(t, "1", "") + taken)
	s.setStatus = statement("UPDATE " + t.Conversations + " AS c SET status = ?, " + endSnooze("?") + " WHERE c.id = ? AND c.user_id = ?")
	s.setLateStatus = statement("UPDATE " + t.Conversations + " AS c SET status = CASE WHEN " + ruleOf(t).Later("c") + " THEN c.status ELSE ? END, " +
		endSnooze("?") + " WHERE c.id = ? AND c.user_id = ?")
	s.insert = insert(record.MessageColumns, record.MessageMarks)
	s.insertPlain = insert(record.PlainMessageColumns, record.PlainMessageMarks)
}

// buildSingle builds the appends in one statement.
func (s *Statements) buildSingle(t scope.Tables, d dialect.Dialect) {
	statement := func(sql string) query.Statement { return query.NewStatement(sql, d.Numbered()) }
	r, o := ruleOf(t), s.superseding(t)
	setStatus := ", " + r.SetStatus("c") + ", " + endSnooze("?")
	appendOne := func(columns, marks string) query.Statement {
		return statement("WITH c AS (" + takeSeqs(t, "1", setStatus) + o.seen + " RETURNING id, user_id, last_seq, " + overtake.LatestOf("c") + " AS last_message_at)" + o.update("c") + " " +
			"INSERT INTO " + t.Messages + " (" + columns + ") SELECT ?, c.user_id, c.id, c.last_seq, " + marks + " FROM c RETURNING seq")
	}
	s.appendPlain = appendOne(record.PlainMessageColumns, record.PlainMessageMarks)
	s.appendNew = appendOne(record.MessageColumns, record.MessageMarks)
	// The row lock comes first, as in every change of a conversation: a statement that waited
	// for the lock sees the new counter. The update runs only if the message was inserted.
	s.appendKeyed = statement("WITH m AS (INSERT INTO " + t.Messages + " (" + record.MessageColumns + ") " +
		"SELECT ?, c.user_id, c.id, c.last_seq + 1, " + record.MessageMarks + " FROM (" + lockSettled(t, o.seen) + ") c ON CONFLICT DO NOTHING RETURNING seq), " +
		"u AS (UPDATE " + t.Conversations + " AS c SET last_seq = m.seq" + setStatus + ", " + r.SetActivity("c") + ", updated_at = ? " +
		"FROM m WHERE c.id = ? AND c.user_id = ? RETURNING m.seq, " + overtake.LatestOf("c") + " AS last_message_at)" + o.update("u") + " SELECT seq FROM u")
	s.appendMany = statement("WITH c AS (" + takeSeqs(t, "?", setStatus) + " AND c.last_seq = COALESCE(?, c.last_seq)" + o.seen +
		" RETURNING user_id, " + overtake.LatestOf("c") + " AS last_message_at, last_seq - ? AS before)" + o.update("c") + ", " +
		"i AS (INSERT INTO " + t.Messages + " (" + record.UserFirst + ") SELECT c.user_id, " + unnestedAfter("c.before") +
		" FROM c CROSS JOIN " + d.Unnest(record.MessageTypes) + " AS v (" + record.WithoutUser + ")) SELECT before FROM c")
	s.buildWithStates(t, d)
}

// lockSettled locks the conversation of an append in one statement, with another condition that may
// follow. Its arguments are the id, the user and that of latest.Tables.Settled.
func lockSettled(t scope.Tables, condition string) string {
	return "SELECT l.id, l.user_id, l.last_seq FROM " + t.Conversations + " l WHERE l.id = ? AND l.user_id = ? AND l.deleted_at IS NULL AND l.head_seq IS NULL AND " +
		ruleOf(t).Settled("l") + condition + " FOR NO KEY UPDATE"
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
	s = s.forMessages(d.Asks())
	args := make([]any, 0, 72)
	conversationID, user, now := d.ConversationID.String(), sc.User.String(), sc.Instant()
	v := movementOf(d.Message, now)
	if len(d.keys) > 0 {
		args = append(record.MessageArgs(append(args, d.ID.String()), d.Message), conversationID, user)
		args = v.activityArgs(v.statusArgs(s.seenArgs(v.settledArgs(args), conversationID, user)))
		args = append(args, now, conversationID, user)
		return s.appendKeyed.With(s.supersedeArgs(args, conversationID, user, now, v.asked)).Row(db, &d.Seq)
	}
	args = s.seenArgs(v.takeSeqArgs(v.statusArgs(args), now, conversationID, user), conversationID, user)
	args = append(s.supersedeArgs(args, conversationID, user, now, v.asked), d.ID.String())
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
	late, snoozed, waits, v := false, false, false, movementOf(d.Message, now)
	args := append(v.takeSeqArgs(make([]any, 0, 9), now, conversationID, user), nullTime(v.at))
	take, dest := s.takeSeq, []any{&d.Seq, &status, &late, &snoozed}
	if d.Asks() {
		take, dest = s.takeSeqWaiting, append(dest, &waits)
	}
	found, err := take.With(args).Row(db, dest...)
	if err != nil || !found {
		return false, err
	}
	if v.status != "" && v.status != status || v.woken && snoozed {
		set, args := s.setStatus, []any{string(v.status), v.woken, conversationID, user}
		if late {
			set, args = s.setLateStatus, append([]any{v.turnAt}, args...)
		}
		if _, err := set.With(args).Exec(db); err != nil {
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
	v, n, now := movement{}, int64(len(drafts)), sc.Instant()
	for i, d := range drafts {
		v.add(d.Message, now)
		d.Seq = int64(i) + 1
	}
	arrays, err := arraysOf(len(record.MessageTypes), rowsOf(drafts))
	if err != nil {
		return false, err
	}
	var expected any
	if expectedSeq != nil {
		expected = *expectedSeq
	}
	s = s.forMessages(!v.asked.IsZero())
	conversationID, user := drafts[0].ConversationID.String(), sc.User.String()
	args := v.statusArgs(append(make([]any, 0, 80), n))
	args = append(v.takeSeqArgs(args, now, conversationID, user), expected)
	args = append(s.seenArgs(args, conversationID, user), n)
	args = s.supersedeArgs(args, conversationID, user, now, v.asked)
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
func (v *movement) takeSeqArgs(args []any, now time.Time, conversationID, user string) []any {
	return v.settledArgs(append(v.activityArgs(args), now, conversationID, user))
}
