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
	MessageEditor
}

// MessageReader reads the messages of a conversation. Those of a deleted conversation are
// not there, and those deleted by themselves only if a filter asks for them. Embeddings
// are never read.
type MessageReader interface {
	// Get returns a live message, or ErrNotFound.
	Get(ctx context.Context, id uuid.UUID) (*message.Message, error)

	// List returns a page of a conversation in the order of the filter. It returns
	// ErrNotFound if there is no such conversation.
	List(ctx context.Context, conversationID uuid.UUID, f MessageFilter, p PageRequest) (Page[*message.Message], error)

	// All walks a conversation in the order of the filter, reading a page at a time,
	// with no query open while the caller works. It ends after the first error, which is
	// ErrNotFound if there is no such conversation.
	All(ctx context.Context, conversationID uuid.UUID, f MessageFilter) iter.Seq2[*message.Message, error]

	// Last returns the n newest messages of a conversation, in the order of the thread.
	// It returns ErrNotFound if there is no such conversation.
	Last(ctx context.Context, conversationID uuid.UUID, n int) ([]*message.Message, error)

	// Around returns the message with this seq and up to n before and n after it, in the
	// order of the thread. A seq that is deleted or not there leaves out itself alone.
	Around(ctx context.Context, conversationID uuid.UUID, seq int64, n int) ([]*message.Message, error)
}

// MessageFinder looks for messages over all live conversations of the scope.
type MessageFinder interface {
	// ListByUser returns a page of the scope's messages over all live conversations, by
	// CreatedAt, latest first; with ThreadOrder of the filter oldest first. AfterSeq and
	// BeforeSeq mean nothing over several conversations and are refused, and so are the
	// orders by SentAt.
	ListByUser(ctx context.Context, f MessageFilter, p PageRequest) (Page[*message.Message], error)

	// AllByUser walks what ListByUser lists.
	AllByUser(ctx context.Context, f MessageFilter) iter.Seq2[*message.Message, error]

	// FindByProviderID returns the live message that a provider knows by this id, or
	// ErrNotFound. In a scope of all users the id must be one user's alone, else
	// ErrConflict.
	FindByProviderID(ctx context.Context, p message.Provider, id string) (*message.Message, error)

	// FindThread returns the live conversation that an e-mail belongs to: the one with a
	// message of the same Gmail thread, else the one with the message that In-Reply-To
	// names, else the nearest of References. An id is looked for among the e-mail
	// message ids and, its part before the @, among Postmark's. Deleted messages still
	// tell the thread. It returns ErrNotFound if nothing matches; of several
	// conversations the one with the newest activity wins.
	FindThread(ctx context.Context, m *message.Message) (*conversation.Conversation, error)
}

// MessageAppender adds messages to conversations.
type MessageAppender interface {
	// Append adds m to the end of a conversation and fills in what was unset: id, keys,
	// seq, times. The conversation's status and activity follow in the same statement.
	// It never fails because somebody else appends too.
	//
	// A redelivery, a message whose id or provider id the user has already or whose
	// idempotency key the conversation has, returns false and no error; m comes back as
	// the row that was there, even one that is deleted, or, for a provider id, one in
	// another conversation. It takes no seq and changes nothing.
	//
	// Embeddings set on m are stored with it, those of a redelivery are not.
	//
	// It returns ErrNotFound if there is no live conversation, ErrInvalid if m is nil, breaks
	// a rule or brings a vector that Embeddings.Set refuses, ErrConflict if the conversation
	// is erased and made again the whole time. If ctx ends while the database
	// works, the message may be stored all the same: call again with the same m, whose id
	// tells.
	Append(ctx context.Context, conversationID uuid.UUID, m *message.Message) (created bool, err error)

	// AppendMany is Append for several messages in their order, all or nothing. The
	// result tells for each whether it was created; two of ms with the same key are one
	// message. The same pointer twice is a *BatchError of ErrInvalid at its second place:
	// each message needs a variable of its own. No messages return nil and no error.
	AppendMany(ctx context.Context, conversationID uuid.UUID, ms []*message.Message, o AppendOptions) (created []bool, err error)

	// Import adds messages of any number of existing conversations, each named by its
	// ConversationID, in their order and with their times. Redeliveries are counted and
	// skipped, so a broken import is simply run again. It works in batches, each written
	// whole or not at all; after an error, of the database or of rows, the result counts
	// what is written, and a *BatchError says which message was at fault if it was one.
	//
	// While a batch is written rows is asked for the next one, so that reading a mailbox
	// and writing take no longer than the slower of the two; in a transaction they take
	// turns. A message that rows has handed out is the import's until it returns: a pointer
	// that comes again while its batch waits or is written is a *BatchError of ErrInvalid,
	// and one that comes again later is a redelivery. Nil rows are ErrInvalid.
	Import(ctx context.Context, rows iter.Seq2[*message.Message, error], o ImportOptions) (ImportResult, error)
}

// MessageEditor changes, hides and brings back messages.
type MessageEditor interface {
	// Update changes the content, the metadata or both and sets EditedAt. It returns the
	// row as it is now, or ErrNotFound. An update of nothing is refused. One with content
	// removes the message's vectors.
	Update(ctx context.Context, id uuid.UUID, u MessageUpdate) (*message.Message, error)

	// Delete hides a message. Its seq stays taken, and the conversation's status and
	// activity stay as they are. Deleting again returns ErrNotFound.
	Delete(ctx context.Context, id uuid.UUID) (*message.Message, error)

	// Restore brings a deleted message of a live conversation back; a live one stays as
	// it is. It returns ErrNotFound if there is neither.
	Restore(ctx context.Context, id uuid.UUID) (*message.Message, error)

	// RestoreAll brings back every deleted message of a live conversation and returns
	// how many. It returns ErrNotFound if there is no such conversation.
	RestoreAll(ctx context.Context, conversationID uuid.UUID) (int64, error)
}

// MessageOrder is an order of messages. Ties of time go by seq.
type MessageOrder int

// The orders.
const (
	// DefaultOrder is ThreadOrder in a conversation and newest first over several.
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

// MessageFilter says which messages; fields narrow together. The zero value is every
// live one.
type MessageFilter struct {
	// Roles keeps any of them; none keeps all.
	Roles     []message.Role
	Direction message.Direction
	// HasToolCalls and HasAttachments keep only messages with such.
	HasToolCalls, HasAttachments bool
	// AfterSeq and BeforeSeq bound the seq, themselves left out; 0 is no bound.
	AfterSeq, BeforeSeq int64
	// SentSince and SentBefore bound SentAt: since ≤ t < before.
	SentSince, SentBefore time.Time
	Deleted               Deleted
	Order                 MessageOrder
}

// AppendOptions of AppendMany. The zero value appends whatever others do.
type AppendOptions struct {
	// ExpectedSeq lets the append happen only if the conversation's last seq is this
	// one, 0 for an empty conversation; otherwise a *SeqConflictError comes back and
	// nothing is written. A redelivery is reported as such all the same.
	ExpectedSeq *int64
}

// ImportOptions of Import.
type ImportOptions struct {
	// BatchSize is how many messages are written in one transaction: 1,000 if 0, at
	// most 10,000.
	BatchSize int
	// Progress, if set, is called after each batch with the counts so far.
	Progress func(ImportResult)
}

// ImportResult counts what an import did.
type ImportResult struct {
	Imported   int64
	Duplicates int64
}

// MessageUpdate changes the fields that are not nil.
type MessageUpdate struct {
	Content *string
	// Metadata replaces the document; a pointer to nil removes it.
	Metadata *message.JSON
}
