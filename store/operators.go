package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
)

// ConversationOperator is what operators do with the conversations of an inbox. Its methods, but for
// Counts, return the row as it is now, or ErrNotFound if there is no live conversation with this
// id. What changes nothing writes nothing. Notes are messages of message.KindNote.
type ConversationOperator interface {
	// Assign gives a conversation to somebody: the host's name of a person or team, of 1 to 1,024
	// bytes. If it is another's than o.From says, it returns an *AssignedError that names who has
	// it: of two operators who take one conversation at once, both with an empty From, one gets it.
	// One that the assignee has already is returned unchanged, whatever From says, so that a call
	// can be repeated.
	Assign(ctx context.Context, id uuid.UUID, assignee string, o AssignOptions) (*conversation.Conversation, error)

	// Unassign takes a conversation from who has it, with the same guard. One that nobody has is
	// returned unchanged.
	Unassign(ctx context.Context, id uuid.UUID, o AssignOptions) (*conversation.Conversation, error)

	// Snooze takes a conversation out of the queue until a time, to microseconds. It then comes back by
	// itself, without a job: a list compares the time with now. The next inbound message of
	// message.KindMessage brings it back at once; notes, automatic mail, bounces and what we send do
	// not. A later Snooze replaces the time. A time that is not after now, or that a database cannot
	// hold, is ErrInvalid.
	Snooze(ctx context.Context, id uuid.UUID, until time.Time) (*conversation.Conversation, error)

	// Unsnooze brings a conversation back now.
	Unsnooze(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Pin marks a conversation for the top of lists, see ConversationFilter.PinnedFirst. One that is
	// pinned keeps its time.
	Pin(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Unpin takes the mark off.
	Unpin(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Counts counts the queues of an inbox in one query. Mine are those of the assignee; without
	// one they are 0. Each number stops at MaxQueueCount, so that it costs as little in a full inbox.
	Counts(ctx context.Context, assignee string) (QueueCounts, error)
}

// MaxQueueCount is where Counts stops to count: that many and more are MaxQueueCount.
const MaxQueueCount = 1000

// AssignOptions say what an assignment depends on.
type AssignOptions struct {
	// From is who must have the conversation, "" for nobody. Nil takes it from whoever has it.
	From *string
}

// QueueCounts are the lengths of an inbox's queues. Each is what ConversationLister.ListNumbered has
// as its total for the filter in the comment, MaxQueueCount at most.
type QueueCounts struct {
	// NeedsReply counts what waits for an answer and is not snoozed: Statuses of needs_reply.
	NeedsReply int64 `json:"needs_reply"`
	// WithDraft counts those of them that have a pending suggestion: also HasDraft.
	WithDraft int64 `json:"with_draft"`
	// Mine counts those of them that the assignee has: also Assignee.
	Mine int64 `json:"mine"`
	// Unassigned counts those of them that nobody has: also Unassigned.
	Unassigned int64 `json:"unassigned"`
	// Snoozed counts what is snoozed, with any status: OnlySnoozed.
	Snoozed int64 `json:"snoozed"`
}

// Snoozed says what a list does with conversations whose SnoozedUntil is after now.
type Snoozed int

// The choices. The zero value leaves them out of the queue alone: of a list whose only status is
// needs_reply.
const (
	SnoozedByStatus Snoozed = iota
	ExcludeSnoozed
	IncludeSnoozed
	OnlySnoozed
)

// AssignedError says that a conversation was not assigned because another than the caller expected
// has it. It matches ErrConflict.
type AssignedError struct {
	ConversationID uuid.UUID
	// Assignee is who has it, empty if nobody does.
	Assignee string
}

func (e *AssignedError) Error() string {
	if e.Assignee == "" {
		return fmt.Sprintf("convostore: nobody has the conversation %s", e.ConversationID)
	}
	return fmt.Sprintf("convostore: %q has the conversation %s", e.Assignee, e.ConversationID)
}

// Is makes every AssignedError match ErrConflict.
func (e *AssignedError) Is(target error) bool { return target == ErrConflict }
