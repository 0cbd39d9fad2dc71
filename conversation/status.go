package conversation

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Status says whose turn it is.
type Status string

// The statuses. A conversation begins as active.
const (
	// StatusActive has no message with a direction yet, or was reopened.
	StatusActive Status = "active"
	// StatusNeedsReply ends with an inbound message.
	StatusNeedsReply Status = "needs_reply"
	// StatusWaiting ends with an outbound message.
	StatusWaiting Status = "waiting"
	// StatusArchived was put aside; the next message with a direction takes it up again.
	StatusArchived Status = "archived"
)

// Statuses returns every status, in the order of the constants.
func Statuses() []Status {
	return []Status{StatusActive, StatusNeedsReply, StatusWaiting, StatusArchived}
}

// OpenStatuses returns the statuses of a conversation that is not archived.
func OpenStatuses() []Status { return []Status{StatusActive, StatusNeedsReply, StatusWaiting} }

// After is the table of transitions by messages: what a message of this direction makes
// of a conversation, whatever its status was. A message without a direction changes
// nothing and returns s.
func (s Status) After(d message.Direction) Status {
	switch d {
	case message.DirectionInbound:
		return StatusNeedsReply
	case message.DirectionOutbound:
		return StatusWaiting
	}
	return s
}

// Reopened is what Reopen makes of a conversation: an archived one becomes active, any
// other is open already and stays as it is.
func (s Status) Reopened() Status {
	if s == StatusArchived {
		return StatusActive
	}
	return s
}

func (s Status) String() string { return string(s) }

// Valid tells whether s is one of the constants. The empty status is not.
func (s Status) Valid() bool {
	switch s {
	case StatusActive, StatusNeedsReply, StatusWaiting, StatusArchived:
		return true
	}
	return false
}

// UnmarshalText refuses a status that is not Valid, but for the empty one, which is not
// set.
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
