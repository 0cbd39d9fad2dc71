package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// MessageBrancher reads and moves along the branches of a conversation. A message follows its
// parent: the message with its ParentSeq, or the one with the seq before its own if it has none.
// A path leads from a message over its parents to the beginning. The head is the last message of
// the path that List, All, Last, Around and Thread read: the newest message, unless a method here
// or a host has set another one. The next append follows the head, or the parent that it names,
// and becomes the head.
//
// A seq may be that of a softly deleted message: it keeps its place on its paths and is not shown.
// A seq that no message has is ErrNotFound, one below the least that a method takes ErrInvalid.
// Every method returns ErrNotFound if there is no live conversation with this id.
type MessageBrancher interface {
	// Path returns a page of the live messages of the path that ends with this seq, in the order of
	// seq. The least seq is 1.
	Path(ctx context.Context, conversationID uuid.UUID, seq int64, p PageRequest) (Page[*message.Message], error)

	// Branches returns the message with this seq and its siblings, the other messages with the same
	// parent, in the order of seq: the place of a message among them is the "2" of "2 / 3".
	// Deleted ones are left out. The least seq is 1.
	Branches(ctx context.Context, conversationID uuid.UUID, seq int64) ([]Branch, error)

	// SetHead makes the message with this seq the head and returns the conversation. 0 makes the
	// path empty: the next message begins another one. Status and activity are then those of the path,
	// except that an archived conversation stays archived. Messages do not change.
	SetHead(ctx context.Context, conversationID uuid.UUID, seq int64) (*conversation.Conversation, error)

	// TruncateAfter hides (soft delete) what follows this seq on the path of the head, makes the
	// seq the head, and returns how many messages it hid. 0 hides the whole path. A seq that is not
	// on the path of the head is ErrInvalid. Other branches stay as they are.
	//
	// Status and activity follow the messages that are left, except that an archived conversation
	// stays archived. If the seq is the head, nothing changes. A writer that streams a hidden message
	// finds it deleted.
	TruncateAfter(ctx context.Context, conversationID uuid.UUID, seq int64, o TruncateOptions) (hidden int64, err error)

	// Replace hides the whole path of the head, as TruncateAfter does with 0, and appends ms as the
	// beginning of a new one, all or nothing. It returns how many messages it hid. The ParentSeq of
	// ms is set anew: each follows the one before. A message of ms that is stored already, by
	// its id or a key, is a *BatchError with ErrConflict: give each a new id, and see FreeKeys.
	// Everything else is as for AppendMany. Without ms the conversation is empty afterwards.
	Replace(ctx context.Context, conversationID uuid.UUID, ms []*message.Message, o ReplaceOptions) (hidden int64, err error)
}

// ConversationForker copies conversations.
type ConversationForker interface {
	// Fork copies a path into a new conversation of the same user, and returns that without its
	// messages. The copies have seqs 1, 2, 3 … and new ids; times, payloads, attachments,
	// idempotency keys and vectors are those of the originals, and so are app, lead, metadata and
	// the states of the conversation. Deleted messages are left out. A message that is being streamed
	// is copied as interrupted.
	//
	// What a provider calls a message, GmailMessageID, GmailThreadID, PostmarkMessageID and
	// EmailMessageID, stays with the original alone: replies by mail find that one. Suggestions,
	// labels, votes, read marks and summaries are not copied either.
	//
	// It returns ErrNotFound if there is no live conversation with this id or no message with this
	// seq, and ErrConflict if the id or the external key is taken.
	Fork(ctx context.Context, conversationID uuid.UUID, o ForkOptions) (*conversation.Conversation, error)
}

// Branch is one of several messages with the same parent.
type Branch struct {
	ID        uuid.UUID    `json:"id"`
	Seq       int64        `json:"seq"`
	Role      message.Role `json:"role,omitempty"`
	CreatedAt time.Time    `json:"created_at"`
	// OnPath says that the message is on the path of the head.
	OnPath bool `json:"on_path"`
	// TipSeq is the newest live message that follows this one, directly or not, Seq if there is
	// none. SetHead with it shows the branch where it was left.
	TipSeq int64 `json:"tip_seq"`
}

// BranchScope says which branches of a conversation a filter takes. An unknown value is ErrInvalid.
type BranchScope int

// The choices.
const (
	// HeadPath takes the path of the head. Without branches that is the whole conversation.
	HeadPath BranchScope = iota
	// AllBranches takes every message.
	AllBranches
)

// TruncateOptions are the options of TruncateAfter.
type TruncateOptions struct {
	// FreeKeys removes the idempotency keys and the ids of providers, PostmarkMessageID and
	// GmailMessageID, from what follows on the path, hidden now or before, so that a new message
	// can have them.
	FreeKeys bool
}

// ReplaceOptions are the options of Replace.
type ReplaceOptions struct {
	// FreeKeys is that of TruncateOptions.
	FreeKeys bool
}

// ForkOptions are the options of Fork. The zero value copies the path of the head.
type ForkOptions struct {
	// AtSeq ends the path that is copied: 0 means with the head. Below 0 is ErrInvalid.
	AtSeq int64
	// ID is the id of the new conversation, one that the library makes if it is the nil UUID.
	ID uuid.UUID
	// ExternalKey is the host's key of the new conversation, which has none if it is empty.
	ExternalKey string
	// Title is the title of the new conversation, that of the original if it is empty.
	Title string
}

// TakenError says that an append was given an id or an idempotency key of a stored message that it
// is no redelivery of: a message that is deleted, or one of another conversation; or AddRefs an
// exclusive name of another message. It matches
// ErrConflict. To store the message all the same give it another id or key, or restore the stored
// one.
type TakenError struct {
	// Field is id, idempotency_key or ref.
	Field string
	// Message is the stored message.
	Message *message.Message
}

func (e *TakenError) Error() string {
	of := "another conversation"
	switch {
	case e.Message.Deleted():
		of = "a deleted message"
	case e.Field == "ref":
		of = "another message"
	}
	return "convostore: the " + e.Field + " is that of " + of
}

// Is makes every TakenError match ErrConflict.
func (e *TakenError) Is(target error) bool { return target == ErrConflict }
