package conversation

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Status says who is to write next. The latest live message with a direction decides, by when it
// was sent and not by when it was stored: an old mail that comes in late changes nothing. Only the
// kind message.KindMessage counts.
type Status string

// The statuses. A new conversation is active.
const (
	// StatusActive: no message has had a direction yet, or the conversation was reopened.
	StatusActive Status = "active"
	// StatusNeedsReply: they wait for us. The latest message is inbound, or it did not arrive.
	StatusNeedsReply Status = "needs_reply"
	// StatusWaiting: we wait for them. The latest message is outbound.
	StatusWaiting Status = "waiting"
	// StatusArchived: the conversation was archived. The next message reopens it; one that was
	// sent before the latest does not.
	StatusArchived Status = "archived"
)

// Statuses returns every status, in the order of the constants.
func Statuses() []Status {
	return []Status{StatusActive, StatusNeedsReply, StatusWaiting, StatusArchived}
}

// OpenStatuses returns the statuses of a conversation that is not archived.
func OpenStatuses() []Status { return []Status{StatusActive, StatusNeedsReply, StatusWaiting} }

// After returns the status of a conversation after a message of this direction:
// needs_reply after an inbound one, waiting after an outbound one, whatever the status was.
// A message without a direction leaves the status s.
func (s Status) After(d message.Direction) Status {
	return Status(message.ConversationStatus(s).After(d))
}

// AfterMessage is After for a message, of which only one that counts changes the status, see
// message.Message.Counts: a note or an automatic reply is nobody's turn. After an outbound message
// that failed or bounced the conversation needs a reply as before. It does not ask whether the
// message is the latest.
func (s Status) AfterMessage(m *message.Message) Status {
	return Status(message.ConversationStatus(s).AfterMessage(m))
}

// Reopened returns the status of a conversation after Reopen: active if it was archived,
// otherwise s, which is open already.
func (s Status) Reopened() Status {
	if s == StatusArchived {
		return StatusActive
	}
	return s
}

func (s Status) String() string { return string(s) }

// Valid reports whether s is one of the constants. The empty status is not.
func (s Status) Valid() bool {
	switch s {
	case StatusActive, StatusNeedsReply, StatusWaiting, StatusArchived:
		return true
	}
	return false
}

// UnmarshalText implements encoding.TextUnmarshaler. It returns a *rule.InvalidError for an
// unknown status. The empty text is an unset status and no error.
func (s *Status) UnmarshalText(text []byte) error {
	return enum.Unmarshal(s, text, Status.validate)
}

// Value implements driver.Valuer.
func (s Status) Value() (driver.Value, error) { return string(s), nil }

// Scan implements sql.Scanner.
func (s *Status) Scan(src any) error { return enum.Scan(s, src) }

func (s Status) validate() error {
	if !s.Valid() {
		return rule.Invalid("status", "is not active, needs_reply, waiting or archived")
	}
	return nil
}
