package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// Suggestions is everything that can be done with the suggestions of a scope. Those of a
// deleted conversation are not there.
type Suggestions interface {
	SuggestionReader
	SuggestionReviewer
	SuggestionEditor
}

// SuggestionReader finds suggestions.
type SuggestionReader interface {
	// Get returns a live suggestion, or ErrNotFound.
	Get(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error)

	// Pending is the queue of what waits for a decision, newest first, each with its
	// conversation and the message that it answers: three queries a page.
	Pending(ctx context.Context, p PageRequest) (Page[*PendingSuggestion], error)

	// ListByConversation returns a page of the live suggestions of a conversation,
	// oldest first. It returns ErrNotFound if there is no such conversation.
	ListByConversation(ctx context.Context, conversationID uuid.UUID, p PageRequest) (Page[*suggestion.Suggestion], error)
}

// SuggestionReviewer decides on suggestions, once each, and sends them.
type SuggestionReviewer interface {
	// Approve decides that the text goes out as it is. Of many who decide at once one
	// wins; the others get a *TransitionError that names the decision they found, and
	// change nothing. It returns ErrNotFound if there is no such suggestion. The same
	// holds for Edit and Reject.
	Approve(ctx context.Context, id uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error)

	// Edit decides that content goes out in the place of the text; "" is refused.
	Edit(ctx context.Context, id uuid.UUID, content string, r suggestion.Review) (*suggestion.Suggestion, error)

	// Reject decides that nothing goes out.
	Reject(ctx context.Context, id uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error)

	// Send appends the outbound message of an approved or edited suggestion and links
	// it, in one transaction, exactly once: a later call returns false and m comes back
	// as the message that was sent. m may carry addresses, provider ids and headers;
	// without content it gets the suggestion's final text, without a role or a direction
	// it is the assistant's and outbound. A live outbound message of the same conversation
	// that was stored already under m's id, provider id or idempotency key is linked, not
	// repeated, unless it is that of another suggestion.
	//
	// Send records; it does not transmit. Transmit after it returned true, with the
	// message's id as the idempotency key of the mail service.
	//
	// It returns a *TransitionError if the suggestion is pending or rejected, ErrNotFound
	// if there is none, ErrInvalid if m is nil, breaks a rule or is not outbound, and
	// ErrConflict if m's key belongs to a message that cannot be linked: an inbound one, one
	// without a direction, a deleted one, that of another suggestion or of another
	// conversation. Nothing is written then.
	Send(ctx context.Context, id uuid.UUID, m *message.Message) (created bool, err error)
}

// SuggestionEditor stores suggestions, hides them and brings them back.
type SuggestionEditor interface {
	// Create stores a suggestion for a live conversation and fills in what was unset. It
	// returns ErrNotFound if there is no such conversation, ErrInvalid if the message
	// that it answers is not a live one of that conversation, ErrConflict if the id is
	// taken. A decided suggestion may be stored, with its ReviewedAt; a sent one is
	// refused: Send links the message.
	Create(ctx context.Context, s *suggestion.Suggestion) error

	// Delete hides a suggestion. Deleting again returns ErrNotFound.
	Delete(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error)

	// Restore brings a deleted suggestion back; a live one stays as it is. It returns
	// ErrNotFound if there is neither.
	Restore(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error)
}

// PendingSuggestion is a suggestion with what a person needs to decide on it.
// Suggestion.InReplyTo is loaded, nil if it answers nothing or what it answers was
// deleted.
type PendingSuggestion struct {
	*suggestion.Suggestion
	Conversation *conversation.Conversation `json:"conversation"`
}
