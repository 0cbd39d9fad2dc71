// Package overtake has the SQL of one rule: a message of the lead supersedes the suggestions of its
// conversation that wait for a decision. The engine's appends and the GORM hooks of the models share it.
//
// A message of the lead is an inbound one of the kind message that was said. It overtakes a
// suggestion whose AnswersSeq is below its seq, unless it is an old one that comes late: unless it
// was sent before another message of the lead that the suggestion takes into account. A time in
// the future counts as that of the arrival. A suggestion without an AnswersSeq is overtaken by any.
package overtake

// Tables are the quoted names of the tables.
type Tables struct{ Conversations, Messages, Suggestions string }

// Asks is the condition that a message is a live one of the lead. alias is that of the table, with
// its dot.
func Asks(alias string) string {
	return alias + "direction = 'inbound' AND " + alias + "kind = 'message' AND " + alias + "deleted_at IS NULL AND" +
		" (" + alias + "state = 'complete' OR " + alias + "state = 'interrupted' AND " + alias + "content <> '')"
}

// SentAt is when a message m was sent, but not later than it arrived.
const SentAt = "CASE WHEN m.sent_at > m.created_at THEN m.created_at ELSE m.sent_at END"

// Supersede is an UPDATE that supersedes what a message of one conversation overtakes. latest is
// an expression for the last_message_at of the conversation, with the message counted, and from
// the FROM clause that it needs, or empty: a message that is the latest of all needs no look at the
// others. With bySeq the message is not the last one of the conversation and its seq is known.
// through is what a table takes to go through the index of what waits.
func (t Tables) Supersede(through, from, latest string, bySeq bool) string {
	seq := ""
	if bySeq {
		seq = " AND (s.answers_seq IS NULL OR s.answers_seq < ?)"
	}
	return "UPDATE " + t.Suggestions + " AS s" + through + " SET status = 'superseded', reviewed_at = ?, updated_at = ?" + from +
		" WHERE s.conversation_id = ? AND s.user_id = ? AND s.status = 'pending'" + seq +
		" AND (" + latest + " <= ? OR NOT EXISTS (SELECT 1 FROM " + t.Messages +
		" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq <= s.answers_seq AND " + Asks("m.") + " AND m.sent_at > ? AND m.created_at > ?))"
}

// Args appends the arguments of Supersede. sentAt is when the message was sent, but not later than
// now, and seq 0 if it is the last one.
func Args(args []any, conversation, user string, now, sentAt any, seq int64) []any {
	args = append(args, now, now, conversation, user)
	if seq > 0 {
		args = append(args, seq)
	}
	return append(args, sentAt, conversation, user, sentAt, sentAt)
}

// LatestOf is the last_message_at of a conversation c, NULL if that has branches: it is then that of
// one path, and a suggestion may take later messages into account that are on another one.
func LatestOf(c string) string {
	return "CASE WHEN " + c + ".branched THEN NULL ELSE " + c + ".last_message_at END"
}

// Latest is LatestOf for a statement of its own after the one that
// counted the message.
func (t Tables) Latest() string {
	return "(SELECT " + LatestOf("c") + " FROM " + t.Conversations + " c WHERE c.id = s.conversation_id AND c.user_id = s.user_id)"
}

// Waiting is an expression for the statement that locks a conversation, whose table has the name c
// there: whether a suggestion of it may wait for a decision. On PostgreSQL the statement may have
// waited for the lock, and does not see the rows that were made meanwhile; it sees in
// the locked row that there are some.
func (t Tables) Waiting(c, through string) string {
	c += "."
	return "((SELECT 1 FROM " + t.Suggestions + " s" + through + " WHERE s.conversation_id = " + c + "id AND s.user_id = " + c + "user_id AND s.status = 'pending' LIMIT 1) IS NOT NULL" +
		" OR COALESCE(" + c + "draft_seq, 0) <> COALESCE((SELECT x.draft_seq FROM " + t.Conversations + " x WHERE x.id = " + c + "id AND x.user_id = " + c + "user_id), 0))"
}

// Seen is a condition, which begins with AND, for a statement that locks a conversation and
// supersedes in one: that it sees every suggestion which waits. It fails, for another attempt, if the statement has waited
// for the lock and a suggestion began to wait meanwhile. Its arguments are the conversation and the user.
func (t Tables) Seen() string {
	return " AND (draft_seq IS NULL OR draft_seq = (SELECT x.draft_seq FROM " + t.Conversations + " x WHERE x.id = ? AND x.user_id = ?))"
}

// Newer selects whether a message of the lead overtakes a suggestion that takes a seq into account,
// in a conversation without branches. Its arguments are those of NewerArgs.
func (t Tables) Newer() string {
	of := " FROM " + t.Messages + " m WHERE m.conversation_id = ? AND m.user_id = ? AND " + Asks("m.") + " AND m.seq "
	return "SELECT EXISTS (SELECT 1" + of + "> ?) AND COALESCE((SELECT max(" + SentAt + ")" + of + "> ?) >= (SELECT max(" + SentAt + ")" + of + "<= ?), TRUE)"
}

// NewerArgs are the arguments of Newer.
func NewerArgs(conversation, user any, seq int64) []any {
	return []any{conversation, user, seq, conversation, user, seq, conversation, user, seq}
}
