// Package message has the entry of a thread: who said what, when, and what came with it.
//
// The types are plain GORM models with rules as methods; they do no input or output.
package message

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
)

// Message is one entry of a conversation.
//
// Role and Direction describe the same thing from two sides, so one implies the other
// when only one is given: user and inbound, assistant and outbound. System and tool
// messages have no direction. Both may be set where a host means something else.
type Message struct {
	// ID is made by the library (UUID version 7) unless the host gives one.
	ID     uuid.UUID `gorm:"primaryKey;<-:create" json:"id"`
	UserID uuid.UUID `gorm:"primaryKey;<-:create" json:"user_id"`

	ConversationID uuid.UUID `gorm:"<-:create" json:"conversation_id"`
	// Seq counts 1, 2, 3 … within the conversation, without a gap and without a tie. It
	// is the order of a thread, and the append gives it.
	Seq       int64     `gorm:"<-:create" json:"seq"`
	Role      Role      `json:"role,omitempty"`
	Direction Direction `json:"direction,omitempty"`
	Content   string    `json:"content"`

	SenderEmail    string `gorm:"serializer:convostore_null_text" json:"sender_email,omitempty"`
	RecipientEmail string `gorm:"serializer:convostore_null_text" json:"recipient_email,omitempty"`
	// PostmarkMessageID and GmailMessageID are the providers' own ids, each unique for a
	// user: a second delivery of the same id is a duplicate.
	PostmarkMessageID string `gorm:"serializer:convostore_null_text" json:"postmark_message_id,omitempty"`
	GmailMessageID    string `gorm:"serializer:convostore_null_text" json:"gmail_message_id,omitempty"`
	GmailThreadID     string `gorm:"serializer:convostore_null_text" json:"gmail_thread_id,omitempty"`
	// EmailMessageID is the Message-ID of RFC 5322 with its angle brackets. Normalize
	// takes it from Headers; replies are matched with it. It need not be unique.
	EmailMessageID string `gorm:"serializer:convostore_null_text" json:"email_message_id,omitempty"`
	// IdempotencyKey is the host's own name for the write, unique in a conversation: a
	// second append with it is a duplicate.
	IdempotencyKey string `gorm:"serializer:convostore_null_text" json:"idempotency_key,omitempty"`

	Headers     Headers     `json:"headers,omitempty"`
	Attachments Attachments `json:"attachments,omitempty"`
	ToolCalls   JSON        `json:"tool_calls,omitempty"`
	ToolResults JSON        `json:"tool_results,omitempty"`
	Metadata    JSON        `json:"metadata,omitempty"`

	// SentAt is when it was sent, as the host knows; the time of the append if unset.
	SentAt    time.Time `json:"sent_at"`
	CreatedAt time.Time `gorm:"<-:create" json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// EditedAt is set by the first change of content or metadata, nil before.
	EditedAt  *time.Time     `json:"edited_at,omitempty"`
	DeletedAt gorm.DeletedAt `json:"deleted_at,omitzero"`

	// Embeddings are loaded on request only: Preload("Embeddings").
	Embeddings []*Embedding `gorm:"foreignKey:MessageID,UserID;references:ID,UserID" json:"embeddings,omitempty"`
}

// TableName implements GORM's TablerWithNamer.
func (Message) TableName(n schema.Namer) string { return column.Table(n, "messages") }

// Now is the present as every table keeps it: UTC, cut to microseconds, because
// PostgreSQL cuts there and SQLite compares times as text.
func Now() time.Time { return Instant(time.Now()) }

// Instant returns t as every table keeps it. The zero time stays zero.
func Instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Normalize fills what is unset from what is set: the role from the direction or the
// other way round, SentAt and UpdatedAt from CreatedAt, CreatedAt from now,
// EmailMessageID from the headers. Times are cut to microseconds in UTC.
func (m *Message) Normalize(now time.Time) {
	if m.Role == "" {
		m.Role = m.Direction.Role()
	} else if m.Direction == DirectionNone {
		m.Direction = m.Role.Direction()
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = now
	}
	if m.SentAt.IsZero() {
		m.SentAt = m.CreatedAt
	}
	if m.UpdatedAt.IsZero() {
		m.UpdatedAt = m.CreatedAt
	}
	m.SentAt, m.CreatedAt, m.UpdatedAt = Instant(m.SentAt), Instant(m.CreatedAt), Instant(m.UpdatedAt)
	if m.EmailMessageID == "" && len(m.Headers) > 0 {
		m.EmailMessageID = headerMessageID(m.Headers)
	}
}

// headerMessageID leaves out an id that is too long to index: such a header is broken,
// and no reason to refuse the mail.
func headerMessageID(h Headers) string {
	ids := ParseIDs(h.Get("Message-ID"))
	if len(ids) == 0 || len(ids[0]) > check.MaxKey {
		return ""
	}
	return ids[0]
}

// Validate returns an *rule.InvalidError for the first field that a database would
// refuse or change: an unknown role or direction, U+0000 or invalid UTF-8 in a text,
// JSON that does not parse, an id of more than 1,024 bytes.
func (m *Message) Validate() error {
	return check.First(
		// Before the role, which Normalize could not take from an unknown direction.
		m.Direction.validate(),
		m.Role.validate(),
		check.Text("content", m.Content),
		check.Text("sender_email", m.SenderEmail),
		check.Text("recipient_email", m.RecipientEmail),
		check.Key("postmark_message_id", m.PostmarkMessageID),
		check.Key("gmail_message_id", m.GmailMessageID),
		check.Key("gmail_thread_id", m.GmailThreadID),
		check.Key("email_message_id", m.EmailMessageID),
		check.Key("idempotency_key", m.IdempotencyKey),
		m.Headers.validate(),
		m.Attachments.validate(),
		check.JSON("tool_calls", m.ToolCalls),
		check.JSON("tool_results", m.ToolResults),
		check.JSON("metadata", m.Metadata),
		check.Time("sent_at", m.SentAt),
		check.Time("created_at", m.CreatedAt),
		check.Time("updated_at", m.UpdatedAt),
	)
}

// BeforeCreate is GORM's hook for hosts that create messages themselves: it gives an
// id, normalizes and validates.
func (m *Message) BeforeCreate(*gorm.DB) error {
	if m.ID == uuid.Nil {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		m.ID = id
	}
	m.Normalize(Now())
	return check.First(m.keyEmbeddings(), m.Validate())
}

// Deleted tells whether the message is softly deleted.
func (m *Message) Deleted() bool { return m.DeletedAt.Valid }
