package store

import (
	"time"

	"github.com/google/uuid"
)

// MaxEmbedError is the most bytes of an embedder's error that are kept.
const MaxEmbedError = 1000

// SetAsideMessage is a message that EmbedMissing gave up for a model. It goes when the message
// is edited or erased, when the model is dropped, and with RetrySetAside. It is not exported.
type SetAsideMessage struct {
	MessageID      uuid.UUID `json:"message_id"`
	UserID         uuid.UUID `json:"user_id"`
	ConversationID uuid.UUID `json:"conversation_id"`
	Model          string    `json:"model"`
	// Attempts is how often the embedder refused the message alone.
	Attempts int `json:"attempts"`
	// Error is the last error: the first MaxEmbedError bytes of it, as valid UTF-8 without
	// U+0000. An embedder may quote the text of the message in it.
	Error string `json:"error"`
	// FailedAt is when the embedder refused it last.
	FailedAt time.Time `json:"failed_at"`
}
