package store

import (
	"context"
	"iter"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
)

// appendStatements are those of an append, the path that is gone most often.
type appendStatements struct {
	// next takes a seq and inserts a message with it; nextOnce passes over a message that
	// has a key of a stored one; together is next for many. PostgreSQL has them.
	next, nextOnce, together statement
	// take takes a seq, insert inserts a message unless one of its keys is stored.
	take, insert statement
}

// newAppendStatements leaves those out that the database cannot run.
func newAppendStatements(t tables, d dialect.Dialect) *appendStatements {
	fixed := func(sql string) statement { return newStatement(sql, d.Name() == dialect.Postgres) }
	counted := func(seqs string) string {
		return "UPDATE " + t.conversations + " SET last_seq = last_seq + " + seqs + ", status = COALESCE(?, status), " +
			"last_message_at = CASE WHEN last_seq = 0 THEN ? ELSE " + d.Greatest() + "(last_message_at, ?) END, updated_at = ? " +
			"WHERE id = ? AND user_id = ? AND deleted_at IS NULL"
	}
	intoMany := "INSERT INTO " + t.messages + " (" + userFirst + ") "
	s := &appendStatements{
		take:   fixed(counted("1") + " RETURNING last_seq"),
		insert: fixed(intoMany + "VALUES (?, ?, ?, ?, " + messageMarks + ") ON CONFLICT DO NOTHING"),
	}
	if !d.OneStatementAppend() {
		return s
	}
	into := "INSERT INTO " + t.messages + " (" + messageColumns + ") SELECT ?, c.user_id, c.id, "
	s.next = fixed("WITH c AS (" + counted("1") + " RETURNING id, user_id, last_seq) " +
		into + "c.last_seq, " + messageMarks + " FROM c RETURNING seq")
	// The lock comes first, as in all that changes a conversation: who waited for it sees
	// the counter as it is then. The update is for a message that was inserted alone.
	s.nextOnce = fixed("WITH m AS (" + into + "c.last_seq + 1, " + messageMarks + " FROM (SELECT id, user_id, last_seq FROM " + t.conversations +
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL FOR NO KEY UPDATE) c ON CONFLICT DO NOTHING RETURNING seq, sent_at) " +
		"UPDATE " + t.conversations + " AS c SET last_seq = m.seq, status = COALESCE(?, c.status), " +
		"last_message_at = CASE WHEN c.last_seq = 0 THEN m.sent_at ELSE " + d.Greatest() + "(c.last_message_at, m.sent_at) END, updated_at = ? " +
		"FROM m WHERE c.id = ? AND c.user_id = ? RETURNING m.seq")
	s.together = fixed("WITH c AS (" + counted("?") + " AND last_seq = COALESCE(?, last_seq) RETURNING user_id, last_seq - ? AS before), " +
		"i AS (" + intoMany + "SELECT c.user_id, " + strings.Replace(unnested, "v.seq", "c.before + v.seq", 1) +
		" FROM c CROSS JOIN " + d.Unnest(messageTypes) + " AS v (" + withoutUser + ")) SELECT before FROM c")
	return s
}

// messageMarks are for messageArgs.
var messageMarks = marks(20)

// marks returns n question marks.
func marks(n int) string { return "?" + strings.Repeat(", ?", n-1) }

var (
	// withoutUser are messageColumns but for the user, userFirst those in the order of
	// scope.values, unnested those of a row v.
	withoutUser = strings.Replace(messageColumns, "user_id, ", "", 1)
	userFirst   = "user_id, " + withoutUser
	unnested    = "v." + strings.ReplaceAll(withoutUser, ", ", ", v.")
)

// messageTypes are those of withoutUser on PostgreSQL.
var messageTypes = []string{
	"uuid", "uuid", "bigint", "text", "text", "text", "text", "text",
	"text", "text", "text", "text", "text", "jsonb", "jsonb",
	"jsonb", "jsonb", "jsonb", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "timestamptz",
}

// oneStatement tells whether an INSERT takes its rows from an UPDATE in one step.
func (sc scope) oneStatement(ctx context.Context) (bool, error) {
	if !sc.dialect.OneStatementAppend() {
		return false, nil
	}
	f, err := sc.schemaFeatures(session(ctx, sc.writer))
	return err == nil && !f.distributed, err
}

// countArgs appends the arguments of the update that takes seqs, after their number.
func (sc scope) countArgs(args []any, status conversation.Status, sentAt any, conversationID, user string) []any {
	return append(args, null(string(status)), sentAt, sentAt, sc.instant(), conversationID, user)
}

// insertNext takes the next seq of the conversation and inserts m with it. It returns
// false and has written nothing if the conversation is not there or a key is.
func (s *appendStatements) insertNext(db conn, sc scope, d draft) (bool, error) {
	args := make([]any, 0, 32)
	conversationID, user, status := d.ConversationID.String(), sc.user.String(), statusAfter(d.Direction)
	if len(d.keys) == 0 {
		args = append(sc.countArgs(args, status, d.SentAt, conversationID, user), d.ID.String())
		return s.next.with(messageArgs(args, d.Message)).row(db, &d.Seq)
	}
	args = append(messageArgs(append(args, d.ID.String()), d.Message),
		conversationID, user, null(string(status)), sc.instant(), conversationID, user)
	return s.nextOnce.with(args).row(db, &d.Seq)
}

// takeAndInsert is insertNext in two statements, whose first has to be undone if it
// returns false.
func (s *appendStatements) takeAndInsert(db conn, sc scope, d draft) (bool, error) {
	conversationID, user := d.ConversationID.String(), sc.user.String()
	take := sc.countArgs(make([]any, 0, 6), statusAfter(d.Direction), d.SentAt, conversationID, user)
	found, err := s.take.with(take).row(db, &d.Seq)
	if err != nil || !found {
		return false, err
	}
	args := append(make([]any, 0, 24), user, d.ID.String(), conversationID, d.Seq)
	n, err := s.insert.with(messageArgs(args, d.Message)).exec(db)
	return n == 1, err
}

// insertTogether is insertNext for messages without keys, of which each gets its seq. It
// returns false and has written nothing if the conversation is not there or has not the
// expected counter.
func (s *appendStatements) insertTogether(db conn, sc scope, ms []draft, expected *int64) (bool, error) {
	state, n := threadState{}, int64(len(ms))
	for _, m := range ms {
		state.add(m.Message)
	}
	arrays, err := arraysOf(len(messageTypes), rowsOf(ms))
	if err != nil {
		return false, err
	}
	var expect any
	if expected != nil {
		expect = *expected
	}
	args := append(make([]any, 0, 32), n)
	args = append(sc.countArgs(args, state.status, state.lastMessageAt, ms[0].ConversationID.String(), sc.user.String()), expect, n)
	var before int64
	found, err := s.together.with(append(args, arrays...)).row(db, &before)
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
func (sc scope) portions(drafts []draft) iter.Seq[[]draft] {
	const most = 4 << 20
	rows := sc.dialect.RowsPerInsert()
	return func(yield func([]draft) bool) {
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

func (sc scope) onePortion(ms []draft) bool {
	for part := range sc.portions(ms) {
		return len(part) == len(ms)
	}
	return false
}
