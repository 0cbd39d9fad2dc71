package suggestion

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// Status says which decision was made about a suggestion, if any.
type Status string

// The statuses. A new suggestion is pending. It ceases to be so once, unless Reopen undoes that.
const (
	StatusPending  Status = "pending"
	StatusApproved Status = "approved"
	StatusEdited   Status = "edited"
	StatusRejected Status = "rejected"
	// StatusSuperseded: a newer message came in, which the suggestion does not take into
	// account. Nobody decided, and Reopen brings the suggestion back.
	StatusSuperseded Status = "superseded"
	// StatusExpired: nobody decided in time.
	StatusExpired Status = "expired"
)

// transitions lists every allowed change of status. The methods here and the store, which
// builds its SQL from this table, refuse any other.
var transitions = map[Status][]Status{
	StatusPending:    {StatusApproved, StatusEdited, StatusRejected, StatusSuperseded, StatusExpired},
	StatusApproved:   {StatusPending},
	StatusEdited:     {StatusPending},
	StatusRejected:   {StatusPending},
	StatusSuperseded: {StatusPending},
	StatusExpired:    {StatusPending},
}

// Statuses returns every status, in the order of the constants.
func Statuses() []Status {
	return []Status{StatusPending, StatusApproved, StatusEdited, StatusRejected, StatusSuperseded, StatusExpired}
}

// CanBecome reports whether a suggestion with status s may be given the status next.
func (s Status) CanBecome(next Status) bool {
	for _, to := range transitions[s] {
		if to == next {
			return true
		}
	}
	return false
}

// Decided reports whether somebody made a decision: approved, edited or rejected.
func (s Status) Decided() bool {
	return s == StatusApproved || s == StatusEdited || s == StatusRejected
}

// Sendable reports whether the suggestion may be sent: if it is approved or edited.
func (s Status) Sendable() bool { return s == StatusApproved || s == StatusEdited }

func (s Status) String() string { return string(s) }

// Valid reports whether s is one of the constants. The empty status is not.
func (s Status) Valid() bool {
	switch s {
	case StatusPending, StatusApproved, StatusEdited, StatusRejected, StatusSuperseded, StatusExpired:
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
		return rule.Invalid("status", "is not pending, approved, edited, rejected, superseded or expired")
	}
	return nil
}
