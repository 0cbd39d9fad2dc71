package store

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// LeaseError says that a worker does not have an entry of the outbox, because its lease ended and
// another worker took over, or because the entry has ended. It matches ErrConflict.
type LeaseError struct {
	EntryID uuid.UUID
	// ClaimedBy is the worker that has the entry, empty if none has.
	ClaimedBy string
	// DoneAt is when the message was sent, nil if it was not.
	DoneAt *time.Time
}

func (e *LeaseError) Error() string {
	switch {
	case e.DoneAt != nil:
		return fmt.Sprintf("convostore: the delivery %s is done already", e.EntryID)
	case e.ClaimedBy != "":
		return fmt.Sprintf("convostore: another worker has the delivery %s", e.EntryID)
	}
	return fmt.Sprintf("convostore: the worker does not have the delivery %s", e.EntryID)
}

// Is makes every LeaseError match ErrConflict.
func (e *LeaseError) Is(target error) bool { return target == ErrConflict }

// PermanentError is what a SendFunc returns of a message that must not be tried again, such as one
// to an address that does not exist.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return textOf(e.Err) }

// Unwrap returns Err.
func (e *PermanentError) Unwrap() error { return e.Err }

// TemporaryError is what a SendFunc returns of a message that is to be tried again after a time
// that the provider named.
type TemporaryError struct {
	After time.Duration
	Err   error
}

func (e *TemporaryError) Error() string { return textOf(e.Err) }

// Unwrap returns Err.
func (e *TemporaryError) Unwrap() error { return e.Err }

func textOf(err error) string {
	if err == nil {
		return "convostore: the message was not sent"
	}
	return err.Error()
}
