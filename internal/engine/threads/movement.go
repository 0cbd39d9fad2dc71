package threads

import (
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/latest"
	"github.com/convostore/convostore/message"
)

// Messages move the status and the activity of their conversation by one rule. Of the live messages
// on the path of the head that are no notes, events and automatic mail, the latest by OrderedAt, and
// among equal times by seq, is the activity. The latest of those that were said and have a direction
// decides the status. What an append adds is compared with what was there; only a change of messages
// that are stored reads them. Archive and Reopen hold until a message becomes the latest.

// movement is what messages that are appended together do to status and activity, if those before
// them were earlier. The zero value is that of none.
type movement struct {
	at     time.Time // of the latest one that is activity
	turnAt time.Time // of the latest turn
	status conversation.Status
	// woken says that they end a snooze: one of them is theirs, and was said. What they have sent is
	// new here, however long ago that was.
	woken bool
	// asked is when the latest of them that supersedes suggestions was sent, zero without one.
	asked time.Time
}

// movementOf returns what one message does. now is the time of the append.
func movementOf(m *message.Message, now time.Time) (v movement) {
	v.add(m, now)
	return v
}

// add adds the next message.
func (v *movement) add(m *message.Message, now time.Time) {
	if !m.Kind.Counts() {
		return
	}
	if sent := conversation.Activity(m.SentAt, now); m.Asks() && sent.After(v.asked) {
		v.asked = sent
	}
	at := conversation.Activity(m.OrderedAt(), now)
	if !at.Before(v.at) {
		v.at = at
	}
	next := statusAfter(m)
	v.woken = v.woken || m.Asks()
	if next != "" && !at.Before(v.turnAt) {
		v.turnAt, v.status = at, next
	}
}

// activityArgs, statusArgs and settledArgs append the arguments of the rule's statements.
func (v *movement) activityArgs(args []any) []any {
	at := nullTime(v.at)
	return append(args, at, at, at, at)
}

func (v *movement) statusArgs(args []any) []any {
	at := nullTime(v.turnAt)
	return append(args, at, at, record.Null(string(v.status)), v.woken)
}

func (v *movement) settledArgs(args []any) []any {
	if v.turnAt.IsZero() {
		return append(args, nullTime(v.at))
	}
	return append(args, v.turnAt)
}

func nullTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// statusAfter is the status of a conversation after a message, or "" if the message leaves the
// status as it is.
func statusAfter(m *message.Message) conversation.Status {
	return conversation.Status("").AfterMessage(m)
}

// ruleOf are the tables of the rule.
func ruleOf(t scope.Tables) latest.Tables {
	return latest.Tables{Conversations: t.Conversations, Messages: t.Messages}
}
