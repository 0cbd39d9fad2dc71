package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// SuggestionSender sends what was decided on, and takes it back.
type SuggestionSender interface {
	// Send appends the outbound message of an approved or edited suggestion and links the
	// two, in one transaction, exactly once. A later call returns false, and m comes back as the
	// message that was sent.
	//
	// SendOptions.Deliver puts the message into the outbox in the same transaction: a worker hands
	// it to the provider, see Deliveries. Without it Send records a message that nobody
	// transmits, unless the host does, which may crash between the two.
	//
	// m may carry addresses, provider ids and headers. Without content it gets the final
	// text of the suggestion; without a role it is the assistant's; without a direction it
	// is outbound; without an author its author is who reviewed the suggestion. If a live outbound message of the same conversation is stored already
	// under m's id, provider id or idempotency key, Send links that message and appends
	// nothing, unless it is linked to another suggestion.
	//
	// If the message that the suggestion was sent as has been deleted, has failed for good or
	// bounced, or its deliveries were all cancelled, Send sends anew: it appends a message and
	// links that one. The former message gives up its idempotency key, so that the caller may
	// use it again. What was cancelled was never said and is deleted; what failed or bounced
	// stays. Nothing of a former message remains in the outbox. If a worker has it at that moment,
	// Send returns a *TransitionError. After that, do not Retry the former message.
	//
	// Send returns a *TransitionError if the suggestion is neither approved nor edited, ErrNotFound
	// if there is none, and ErrInvalid if m is nil, breaks a rule, is not outbound, or is a note or
	// an event. It returns a *StaleDraftError or a *SecondReplyError unless the options allow it, and
	// ErrConflict if a key of m belongs to a message that cannot be linked: one that is inbound,
	// without a direction, deleted, the former message, linked to another suggestion, or in another
	// conversation. After an error nothing is written.
	Send(ctx context.Context, id uuid.UUID, m *message.Message, o SendOptions) (created bool, err error)

	// Unsend takes back what Send put into the outbox, as long as no worker has it: it cancels the
	// entries, deletes the message, which gives up its idempotency key, and unlinks it. The
	// suggestion stays approved or edited and can be sent again. The conversation needs a reply
	// if no other outbound message follows the last inbound one.
	//
	// Unsend returns a *TransitionError if the suggestion was not sent, if a worker has the
	// message or an entry of it is done, and if nothing of it waits in the outbox, so that it
	// may have left. It returns ErrNotFound if there is no such suggestion.
	Unsend(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error)
}

// SendOptions are the options of Send. The zero value records the message and delivers nothing.
type SendOptions struct {
	// Deliver puts the message into the outbox as DeliveryQueue.Enqueue does, unless it is nil. It
	// needs a Channel, may have a DueAt, and comes back as the entry that was stored. Its
	// MessageID may be unset. If Send returns false, it comes back as the latest entry that the
	// message has on the channel, and as it was given if there is none.
	//
	// A message that was stored before and that Send links is put into the outbox too, unless it
	// has been there, or a Delivery or an id of a provider shows that it left without it.
	Deliver *message.OutboxEntry

	// AllowStale sends a suggestion that an inbound message has overtaken. Otherwise that is a
	// *StaleDraftError: on the path of the head there is a live message of KindMessage after the
	// suggestion's AnswersSeq, unless it is an old one that came in late, sent before another
	// inbound one that the suggestion takes into account. A suggestion without an AnswersSeq is never
	// stale.
	AllowStale bool

	// AllowSecond sends a second reply to one message. Otherwise that is a *SecondReplyError:
	// another suggestion with the same InReplyToMessageID was sent, and its message is live and
	// has neither failed, bounced nor been cancelled. Where one of the two has no
	// InReplyToMessageID the AnswersSeq is compared, if both have one.
	AllowSecond bool
}
