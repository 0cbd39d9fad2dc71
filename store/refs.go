package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// MaxRefs is how many names one call takes.
const MaxRefs = 100

// MessageRefs keeps the names by which messages are known elsewhere: the ids that a provider gives
// after sending, Message-IDs, the same mail in a second mailbox. A message has any number of them.
// Every name is kept in the form of message.NormalizeRef, and a name that is given in another form
// is the same one.
type MessageRefs interface {
	// AddRefs adds names to a message. One that it has already is no error, and becomes exclusive if
	// it is given as that. An exclusive name that another message of the user has, as an exclusive
	// name or as GmailMessageID or PostmarkMessageID, is a *TakenError with that message, and then
	// nothing is added. A ref has a Provider, a Ref and, if the provider promises it, Exclusive; its
	// other fields must be unset. More than MaxRefs names, and a provider that begins with
	// "convostore:", are ErrInvalid. The message and its conversation must be live: else it returns
	// ErrNotFound.
	AddRefs(ctx context.Context, messageID uuid.UUID, refs ...message.Ref) error

	// RemoveRefs takes names from a message, of which Provider and Ref are read. One that it does not
	// have is no error. The ids in the columns of the message stay. It returns ErrNotFound as AddRefs
	// does.
	RemoveRefs(ctx context.Context, messageID uuid.UUID, refs ...message.Ref) error

	// Refs returns the names of a message: those that were added, and those of its columns
	// GmailMessageID, PostmarkMessageID, EmailMessageID and GmailThreadID under the providers of
	// message.RefGmail, RefPostmark, RefEmail and RefGmailThread. They are ordered by provider, then by
	// name. It returns ErrNotFound as AddRefs does.
	Refs(ctx context.Context, messageID uuid.UUID) ([]*message.Ref, error)

	// GetByRef returns the live message that has a name, also in a column as in Refs, or ErrNotFound.
	// If several have it, the one whose exclusive name it is goes first, then the one that was stored
	// first. In the scope of all users a name of messages of several users is ErrConflict.
	GetByRef(ctx context.Context, provider, ref string) (*message.Message, error)
}
