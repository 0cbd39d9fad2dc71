package store

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// Messages is everything that can be done with the messages of a scope.
type Messages interface {
	MessageReader
	MessageFinder
	MessageAppender
	MessageFiler
	MessageRefs
	MessageEditor
	MessageWindower
	MessageBrancher
	MessageStreamer
	MessageVoter
	MessageWatcher
	MessageMover
}

// MessageReader reads the messages of a conversation. Messages of a deleted conversation are
// not found. Deleted messages of a live one are read only if a filter asks for them. Of a
// conversation with branches, the path of the head is read, see MessageBrancher. No method reads
// Embeddings.
type MessageReader interface {
	// Get returns a live message, or ErrNotFound.
	Get(ctx context.Context, id uuid.UUID) (*message.Message, error)

	// GetByKey returns the live message of a conversation with this idempotency key, on any branch,
	// or ErrNotFound. An empty key is ErrInvalid.
	GetByKey(ctx context.Context, conversationID uuid.UUID, key string) (*message.Message, error)

	// List returns a page of a conversation in the order of the filter. It returns
	// ErrNotFound if there is no such conversation.
	List(ctx context.Context, conversationID uuid.UUID, f MessageFilter, p PageRequest) (Page[*message.Message], error)

	// ListNumbered returns a page of what List lists by its number, with the total, as
	// ConversationLister.ListNumbered does. It returns ErrNotFound if there is no such
	// conversation.
	ListNumbered(ctx context.Context, conversationID uuid.UUID, f MessageFilter, n NumberRequest) (NumberedPage[*message.Message], error)

	// All iterates over a conversation in the order of the filter. It reads one page at a
	// time, of MaxPageBytes at most and one row, and has no query open while the caller works. It ends after the first error, which
	// is ErrNotFound if there is no such conversation.
	All(ctx context.Context, conversationID uuid.UUID, f MessageFilter) iter.Seq2[*message.Message, error]

	// Last returns the n newest messages of a conversation in the order of seq, oldest first;
	// fewer if there are not n, or if the newest already take MaxPageBytes. An n outside of 1 to MaxLimit is ErrInvalid. It returns
	// ErrNotFound if there is no such conversation.
	Last(ctx context.Context, conversationID uuid.UUID, n int) ([]*message.Message, error)

	// Around returns the message with this seq and up to n before and n after it, in the
	// order of seq; fewer, the nearest, where they take MaxPageBytes on either side. If that
	// message is deleted, on another branch or does not exist, the others are returned without it. A seq below 1 and an n outside of 1 to MaxLimit are ErrInvalid. It returns
	// ErrNotFound if there is no such conversation.
	Around(ctx context.Context, conversationID uuid.UUID, seq int64, n int) ([]*message.Message, error)
}

// MessageFinder finds messages in all live conversations of the scope.
type MessageFinder interface {
	// ListByUser returns a page of the messages of all live conversations of the scope, latest
	// CreatedAt first, or oldest first if the order of the filter is ThreadOrder. Ties go by
	// id, in the same direction. AfterSeq, BeforeSeq and the orders by SentAt have no meaning
	// across conversations and are ErrInvalid.
	ListByUser(ctx context.Context, f MessageFilter, p PageRequest) (Page[*message.Message], error)

	// ListByUserNumbered returns a page of what ListByUser lists by its number, with the total,
	// as ConversationLister.ListNumbered does. It counts every message of the scope that
	// matches.
	ListByUserNumbered(ctx context.Context, f MessageFilter, n NumberRequest) (NumberedPage[*message.Message], error)

	// AllByUser iterates over what ListByUser lists, as MessageReader.All does.
	AllByUser(ctx context.Context, f MessageFilter) iter.Seq2[*message.Message, error]

	// FindByProviderID returns the live message with this id of a provider, or ErrNotFound. An
	// unknown provider and an empty id are ErrInvalid. In the scope of all users, an id that
	// more than one user has is ErrConflict.
	FindByProviderID(ctx context.Context, p message.Provider, id string) (*message.Message, error)

	// FindThread returns the live conversation that an e-mail belongs to: one with a message
	// of the same Gmail thread, else one with the message that In-Reply-To names, else one
	// with the nearest message that References names, else one with a message that names one of
	// these too, or that names m. It looks for such an id among the Message-IDs of e-mails and the
	// names of MessageRefs and, by the part before the @, among Postmark's ids; mails that answer an
	// id which is not here are known from File alone. Deleted messages count. A conversation that has
	// no address in common with m, see File, is not taken, unless m or one of its messages has none.
	// If several conversations match, the one that has most of the addresses is returned, and then the
	// one with the newest activity; if none does, ErrNotFound. A nil m is ErrInvalid. It always reads
	// from the primary.
	FindThread(ctx context.Context, m *message.Message) (*conversation.Conversation, error)
}

