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
	ConversationOverviewer
	ConversationMarker
	ConversationOperator
	ConversationCreator
	ConversationEditor
	ConversationArchiver
	ConversationRemover
	ConversationWatcher
	ConversationForker
	ConversationMerger
}

// ConversationReader reads one conversation. It does not find deleted ones.
type ConversationReader interface {
	// Get returns a conversation without its messages, or ErrNotFound.
	Get(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// GetByExternalKey returns the conversation with the host's key, without its messages,
	// or ErrNotFound. An empty key is ErrInvalid. In the scope of all users, a key that more
	// than one user has is ErrConflict.
	GetByExternalKey(ctx context.Context, key string) (*conversation.Conversation, error)

	// Thread returns a conversation with all its live messages in the order of seq, those of the
	// path of the head if it has branches, and all
	// its live suggestions, oldest first, or ErrNotFound. It takes three queries, however
	// many rows there are. For a long thread, MessageReader.Last reads less.
	Thread(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)
}

// ConversationLister lists conversations, without their messages. Deleted ones are listed
// only if the filter asks for them.
type ConversationLister interface {
	// List returns a page in the order of the filter. Pages never repeat or skip a row that
	// existed throughout and kept its place. In the order NewestActivity an append moves a
	// conversation to the front; in the order NewestCreated nothing moves.
	List(ctx context.Context, f ConversationFilter, p PageRequest) (Page[*conversation.Conversation], error)

	// ListNumbered returns page number p.Number, counted from 1, with the total. A number
	// after the last page gives an empty page. A number or a size out of range is ErrInvalid.
	// Each call counts all rows and skips those of the earlier pages, and rows move between
	// pages when others are added: it is for people who jump to a page. To read everything,
	// use List or All.
	ListNumbered(ctx context.Context, f ConversationFilter, p NumberRequest) (NumberedPage[*conversation.Conversation], error)

	// All iterates over everything that matches, in the order of the filter. It reads one
	// page at a time and has no query open while the caller works. It ends after the first
	// error.
	All(ctx context.Context, f ConversationFilter) iter.Seq2[*conversation.Conversation, error]

	// NeedsReply returns a page of the conversations with status needs_reply that are not snoozed,
	// newest activity first. Their latest message with a direction is inbound.
	NeedsReply(ctx context.Context, p PageRequest) (Page[*conversation.Conversation], error)

	// Unread is NeedsReply for conversations whose last message was sent at since or later.
	// A zero since has no bound. Nobody records who has read what: unread means unanswered.
	Unread(ctx context.Context, since time.Time, p PageRequest) (Page[*conversation.Conversation], error)
}

// ConversationCreator creates conversations or finds the existing one.
type ConversationCreator interface {
	// Create stores c and c.Messages, all or nothing, and fills in what was unset. The
	// messages get seq 1, 2, 3 … in their order; status and activity follow from them. It
	// returns ErrConflict if another conversation of the user, even a deleted one, has the id
	// or the external key, or if a message has the id, the idempotency key or the provider
	// id of another one, in c.Messages or stored before. A c with Suggestions is ErrInvalid:
	// create them with SuggestionCreator.Create.
	Create(ctx context.Context, c *conversation.Conversation) error

	// Upsert creates c, or, if the user has a conversation with c.ID, sets the lead, external
	// key, title, subject and metadata of that one to those of c. It never changes the language (SetLanguage does), status,
	// seq and activity, which follow from the messages. c comes back as the stored row. It
	// returns ErrConflict if the row is deleted, and ErrInvalid if c has no id or has
	// messages or suggestions.
	Upsert(ctx context.Context, c *conversation.Conversation) (created bool, err error)

	// GetOrCreate finds the user's conversation with c.ExternalKey, or creates c. Of several
	// concurrent calls one creates. c comes back as the stored row; an existing row is not
	// changed. If that row is deleted, it returns ErrConflict and c is the row. A c without
	// an external key, or with messages or suggestions, is ErrInvalid.
	GetOrCreate(ctx context.Context, c *conversation.Conversation) (created bool, err error)
}

// ConversationEditor changes the title, the subject, the language and the metadata. Its methods return the
// row as it is now, or ErrNotFound if there is no live conversation with this id. The last
// call wins.
type ConversationEditor interface {
	// SetTitle sets the title, of at most 255 characters; "" removes it.
	SetTitle(ctx context.Context, id uuid.UUID, title string) (*conversation.Conversation, error)

	// SetSubject sets the subject; "" removes it.
	SetSubject(ctx context.Context, id uuid.UUID, subject string) (*conversation.Conversation, error)

	// SetLanguage sets the language of the texts, two or three small letters; "" removes it. All
	// texts of the conversation are then indexed again, as if they were new.
	SetLanguage(ctx context.Context, id uuid.UUID, language string) (*conversation.Conversation, error)

	// SetMetadata replaces the whole document; nil removes it.
	SetMetadata(ctx context.Context, id uuid.UUID, doc message.JSON) (*conversation.Conversation, error)

	// MergeMetadata applies patch as a JSON Merge Patch (RFC 7396): objects are merged key by
	// key, null removes a key, and any other value replaces the old one. A patch that is not
	// an object is ErrInvalid. Concurrent merges all take effect.
	MergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*conversation.Conversation, error)
}

