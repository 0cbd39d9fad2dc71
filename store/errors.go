package store

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
)

// Sentinels, matched with errors.Is. Errors of the database and of the context are
// wrapped and match as themselves.
var (
	// ErrNotFound says that the scope has no such row: there is none, it is deleted, or
	// it is another user's.
	ErrNotFound = errors.New("convostore: not found")
	// ErrConflict says that somebody else's row or write stands in the way. Every
	// *TransitionError and *SeqConflictError matches it.
	ErrConflict = rule.ErrConflict
	// ErrInvalid is matched by every *InvalidError.
	ErrInvalid = rule.ErrInvalid
	// ErrSchema says that the database does not have the schema of this version of the
	// library; the message says which call brings it up.
	ErrSchema = errors.New("convostore: schema")
	// ErrUnsupported says that this database cannot do it, or was migrated without what
	// it takes; the message says which.
	ErrUnsupported = errors.New("convostore: unsupported")
	// ErrRolledBack says that SQLite has rolled the whole transaction back by itself, as it
	// does when a write is interrupted at its deadline, the disk is full, or a write to it
	// fails. The error of that call matches it, and so does that of each later call in the
	// transaction, none of which does anything, and of the transaction. It also matches
	// what the first one was about, such as context.DeadlineExceeded.
	ErrRolledBack = errors.New("convostore: the database has rolled the transaction back")
	// ErrNotEmbedded says that a message has no vector of the model.
	ErrNotEmbedded = errors.New("convostore: message is not embedded")
)

// InvalidError names the field and the rule that it broke.
type InvalidError = rule.InvalidError

// TransitionError names the state that was found and the one that was asked for.
type TransitionError = rule.TransitionError

// SeqConflictError says that an append with ExpectedSeq came too late.
type SeqConflictError struct {
	// Expected is what the caller gave, Actual the conversation's last seq.
	Expected, Actual int64
}

func (e *SeqConflictError) Error() string {
	return fmt.Sprintf("convostore: conversation is at seq %d, expected %d", e.Actual, e.Expected)
}

// Is makes every SeqConflictError match ErrConflict.
func (e *SeqConflictError) Is(target error) bool { return target == ErrConflict }

// BatchError says which of many messages was at fault.
type BatchError struct {
	// Index counts from 0: the place in the slice, or in the rows of an import.
	Index int
	Err   error
}

func (e *BatchError) Error() string { return fmt.Sprintf("message %d: %v", e.Index, e.Err) }

// Unwrap returns the fault itself.
func (e *BatchError) Unwrap() error { return e.Err }

// EmbedError says which messages could not be embedded.
type EmbedError struct {
	Model    string
	Messages []uuid.UUID
	Err      error
}

func (e *EmbedError) Error() string {
	return fmt.Sprintf("convostore: embed %d messages with %s: %v", len(e.Messages), e.Model, e.Err)
}

// Unwrap returns the embedder's error, or the *InvalidError of a vector.
func (e *EmbedError) Unwrap() error { return e.Err }
