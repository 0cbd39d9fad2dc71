package suggestion

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// Status is where a suggestion is on its way to a decision.
type Status string

// The statuses. A suggestion begins as pending and is decided once.
const (
	StatusPending  Status = "pending"
	StatusApproved Status = "approved"
	StatusEdited   Status = "edited"
	StatusRejected Status = "rejected"
)

// transitions is the whole table: what is not in it is refused, by the methods here and
// by the store, which puts the same rows into its SQL.
var transitions = map[Status][]Status{
	StatusPending: {StatusApproved, StatusEdited, StatusRejected},
}

// Statuses returns every status, in the order of the constants.
func Statuses() []Status {
	return []Status{StatusPending, StatusApproved, StatusEdited, StatusRejected}
}

// CanBecome tells whether the table of transitions leads from s to next.
func (s Status) CanBecome(next Status) bool {
	for _, to := range transitions[s] {
		if to == next {
			return true
		}
	}
	return false
}

// Decided tells whether a decision has been made, whichever it was.
func (s Status) Decided() bool { return s.Valid() && s != StatusPending }

// Sendable tells whether the decision lets the text go out: approved or edited.
func (s Status) Sendable() bool { return s == StatusApproved || s == StatusEdited }

func (s Status) String() string { return string(s) }

// Valid tells whether s is one of the constants. The empty status is not.
func (s Status) Valid() bool {
	switch s {
	case StatusPending, StatusApproved, StatusEdited, StatusRejected:
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
		return rule.Invalid("status", "is not pending, approved, edited or rejected")
	}
	return nil
}
