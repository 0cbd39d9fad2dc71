package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

// SuggestionSender sends what was decided on.
type SuggestionSender interface {
	// Send appends the outbound message of an approved or edited suggestion and links the
	// two, in one transaction, exactly once. With SendOptions.Deliver the same transaction puts
	// the message into the outbox, from where a worker hands it to the provider: see
	// Deliveries. Without it Send records a message that nobody transmits, unless the host does.
	// A later call returns false, and m comes back as the message that was sent.
	//
	// m may carry addresses, provider ids and headers. Without content it gets the final
	// text of the suggestion; without a role it is the assistant's; without a direction it
	// is outbound. If a live outbound message of the same conversation is stored already
	// under m's id, provider id or idempotency key, Send links that message and appends
	// nothing, unless it is linked to another suggestion.
	//
	// Send returns a *TransitionError if the suggestion is neither approved nor edited, ErrNotFound
	// if there is none, and ErrInvalid if m is nil, breaks a rule or is not outbound. It
	// returns ErrConflict if a key of m belongs to a message that cannot be linked: one that
	// is inbound, without a direction, deleted, linked to another suggestion, or in another
	// conversation. After an error nothing is written.
	Send(ctx context.Context, id uuid.UUID, m *message.Message, o SendOptions) (created bool, err error)
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
}
