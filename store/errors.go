package store

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
)

// The errors of this package, to be matched with errors.Is. Errors of the database and of
// the context are wrapped and can be matched as well.
var (
	// ErrNotFound means that the scope has no such row: it does not exist, is deleted, or is
	// another user's. Every *MergedError matches it.
	ErrNotFound = errors.New("convostore: not found")
	// ErrConflict means that another row or a concurrent write stands in the way: a key that
	// is taken, a decision that was made, or, in the scope of all users, an id that more than
	// one user has. Every *TransitionError, *SeqConflictError, *StreamError,
	// *LeaseError and *TakenError matches it.
	ErrConflict = rule.ErrConflict
	// ErrInvalid means that the input breaks a rule. Every *InvalidError matches it.
	ErrInvalid = rule.ErrInvalid
	// ErrSchema means that this version of the library does not work with the schema in the
	// database, or that parts of it are missing, which only Health.Ready looks for. The message
	// says which of the two is to be updated or mended, and by which call. A newer schema that
	// only adds to the one of this version is no error: during a deployment old processes go on
	// beside it.
	ErrSchema = errors.New("convostore: schema")
	// ErrUnsupported means that this database lacks the ability, or was migrated without it.
	// The message says which of the two, and what is missing.
	ErrUnsupported = errors.New("convostore: unsupported")
	// ErrSearchIndex means that the index of words is damaged, by a disk or by somebody else's SQL.
	// SearchCare.ReindexSearch makes it anew; until then rows are written as before, while searches
	// and erasures that come upon the damage fail.
	ErrSearchIndex = errors.New("convostore: the index of words is damaged, call ReindexSearch")
	// ErrRolledBack means that SQLite has rolled the whole transaction back by itself. It does
	// so if a write is interrupted when its context ends, if the disk is full, or if writing to
	// the disk fails. The error of the failed call matches ErrRolledBack and its own cause, such
	// as context.DeadlineExceeded. Every later call in the transaction does nothing and returns
	// an error that matches both as well, and so does the transaction itself.
	ErrRolledBack = errors.New("convostore: the database has rolled the transaction back")
	// ErrFileGone means that the file of an SQLite database, or its write-ahead log, is no longer
	// where it was opened: it was deleted, renamed or replaced. A call that returns it has stored
	// nothing that a process which opens the path would find. Put the file back, or open the
	// store again.
	ErrFileGone = errors.New("convostore: the database file is gone")
	// ErrClosed means that the store was closed, before the call or while it waited. Close of a store
	// on a host's own handle closes nothing, and once the host has closed that, its error is the
	// database's.
	ErrClosed = errors.New("convostore: the store is closed")
	// ErrNotEmbedded means that a message has no vector of the model.
	ErrNotEmbedded = errors.New("convostore: message is not embedded")
)

// InvalidError names the field that was bad and the rule that it broke. It matches ErrInvalid.
type InvalidError = rule.InvalidError

// TransitionError says that a suggestion has a state from which the requested one cannot be
// reached. It names both, and matches ErrConflict.
type TransitionError = rule.TransitionError

// SeqConflictError says that an append with ExpectedSeq found another last seq. It matches
// ErrConflict.
type SeqConflictError struct {
	// Expected is the seq that the caller gave, Actual the conversation's last seq.
	Expected, Actual int64
}

func (e *SeqConflictError) Error() string {
	return fmt.Sprintf("convostore: conversation is at seq %d, expected %d", e.Actual, e.Expected)
}

// Is makes every SeqConflictError match ErrConflict.
func (e *SeqConflictError) Is(target error) bool { return target == ErrConflict }

// BatchError says which one of several messages was at fault.
type BatchError struct {
	// Index is the position in the slice, or in the rows of an import, counted from 0.
	Index int
	// Err is what was wrong with that message.
	Err error
}

func (e *BatchError) Error() string { return fmt.Sprintf("message %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *BatchError) Unwrap() error { return e.Err }

// EmbedError says which messages could not be embedded because the embedder was out of order.
type EmbedError struct {
	Model    string
	Messages []uuid.UUID
	// Err is the embedder's error, or the *InvalidError of a vector.
	Err error
}

func (e *EmbedError) Error() string {
	return fmt.Sprintf("convostore: embed %d messages with %s: %v", len(e.Messages), e.Model, e.Err)
}

// Unwrap returns Err.
func (e *EmbedError) Unwrap() error { return e.Err }
