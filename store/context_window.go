package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/window"
)

// MessageWindower chooses what of a conversation is sent to a language model.
type MessageWindower interface {
	// Context returns what window.Build makes of a conversation and of its summaries that are
	// not void: what to send, and what is left out and why. It reads the newest messages, a page
	// at a time, until the budget is full, and beside them those of the system and the last one
	// of a user's, wherever they are; of what a summary covers it reads the last message, to
	// see that the summary is of this path. Window.UnreadBefore says how far it read.
	//
	// A budget without a bound is ErrInvalid, and one that the pinned messages do not fit into
	// is a *window.TooSmallError, which matches ErrInvalid. A conversation without messages has
	// an empty window. It returns ErrNotFound if there is no such conversation.
	Context(ctx context.Context, conversationID uuid.UUID, b window.Budget) (window.Window, error)
}

// Summaries keeps texts that stand in the place of messages. A summary is of the messages from
// FromSeq to ToSeq, on the path that ends with the message ToSeq. It is void as soon as one of
// the live messages in between is not as it was: edited, by whatever means as long as updated_at
// or the revision shows it, deleted, restored, or gone.
//
// That is found when summaries are read, by comparing what is there with CoveredHash, and not
// noted when a message is changed: so it holds for changes by plain GORM and SQL as well, and
// costs writers nothing. VoidAt of a void summary is then the time of the latest change, or
// CreatedAt if that is later, as it is after a deletion.
type Summaries interface {
	// Cover returns the hash of the live messages of a conversation from one seq to another.
	// A host calls it before it reads the messages that it sums up, and puts it into
	// CoveredHash of the summary. It always reads from the primary. fromSeq below 1, a toSeq
	// before it and a toSeq that is no live message's are ErrInvalid. It returns ErrNotFound
	// if there is no such conversation.
	Cover(ctx context.Context, conversationID uuid.UUID, fromSeq, toSeq int64) (string, error)

	// Create stores a summary and fills in what was unset: id, owner, time, CoveredHash. If
	// CoveredHash is set and the messages are not as they were when Cover returned it, Create
	// returns ErrConflict, as it does if the id is taken. A nil summary, one that breaks a rule
	// or has a VoidAt, and seqs as for Cover are ErrInvalid. It returns ErrNotFound if there is
	// no live conversation with its ConversationID.
	Create(ctx context.Context, s *conversation.Summary) error

	// List returns the summaries of a conversation, void ones included, by ToSeq, FromSeq,
	// CreatedAt and id: those with the highest ToSeq, if there are more than MaxLimit. It
	// returns ErrNotFound if there is no such conversation.
	List(ctx context.Context, conversationID uuid.UUID) ([]*conversation.Summary, error)

	// Delete removes a summary of a live conversation for good. A second Delete returns
	// ErrNotFound.
	Delete(ctx context.Context, id uuid.UUID) error
}
