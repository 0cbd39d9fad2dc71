// Package rule has the errors for values and changes of state that break a rule. The models
// and the store share them. Package store re-exports every name except Invalid, so a host
// rarely imports this package.
package rule

import (
	"errors"
	"fmt"
)

// Sentinel errors, to be matched with errors.Is.
var (
	// ErrInvalid is matched by every *InvalidError.
	ErrInvalid = errors.New("convostore: invalid input")
	// ErrConflict means that another write came first. Every *TransitionError matches it.
	ErrConflict = errors.New("convostore: conflict")
)

// InvalidError is a value that was refused before it was sent to a database.
type InvalidError struct {
	// Field is the column or parameter with the value, for example "content" or "limit".
	Field string
	// Rule says what is wrong with the value. It never repeats the value, which may be
	// private.
	Rule string
}

// Invalid returns an *InvalidError, with the rule formatted by fmt.Sprintf.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Rule: fmt.Sprintf(format, args...)}
}

func (e *InvalidError) Error() string {
	return "convostore: invalid " + e.Field + ": " + e.Rule
}

// Is makes every InvalidError match ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// TransitionError is a change of state that is not allowed, for example to approve a
// suggestion that is rejected.
type TransitionError struct {
	// Of is what has the state: "suggestion" or "conversation".
	Of string
	// From is the present state, To the requested one.
	From, To string
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("convostore: a %s that is %s cannot become %s", e.Of, e.From, e.To)
}

// Is makes every TransitionError match ErrConflict.
func (e *TransitionError) Is(target error) bool { return target == ErrConflict }
