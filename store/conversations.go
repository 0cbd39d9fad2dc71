package store

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// Conversations is everything that can be done with the conversations of a scope.
type Conversations interface {
	ConversationReader
	ConversationLister
	ConversationCreator
	ConversationEditor
	ConversationArchiver
	ConversationRemover
}

// ConversationReader reads one conversation. A deleted one is not there.
type ConversationReader interface {
	// Get returns a conversation without its messages, or ErrNotFound.
	Get(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// GetByExternalKey returns the conversation that the host knows by this key, or
	// ErrNotFound. In a scope of all users the key must be one user's alone, else
	// ErrConflict.
	GetByExternalKey(ctx context.Context, key string) (*conversation.Conversation, error)

	// Thread returns a conversation with all its live messages in the order of the
	// thread and all its live suggestions, oldest first: three queries, however many
	// there are. It returns ErrNotFound if there is no such conversation. Of a long
	// thread MessageReader.Last reads less.
	Thread(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)
}

// ConversationLister finds conversations. Deleted ones are not there unless a filter asks
// for them.
type ConversationLister interface {
	// List returns a page in the order of the filter. A page never repeats or skips a
	// row that existed throughout and kept its place: with NewestActivity an append
	// moves a conversation to the front, with NewestCreated nothing moves.
	List(ctx context.Context, f ConversationFilter, p PageRequest) (Page[*conversation.Conversation], error)

	// ListNumbered returns page p.Number, from 1, with the total. A number beyond the
	// last is an empty page. It counts and skips rows at every call, and rows move
	// between pages as others are added: for people who jump, not for walking.
	ListNumbered(ctx context.Context, f ConversationFilter, p NumberRequest) (NumberedPage[*conversation.Conversation], error)

	// All walks everything that matches in the order of the filter, reading a page at a
	// time, with no query open while the caller works. It ends after the first error.
	All(ctx context.Context, f ConversationFilter) iter.Seq2[*conversation.Conversation, error]

	// NeedsReply is the queue of conversations that end with an inbound message, newest
	// activity first.
	NeedsReply(ctx context.Context, p PageRequest) (Page[*conversation.Conversation], error)

	// Unread is NeedsReply with the last message at since or later.
	Unread(ctx context.Context, since time.Time, p PageRequest) (Page[*conversation.Conversation], error)
}

// ConversationCreator creates conversations, or finds the one that is there.
type ConversationCreator interface {
	// Create stores c and its Messages, all or nothing, and fills in what was unset. The
	// messages get seq 1, 2, 3 … in their order, and the status and the activity follow
	// from them. It returns ErrConflict if the id or the external key is taken by
	// another conversation of the user, even a deleted one, or if two of the messages or
	// an older one share an idempotency key or a provider id. Suggestions are refused.
	Create(ctx context.Context, c *conversation.Conversation) error

	// Upsert creates c, or, if the user has a conversation with c.ID, sets its lead,
	// external key, title, subject and metadata to those of c. Status, seq and activity
	// belong to the messages and stay. c comes back as the stored row. It returns
	// ErrConflict if the row is deleted, ErrInvalid without an id or with messages.
	Upsert(ctx context.Context, c *conversation.Conversation) (created bool, err error)

	// GetOrCreate finds the user's conversation with c.ExternalKey, or creates c. Of
	// many calls at once one creates. c comes back as the stored row, which an existing
	// one does not change. It returns ErrConflict, and c is that row, if it is deleted;
	// ErrInvalid without a key or with messages.
	GetOrCreate(ctx context.Context, c *conversation.Conversation) (created bool, err error)
}

// ConversationEditor changes what a conversation says of itself. Its methods return the row
// as it is now, or ErrNotFound.
type ConversationEditor interface {
	// SetTitle takes at most 255 characters; "" removes the title.
	SetTitle(ctx context.Context, id uuid.UUID, title string) (*conversation.Conversation, error)

	// SetSubject sets the subject; "" removes it.
	SetSubject(ctx context.Context, id uuid.UUID, subject string) (*conversation.Conversation, error)

	// SetMetadata replaces the whole document; nil removes it.
	SetMetadata(ctx context.Context, id uuid.UUID, doc message.JSON) (*conversation.Conversation, error)

	// MergeMetadata applies patch as a JSON Merge Patch (RFC 7396): objects merge key by
	// key, null removes a key, anything else replaces. The patch must be an object. Two
	// merges at once both count.
	MergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*conversation.Conversation, error)
}

// ConversationArchiver puts conversations aside and keeps them from going by age. Its
// methods return the row as it is now, or ErrNotFound.
type ConversationArchiver interface {
	// Archive puts a conversation aside; an archived one stays as it is.
	Archive(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Reopen makes an archived conversation active; any other stays as it is.
	Reopen(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Hold keeps a conversation, live or deleted, from what archives, deletes and purges
	// by age (see Retention), until Release; one that is held stays as it is. It does not
	// keep anybody from calling Delete or Erase.
	Hold(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Release ends a hold. A conversation, live or deleted, that is not held stays as it
	// is.
	Release(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)
}

// ConversationRemover deletes softly, brings back, and erases.
type ConversationRemover interface {
	// Delete hides a conversation and with it everything in it. Its messages keep their
	// own marks, so that Restore brings back what was there and nothing else. Deleting
	// again returns ErrNotFound.
	Delete(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Restore brings a deleted conversation back; a live one stays as it is. It returns
	// ErrNotFound if there is neither.
	Restore(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Erase removes a conversation, deleted or not, for good, with its messages,
	// vectors and suggestions, and returns how many rows went. It returns ErrNotFound
	// if there is none.
	Erase(ctx context.Context, id uuid.UUID) (Counts, error)
}

// ConversationOrder is an order of conversations. Ties go by id, highest first.
type ConversationOrder int

// The orders.
const (
	// NewestActivity sorts by LastMessageAt, latest first.
	NewestActivity ConversationOrder = iota
	// NewestCreated sorts by CreatedAt, latest first.
	NewestCreated
)

// ConversationFilter says which conversations; fields narrow together. The zero value
// is every live one, newest activity first.
type ConversationFilter struct {
	// LeadID is ErrInvalid where it cannot be the key of one of the host's leads: no number
	// for a bigint.
	LeadID string
	// Statuses keeps any of them; none keeps all.
	Statuses []conversation.Status
	// ActiveSince and ActiveBefore bound LastMessageAt: since ≤ t < before.
	ActiveSince, ActiveBefore time.Time
	// CreatedSince and CreatedBefore bound CreatedAt likewise.
	CreatedSince, CreatedBefore time.Time
	// Text is a part of the title or of the subject, in either case of letters: any
	// letters on PostgreSQL, those of ASCII on SQLite. % and _ are letters. It has MaxQuery
	// bytes at most.
	Text    string
	Deleted Deleted
	Order   ConversationOrder
}