// MessageAppender adds messages to conversations.
type MessageAppender interface {
	// Append adds m to the end of a conversation and fills in what was unset: id, keys, seq,
	// times. The same statement updates the conversation's status and activity. Append never
	// fails because others append concurrently.
	//
	// A redelivery returns false and no error, and m comes back as the row that is stored. It
	// takes no seq and changes nothing. m is a redelivery if the user has a message with its
	// provider id, or if the conversation has one with its id or idempotency key. The message
	// with the provider id may be deleted, and then stays so, and in another conversation. An id or
	// a key of a message that is deleted, and an id of one in another conversation, is a
	// *TakenError, which matches ErrConflict and has the stored row: nothing is stored, and nothing
	// is dropped without a word. A Message that was appended has an id, so that each append needs a
	// Message of its own.
	//
	// m follows the head of the conversation, or the message that its ParentSeq names: a new branch
	// if that has a successor, the beginning of another path if it is 0. m becomes the head. A
	// ParentSeq that no message has is ErrInvalid. m comes back with the ParentSeq that is stored,
	// which is nil if m follows the message with the seq before its own.
	//
	// Embeddings that are set on m are stored with it; those of a redelivery are not.
	//
	// It returns ErrNotFound if there is no live conversation with this id. It returns
	// ErrInvalid if m is nil, breaks a rule, or has an embedding that EmbeddingStore.Set would
	// refuse. It returns ErrConflict if the conversation is erased and created again each time
	// that Append tries.
	//
	// If ctx ends while the database works, the message may be stored all the same. Call again
	// with the same m: its id shows whether it was.
	Append(ctx context.Context, conversationID uuid.UUID, m *message.Message) (created bool, err error)

	// AppendMany appends several messages in their order, all or nothing. The result says of
	// each whether it was created; the second of two messages with the same key is a
	// redelivery of the first. The ParentSeq of a message may name an earlier one of ms by the seq
	// that it gets. The same pointer twice is a *BatchError with ErrInvalid at its
	// second place, because each message needs a variable of its own. Without messages it
	// returns nil and no error. Everything else is as for Append.
	AppendMany(ctx context.Context, conversationID uuid.UUID, ms []*message.Message, o AppendOptions) (created []bool, err error)

	// Import appends messages to any number of existing conversations, in their order and with
	// their times. Each message names its conversation in ConversationID. Redeliveries are
	// counted and skipped, so an import that broke off is simply run again; so are messages that
	// were deleted or moved since. Branches are kept: a ParentSeq names a message that is stored or
	// that came before.
	//
	// It works in batches, each written whole or not at all. After an error, of the database
	// or of rows, the result counts what is written. If one message was at fault, the error is
	// a *BatchError that says which. Nil rows are ErrInvalid.
	//
	// Import asks rows for the next batch while it writes the one before, so that reading a
	// mailbox and writing take no longer than the slower of the two. In a transaction the two
	// alternate. A message that rows has yielded belongs to the import until the import
	// returns. A pointer that comes again while its batch waits or is being written is a
	// *BatchError with ErrInvalid; one that comes again later is a redelivery.
	Import(ctx context.Context, rows iter.Seq2[*message.Message, error], o ImportOptions) (ImportResult, error)
}