// ConversationArchiver archives conversations, and exempts them from retention. Its methods
// return the row as it is now, or ErrNotFound.
type ConversationArchiver interface {
	// Archive sets the status of a live conversation to archived. One that is archived is
	// returned unchanged. The next inbound or outbound message gives it another status.
	Archive(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Reopen makes an archived conversation active. A live one with another status is
	// returned unchanged.
	Reopen(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Hold exempts a conversation, live or deleted, from everything that archives, deletes or
	// purges by age (see Retention), until Release. One on hold is returned unchanged. A hold
	// does not prevent Delete or Erase.
	Hold(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Release ends a hold on a conversation, live or deleted. One that is not on hold is
	// returned unchanged.
	Release(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)
}

// ConversationRemover deletes conversations softly, restores them, and erases them.
type ConversationRemover interface {
	// Delete hides a conversation and everything in it (soft delete). Messages and
	// suggestions keep their own marks, so that Restore brings back exactly what was visible
	// before. A second Delete returns ErrNotFound.
	Delete(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Restore brings a deleted conversation back and returns it. One that is not deleted is
	// returned unchanged. It returns ErrNotFound if there is no such conversation, and a
	// *MergedError for one that was merged: there is nothing to bring back.
	Restore(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error)

	// Erase removes a conversation, live or deleted, for good, with its messages, vectors and
	// suggestions (hard delete), and returns how many rows of each table it removed, those of
	// conversations that were merged into it among them. It returns ErrNotFound if there is no
	// such conversation, and a *MergedError for one whose messages are in another one now.
	Erase(ctx context.Context, id uuid.UUID) (Counts, error)
}

// ConversationOrder is an order of conversations. Ties go by id, highest first, and in the
// scope of all users then by user id, highest first; in OldestActivity lowest first. An unknown order
// is ErrInvalid.
type ConversationOrder int

// The orders.
const (
	// NewestActivity sorts by LastMessageAt, latest first.
	NewestActivity ConversationOrder = iota
	// NewestCreated sorts by CreatedAt, latest first.
	NewestCreated
	// OldestActivity sorts by LastMessageAt, earliest first. In the queue, where the last message is
	// theirs, who has waited longest since then comes first.
	OldestActivity
)

// ConversationFilter selects conversations. A row must meet every field that is set. The zero
// value takes every live conversation, newest activity first.
type ConversationFilter struct {
	// IDs takes the conversations with these ids, at most MaxLimit; an empty list takes all. An id
	// that the scope has no conversation with is not found, which is no error. They come in the
	// Order, and not in that of the list.
	IDs []uuid.UUID
	// LeadID takes the conversations with this lead. An id that cannot be a key of the host's
	// leads, such as a word where the key is a bigint, is ErrInvalid.
	LeadID string
	// Statuses takes conversations with any of these; an empty list takes all.
	Statuses []conversation.Status
	// ActiveSince and ActiveBefore bound LastMessageAt: since ≤ t < before. Zero is no bound.
	ActiveSince, ActiveBefore time.Time
	// CreatedSince and CreatedBefore bound CreatedAt in the same way.
	CreatedSince, CreatedBefore time.Time
	// Text is a part of the title or of the subject, as MatchSubstring finds it but with its
	// spaces. More than MaxQuery bytes are ErrInvalid, as are more than 32 characters if letters
	// with more than MaxFolded other cases are among them.
	Text string
	// App takes the conversations with this app, and Assignee those with this assignee.
	App, Assignee string
	// Unassigned takes the conversations that nobody has. Together with an Assignee it is ErrInvalid.
	Unassigned bool
	// Snoozed says what becomes of the conversations that are snoozed now. The zero value leaves them
	// out if needs_reply is the only one of Statuses.
	Snoozed Snoozed
	// Pinned takes the conversations that are pinned.
	Pinned bool
	// HasDraft takes the conversations with a live suggestion that is pending.
	HasDraft bool
	// Labels takes the conversations that have all of these, at most MaxLabels.
	Labels []string
	// Metadata takes the conversations that meet all of these conditions, at most MaxMetadata. No
	// index serves them: the rows that the other fields leave are read.
	Metadata []MetadataCondition
	Deleted  Deleted
	Order    ConversationOrder
	// PinnedFirst has those that are pinned before all others, each part in the Order.
	PinnedFirst bool
}
