package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
)

// ConversationMerger makes one conversation of two. docs/merge.md says of each thing that a
// conversation has what becomes of it.
type ConversationMerger interface {
	// Merge moves all that is in from to the end of into and returns into as it is then. The
	// messages get new seqs there, in the order of SentAt, and follow the head of into; the
	// branches of from come along as branches. Status and activity follow from all messages.
	//
	// from stays as a deleted row with MergedIntoID. Every call with its id is a *MergedError then,
	// also Restore and Erase. A merge of two that are one already, in this direction, returns into
	// and changes nothing. Both must be live conversations of one user: any other is ErrNotFound,
	// or a *MergedError if it went into a third one. Two leads are ErrInvalid without
	// MoveOptions.AcrossLeads. A message of from that is streaming is a *StreamError.
	Merge(ctx context.Context, from, into uuid.UUID, o MoveOptions) (*conversation.Conversation, error)
}

// MessageMover moves messages between conversations.
type MessageMover interface {
	// Move moves messages to the end of the conversation into, in the order of SentAt, and returns
	// how many it moved: those that are there already stay as they are. They follow the head of
	// into, whatever branches they were on.
	//
	// Each leaves a deleted message in its place, with a new id and FinishMoved, so that tails of
	// the old conversation see a ChangeDeleted, and a redelivery with its idempotency key is a
	// *TakenError there. It cannot be restored.
	//
	// All are moved or none. A message that is not live is a *BatchError with ErrNotFound, one that
	// is streaming a *StreamError. Two leads are ErrInvalid without MoveOptions.AcrossLeads, and so
	// are more than MaxLimit ids. A conversation on hold loses messages to another one on hold
	// alone; otherwise it is ErrConflict.
	Move(ctx context.Context, ids []uuid.UUID, into uuid.UUID, o MoveOptions) (moved int64, err error)
}

// MoveOptions are the options of Merge and Move. The zero value is the default.
type MoveOptions struct {
	// AcrossLeads lets messages go from a conversation with a lead to one with another lead.
	AcrossLeads bool
}

// FinishMoved is the FinishReason of what Move leaves in the place of a message. Its Metadata names
// the message and the conversation that it is in since then: {"message_id": …, "moved_to": …}.
const FinishMoved = "moved"

// MergedError says that a conversation was merged into another one. It matches ErrNotFound.
type MergedError struct {
	// From is the conversation that was asked for, Into the one that has its messages now: at the
	// end of a chain of merges the last one.
	From, Into uuid.UUID
	// Err is the error without this knowledge, which matches ErrNotFound. It may be nil.
	Err error
}

func (e *MergedError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("convostore: the conversation %s was merged into %s", e.From, e.Into)
	}
	return fmt.Sprintf("%v: the conversation %s was merged into %s", e.Err, e.From, e.Into)
}

// Is makes every MergedError match ErrNotFound.
func (e *MergedError) Is(target error) bool { return target == ErrNotFound }

// Unwrap returns Err.
func (e *MergedError) Unwrap() error { return e.Err }
