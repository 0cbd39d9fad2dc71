package record

import "github.com/convostore/convostore/message"

// DeliveryColumns are the columns of the outbox, in the order of DeliveryDest.
const DeliveryColumns = "id, user_id, message_id, channel, due_at, claimed_by, claimed_until, attempts, last_error, " +
	"done_at, failed_at, cancelled_at, created_at, updated_at"

// DeliveryDest returns the destinations of DeliveryColumns in e.
func DeliveryDest(e *message.OutboxEntry) []any {
	return []any{
		&e.ID, &e.UserID, &e.MessageID, (*Text)(&e.Channel), (*Instant)(&e.DueAt), (*Text)(&e.ClaimedBy),
		NullInstant{&e.ClaimedUntil},
		&e.Attempts, (*Text)(&e.LastError),
		NullInstant{&e.DoneAt},
		NullInstant{&e.FailedAt},
		NullInstant{&e.CancelledAt},
		(*Instant)(&e.CreatedAt), (*Instant)(&e.UpdatedAt),
	}
}

// DeliveryArgs returns the values of DeliveryColumns for a new row, which nobody has claimed.
func DeliveryArgs(e *message.OutboxEntry) []any {
	return []any{e.ID, e.UserID, e.MessageID, e.Channel, e.DueAt, nil, nil, 0, nil, nil, nil, nil, e.CreatedAt, e.UpdatedAt}
}