// MessageEditor changes messages, hides them and brings them back. It finds none in a deleted
// conversation.
type MessageEditor interface {
	// Update changes the content, the metadata or both of a live message, sets EditedAt and
	// returns the row as it is now, or ErrNotFound. An update that changes nothing is
	// ErrInvalid. If it changes the content, it removes the message's vectors.
	Update(ctx context.Context, id uuid.UUID, u MessageUpdate) (*message.Message, error)

	// MergeMetadata applies patch to the metadata of a live message as a JSON Merge Patch, as
	// ConversationEditor.MergeMetadata does, sets EditedAt and returns the row as it is now, or
	// ErrNotFound. A patch that is not an object is ErrInvalid, and so is one that makes the
	// row too large. Concurrent merges all take effect, each as one revision.
	MergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*message.Message, error)

	// Delete hides a message (soft delete). Its seq stays taken, and the conversation's status
	// and activity do not change. A second Delete returns ErrNotFound.
	Delete(ctx context.Context, id uuid.UUID) (*message.Message, error)

	// Restore brings a deleted message back and returns it. One that is not deleted is returned
	// unchanged. It returns ErrNotFound if there is no such message.
	Restore(ctx context.Context, id uuid.UUID) (*message.Message, error)

	// RestoreAll brings back every deleted message of a live conversation and returns how many
	// there were. It returns ErrNotFound if there is no such conversation.
	RestoreAll(ctx context.Context, conversationID uuid.UUID) (int64, error)
}

// MessageOrder is an order of messages. Ties of SentAt go by seq, in the same direction. An
// unknown order is ErrInvalid.
type MessageOrder int

// The orders.
const (
	// DefaultOrder is ThreadOrder in a conversation, and newest first across conversations.
	DefaultOrder MessageOrder = iota
	// ThreadOrder is by seq, oldest first.
	ThreadOrder
	// ReverseThreadOrder is by seq, newest first.
	ReverseThreadOrder
	// SentOrder is by SentAt, oldest first.
	SentOrder
	// ReverseSentOrder is by SentAt, newest first.
	ReverseSentOrder
)

// MessageFilter selects messages. A row must meet every field that is set. The zero value
// takes every live message.
type MessageFilter struct {
	// Roles takes messages with any of these, Kinds those of any of these kinds; an empty list takes
	// all.
	Roles     []message.Role
	Kinds     []message.Kind
	Direction message.Direction
	// HasToolCalls and HasAttachments take only messages that have some. Tool calls that are an
	// empty document, see message.JSON.IsEmpty, and an empty list of attachments are none.
	HasToolCalls, HasAttachments bool
	// AfterSeq and BeforeSeq bound the seq, both exclusive. 0 is no bound; below 0 is
	// ErrInvalid.
	AfterSeq, BeforeSeq int64
	// SentSince and SentBefore bound SentAt: since ≤ t < before. Zero is no bound.
	SentSince, SentBefore time.Time
	Deleted               Deleted
	// Branches has a meaning within one conversation only: lists of several, and searches, take all.
	Branches BranchScope
	Order    MessageOrder
}

// AppendOptions are the options of AppendMany. The zero value appends whatever others do.
type AppendOptions struct {
	// ExpectedSeq makes the append depend on the conversation's last seq: 0 for an empty
	// conversation, nil for no condition. It counts the messages of all branches, wherever the head
	// is. If the last seq is another one, AppendMany returns a
	// *SeqConflictError and writes nothing. If all messages are redeliveries, they are
	// reported as such whatever the last seq is.
	ExpectedSeq *int64
	// States changes states together with the messages: where it can, the database does both in
	// one statement. If all messages are redeliveries, no state changes. It is subject to the
	// bounds of StateWriter.Merge, together over its three maps.
	States AppendStates
	// Deliver puts messages into the outbox in the same transaction, as SendOptions.Deliver does
	// for one: Deliver[i] is the entry of ms[i], nil for none. It is empty or as long as ms;
	// anything else, and the same pointer twice, is ErrInvalid.
	Deliver []*message.OutboxEntry
}

// ImportOptions are the options of Import.
type ImportOptions struct {
	// BatchSize is how many messages are written in one transaction: 1,000 if 0, at most
	// 10,000. Anything else is ErrInvalid.
	BatchSize int
	// Progress, if set, is called after each batch with the counts so far.
	Progress func(ImportResult)
}

// ImportResult counts what an import did.
type ImportResult struct {
	// Imported is the number of messages written, Duplicates that of redeliveries.
	Imported   int64
	Duplicates int64
}

// MessageUpdate changes the fields that are not nil.
type MessageUpdate struct {
	Content *string
	// Metadata replaces the whole document; a pointer to nil removes it.
	Metadata *message.JSON
}
