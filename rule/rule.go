// Package rule holds the errors that say which rule a value or a change of state
// broke. Models and store share them; package store re-exports every name, so a host
// rarely imports this package.
package rule

import (
	"errors"
	"fmt"
)

// Sentinels, matched with errors.Is.
var (
	// ErrInvalid is matched by every *InvalidError.
	ErrInvalid = errors.New("convostore: invalid input")
	// ErrConflict says that somebody else's write came first. Every *TransitionError
	// matches it.
	ErrConflict = errors.New("convostore: conflict")
)

// InvalidError refuses a value before a database sees it.
type InvalidError struct {
	// Field is the column or parameter at fault, "content" or "limit".
	Field string
	// Rule says what a good value looks like. It never repeats the value, which may be
	// private.
	Rule string
}

// Invalid returns an *InvalidError; the rule is formatted like fmt.Sprintf does.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Rule: fmt.Sprintf(format, args...)}
}

func (e *InvalidError) Error() string {
	return "convostore: invalid " + e.Field + ": " + e.Rule
}

// Is makes every InvalidError match ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// TransitionError refuses a change of state that the table of transitions does not
// have, such as approving what has been rejected.
type TransitionError struct {
	// Of is the noun whose state it is: "suggestion" or "conversation".
	Of string
	// From is the state that was found, To the one that was asked for.
	From, To string
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("convostore: a %s that is %s cannot become %s", e.Of, e.From, e.To)
}

// Is makes every TransitionError match ErrConflict.
func (e *TransitionError) Is(target error) bool { return target == ErrConflict }
