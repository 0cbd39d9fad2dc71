package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/suggestion"
)

// Suggestions is everything that can be done with the suggestions of a scope. A suggestion
// in a deleted conversation does not exist for it.
type Suggestions interface {
	SuggestionReader
	SuggestionCreator
	SuggestionDrafter
	SuggestionReviewer
	SuggestionSender
	SuggestionRemover
}

// SuggestionReader reads suggestions that are not deleted.
type SuggestionReader interface {
	// Get returns a suggestion, or ErrNotFound.
	Get(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error)

	// Pending returns a page of the suggestions that wait for a decision, latest CreatedAt
	// first, ties by id, highest first. Each comes with its conversation and the message
	// that it answers. A page takes three queries.
	Pending(ctx context.Context, p PageRequest) (Page[*PendingSuggestion], error)

	// PendingNumbered returns a page of what Pending lists by its number, with the total, as
	// ConversationLister.ListNumbered does.
	PendingNumbered(ctx context.Context, n NumberRequest) (NumberedPage[*PendingSuggestion], error)

	// ListByConversationNumbered returns a page of what ListByConversation lists by its number,
	// with the total, as ConversationLister.ListNumbered does. It returns ErrNotFound if there
	// is no live conversation with this id.
	ListByConversationNumbered(ctx context.Context, conversationID uuid.UUID, n NumberRequest) (NumberedPage[*suggestion.Suggestion], error)

	// ListByConversation returns a page of the suggestions of a conversation, earliest
	// CreatedAt first, ties by id. It returns ErrNotFound if there is no live conversation
	// with this id.
	ListByConversation(ctx context.Context, conversationID uuid.UUID, p PageRequest) (Page[*suggestion.Suggestion], error)
}

// SuggestionReviewer decides on suggestions, once each unless Reopen undoes it.
type SuggestionReviewer interface {
	// Approve decides that the suggested text goes out as it is. If several callers decide
	// at the same time, one wins; the others get a *TransitionError that names the decision
	// they found, and change nothing. A second decision gets the same error, and so does one on a
	// suggestion that a newer message of the lead has superseded: whichever of the two came first.
	// Approve clears an unfinished draft. It returns ErrNotFound if there is no such suggestion.
	// All of this holds for Edit and Reject too.
	Approve(ctx context.Context, id uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error)

	// Edit decides that content goes out instead of the suggested text. An empty content is
	// ErrInvalid.
	Edit(ctx context.Context, id uuid.UUID, content string, r suggestion.Review) (*suggestion.Suggestion, error)

	// Reject decides that nothing goes out.
	Reject(ctx context.Context, id uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error)
}

// SuggestionCreator stores drafted replies.
type SuggestionCreator interface {
	// Create stores a suggestion in a live conversation and fills in what was unset. It
	// returns ErrNotFound if there is no such conversation, ErrConflict if the id is taken,
	// and ErrInvalid if the message that it answers is not a live one of that conversation.
	// A suggestion may be stored with a decision and its ReviewedAt. One with a
	// SentMessageID is ErrInvalid: only Send links the message.
	//
	// AnswersSeq, if it is not given, becomes the seq of the newest live message on the path of the
	// head. Give that of the newest message that the model has read: one above the last seq of the
	// conversation is ErrInvalid, and if a message of the lead came in while the model was writing,
	// the suggestion is stored as superseded, which its Status says.
	Create(ctx context.Context, s *suggestion.Suggestion) error
}

// SuggestionRemover hides suggestions and brings them back.
type SuggestionRemover interface {
	// Delete hides a suggestion (soft delete). A second Delete returns ErrNotFound.
	Delete(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error)

	// Restore brings a deleted suggestion back and returns it. A suggestion that is not
	// deleted is returned unchanged. It returns ErrNotFound if there is no such suggestion.
	Restore(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error)
}

// PendingSuggestion is a suggestion with what a person needs in order to decide on it. Its
// InReplyTo is loaded; it is nil if the suggestion answers no message or a deleted one.
type PendingSuggestion struct {
	*suggestion.Suggestion
	Conversation *conversation.Conversation `json:"conversation"`
}
