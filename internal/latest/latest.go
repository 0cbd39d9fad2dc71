// Package latest has the SQL of the rule by which messages move their conversation: the latest live
// message decides its status and its activity. message.Message's OrderedAt and
// message.ConversationStatus's AfterMessage are the same in Go.
//
// The names of tables are quoted, and aliases have no dot. What asks for one row is a subquery that
// returns it, not EXISTS: that one PostgreSQL may answer from a hash of the whole table.
package latest

// Tables are the tables that the rule reads.
type Tables struct{ Conversations, Messages string }

// At is the time by which a message m is ordered: when it was sent, but not later than its append. A
// message of an outbox is sent after its append, and by the time of its last change it was.
func At(m string) string {
	appended := "CASE WHEN " + m + ".delivery IS NULL THEN " + m + ".created_at ELSE " + m + ".updated_at END"
	return "CASE WHEN " + m + ".sent_at > " + appended + " THEN " + appended + " ELSE " + m + ".sent_at END"
}

// Said is message.Message.Said of a message m.
func Said(m string) string {
	return "(" + m + ".state = 'complete' OR " + m + ".state = 'interrupted' AND " + m + ".content <> '')"
}

// Active is the condition that a message m is activity: it is live, and no note, no event and
// nothing automatic. One that is still being written is, and one that failed was.
func Active(m string) string { return m + ".deleted_at IS NULL AND " + m + ".kind = 'message'" }

// Counts is the condition that a message m is live and one that somebody said, as
// message.Message.Counts has it.
func Counts(m string) string { return Active(m) + " AND " + Said(m) }

// Turn is the condition that a message m can decide the status: it was said, has a direction, and was
// not taken out of the outbox again.
func Turn(m string) string {
	return Counts(m) + " AND " + m + ".direction IS NOT NULL AND COALESCE(" + m + ".delivery, '') <> 'cancelled'"
}

// Arrives is the condition that a message m has left or is to: it neither failed nor bounced, and was not
// taken out of the outbox again.
func Arrives(m string) string {
	return "COALESCE(" + m + ".delivery, '') NOT IN ('failed', 'bounced', 'cancelled')"
}

// Speaks is the condition that a live message m asks or answers in reports: it was said, has a direction,
// and if it is to go out it arrives.
func Speaks(m string) string {
	return Counts(m) + " AND (" + m + ".direction = 'inbound' OR " + m + ".direction = 'outbound' AND " + Arrives(m) + ")"
}

// Status is the status after a message m that is a turn.
func Status(m string) string {
	return "CASE WHEN " + m + ".direction = 'inbound' OR COALESCE(" + m + ".delivery, '') IN ('failed', 'bounced') THEN 'needs_reply' ELSE 'waiting' END"
}

// of selects from the messages x of a conversation c. The newest come first, since what is asked for
// is among them nearly always.
func (t Tables) of(c, condition string) string {
	return "(SELECT 1 FROM " + t.Messages + " x WHERE x.conversation_id = " + c + ".id AND x.user_id = " + c + ".user_id AND " + condition + " ORDER BY x.seq DESC LIMIT 1)"
}

// SetActivity assigns the activity of an unbranched conversation c after the append of messages. Its
// arguments are three times when the latest of those that are activity was ordered, or NULL if none is.
func (t Tables) SetActivity(c string) string {
	return "last_message_at = CASE WHEN " + c + ".last_seq = 0 OR " + c + ".last_message_at > ? AND " + t.of(c, Active("x")) + " IS NULL " +
		"THEN COALESCE(?, " + c + ".last_message_at) WHEN " + c + ".last_message_at >= ? THEN " + c + ".last_message_at ELSE COALESCE(?, " + c + ".last_message_at) END"
}

// SetStatus assigns the status of an unbranched conversation c after the append of messages. Its
// arguments are twice when the latest turn of them was ordered, and the status after it; all are NULL
// if there is none.
func (t Tables) SetStatus(c string) string {
	return "status = CASE WHEN " + c + ".last_message_at > ? AND " + t.Later(c) + " THEN " + c + ".status ELSE COALESCE(?, " + c + ".status) END"
}

// Later is the condition that an unbranched conversation c has a turn after a time.
func (t Tables) Later(c string) string {
	return t.of(c, Turn("x")+" AND "+At("x")+" > ?") + " IS NOT NULL"
}

// Settled is the condition that SetActivity and SetStatus see what they need. Its argument is the
// earliest time among theirs, or NULL if they have none. Messages that are not the latest are compared
// with those that are stored, of which a statement that waited for the lock of the conversation sees
// an earlier state: it then finds another last_seq or last_change_seq than the locked row has. Of a
// conversation with branches only the path of the head counts, which they do not know.
func (t Tables) Settled(c string) string {
	return "(COALESCE(" + c + ".last_message_at <= ?, TRUE) OR NOT " + c + ".branched AND (SELECT o.last_seq = " + c + ".last_seq AND o.last_change_seq = " + c + ".last_change_seq FROM " + t.Conversations +
		" o WHERE o.id = " + c + ".id AND o.user_id = " + c + ".user_id))"
}
