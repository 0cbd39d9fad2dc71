// Package message has the model of a message: one entry of a conversation, with its role,
// its content, its attachments and its embeddings.
//
// The types are plain GORM models with their rules as methods. They do no input or output.
package message

import (
	"cmp"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/column"
	"github.com/convostore/convostore/rule"
)

// Message is one entry of a conversation.
//
// Role says who speaks in the terms of chat, Direction in those of e-mail. If only one of
// them is set, Normalize derives the other: user and inbound, assistant and outbound.
// System and tool messages have no direction. A host that means something else sets both.
type Message struct {
	// ID is a UUID of version 7 that the library makes, unless the host sets one.
	ID     uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"id"`
	UserID uuid.UUID `gorm:"type:uuid;primaryKey;<-:create;-:migration" json:"user_id"`

	ConversationID uuid.UUID `gorm:"type:uuid;<-:create;-:migration" json:"conversation_id"`
	// Seq is the position in the conversation: 1, 2, 3 … without gaps or duplicates. The
	// append assigns it.
	Seq       int64     `gorm:"<-:create;-:migration" json:"seq"`
	Role      Role      `gorm:"-:migration" json:"role,omitempty"`
	Direction Direction `gorm:"-:migration" json:"direction,omitempty"`
	// Kind is KindMessage if the host does not set it.
	Kind Kind `gorm:"-:migration" json:"kind,omitempty"`
	// Author is the host's name of who wrote the message, such as the id of an agent or of a
	// person. Several authors may have the same role.
	Author  string `gorm:"serializer:convostore_null_text;-:migration" json:"author,omitempty"`
	Content string `gorm:"-:migration" json:"content"`

	// ParentSeq is the seq of the message before this one on its path. Nil means Seq-1, as in
	// every conversation that never branched, and 0 that the message begins a path; Parent says
	// which. An append with nil follows the head, so a sibling of a message, such as its reply
	// generated again, needs the Parent of that message here and not its ParentSeq.
	ParentSeq *int64 `gorm:"<-:create;-:migration" json:"parent_seq,omitempty"`
	// State is StateComplete if the host does not set it.
	State State `gorm:"-:migration" json:"state,omitempty"`
	// Fence is the number of the stream's writer: a lower one may not write any more.
	// HeartbeatAt is when the writer was last seen. Both are unset unless the message was
	// streamed.
	Fence       int64      `gorm:"serializer:convostore_null_zero;-:migration" json:"fence,omitempty"`
	HeartbeatAt *time.Time `gorm:"-:migration" json:"heartbeat_at,omitempty"`

	// Payload is the message as the host's SDK has it, kept to the byte, and PayloadFormat the
	// host's name of its format. Content is the text that people read and search.
	Payload       Payload `gorm:"-:migration" json:"payload,omitempty"`
	PayloadFormat string  `gorm:"serializer:convostore_null_text;-:migration" json:"payload_format,omitempty"`
	// Model, TokensIn, TokensOut, Cost and FinishReason are what a language model reported
	// with its answer. Zero means unknown. Cost is in the host's currency.
	Model        string          `gorm:"serializer:convostore_null_text;-:migration" json:"model,omitempty"`
	TokensIn     int64           `gorm:"serializer:convostore_null_zero;-:migration" json:"tokens_in,omitempty"`
	TokensOut    int64           `gorm:"serializer:convostore_null_zero;-:migration" json:"tokens_out,omitempty"`
	Cost         decimal.Decimal `gorm:"serializer:convostore_null_zero;-:migration" json:"cost,omitzero"`
	FinishReason string          `gorm:"serializer:convostore_null_text;-:migration" json:"finish_reason,omitempty"`

	// Delivery says how far an outbound message has come, and DeliveryError why it failed.
	Delivery      Delivery `gorm:"-:migration" json:"delivery,omitempty"`
	DeliveryError string   `gorm:"serializer:convostore_null_text;-:migration" json:"delivery_error,omitempty"`

	SenderEmail    string `gorm:"serializer:convostore_null_text;-:migration" json:"sender_email,omitempty"`
	RecipientEmail string `gorm:"serializer:convostore_null_text;-:migration" json:"recipient_email,omitempty"`
	// PostmarkMessageID and GmailMessageID are the ids of the providers. Each is unique
	// within a user: a second message with the same id is a duplicate.
	PostmarkMessageID string `gorm:"serializer:convostore_null_text;-:migration" json:"postmark_message_id,omitempty"`
	GmailMessageID    string `gorm:"serializer:convostore_null_text;-:migration" json:"gmail_message_id,omitempty"`
	GmailThreadID     string `gorm:"serializer:convostore_null_text;-:migration" json:"gmail_thread_id,omitempty"`
	// EmailMessageID is the Message-ID of RFC 5322 with its angle brackets. Normalize
	// takes it from Headers if it is unset. Replies are matched by it. It need not be
	// unique.
	EmailMessageID string `gorm:"serializer:convostore_null_text;-:migration" json:"email_message_id,omitempty"`
	// IdempotencyKey is the host's own key of the append, unique within the conversation:
	// a second append with the same key is a duplicate.
	IdempotencyKey string `gorm:"serializer:convostore_null_text;-:migration" json:"idempotency_key,omitempty"`

	Headers     Headers     `gorm:"-:migration" json:"headers,omitempty"`
	Attachments Attachments `gorm:"-:migration" json:"attachments,omitempty"`
	ToolCalls   JSON        `gorm:"-:migration" json:"tool_calls,omitempty"`
	ToolResults JSON        `gorm:"-:migration" json:"tool_results,omitempty"`
	Metadata    JSON        `gorm:"-:migration" json:"metadata,omitempty"`

	// SentAt is when the message was sent, CreatedAt if the host does not set it.
	SentAt    time.Time `gorm:"-:migration" json:"sent_at"`
	CreatedAt time.Time `gorm:"<-:create;-:migration" json:"created_at"`
	UpdatedAt time.Time `gorm:"-:migration" json:"updated_at"`
	// EditedAt is the time of the last change of content or metadata, nil if there was none.
	EditedAt  *time.Time     `gorm:"-:migration" json:"edited_at,omitempty"`
	DeletedAt gorm.DeletedAt `gorm:"-:migration" json:"deleted_at,omitzero"`
	// Revision counts the changes since the append, and ChangeSeq is the place of the latest
	// one among the changes of the conversation, 0 if there was none.
	Revision  int64 `gorm:"-:migration" json:"revision,omitempty"`
	ChangeSeq int64 `gorm:"serializer:convostore_null_zero;-:migration" json:"change_seq,omitempty"`

	// Embeddings are loaded only on request: Preload("Embeddings").
	Embeddings []*Embedding `gorm:"foreignKey:MessageID,UserID;references:ID,UserID;constraint:-;-:migration" json:"embeddings,omitempty"`
	// Refs and Votes are loaded only on request: Preload("Refs").
	Refs  []*Ref  `gorm:"foreignKey:MessageID,UserID;references:ID,UserID;constraint:-;-:migration" json:"refs,omitempty"`
	Votes []*Vote `gorm:"foreignKey:MessageID,UserID;references:ID,UserID;constraint:-;-:migration" json:"votes,omitempty"`
	// Conversation is loaded only on request too, and never saved: Preload("Conversation").
	Conversation *ConversationRow `gorm:"->;foreignKey:ConversationID,UserID;references:ID,UserID;constraint:-;-:migration" json:"conversation,omitempty"`
}

// TableName implements GORM's TablerWithNamer.
func (Message) TableName(n schema.Namer) string { return column.Table(n, "messages") }

// Now returns the current time as the tables store it: in UTC, truncated to microseconds.
// PostgreSQL has no finer unit, and SQLite compares times as text.
func Now() time.Time { return Instant(time.Now()) }

// Instant returns t as the tables store it: in UTC, truncated to microseconds. The zero
// time stays zero.
func Instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Normalize sets what is unset: Role from Direction or Direction from Role, Kind to message,
// State to complete, CreatedAt to now, SentAt and UpdatedAt to CreatedAt, EmailMessageID from
// Headers. It truncates times to microseconds, in UTC.
func (m *Message) Normalize(now time.Time) {
	m.Kind, m.State = cmp.Or(m.Kind, KindMessage), cmp.Or(m.State, StateComplete)
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
	for _, t := range []**time.Time{&m.HeartbeatAt, &m.EditedAt} {
		if *t != nil {
			*t = new(Instant(**t))
		}
	}
	if m.EmailMessageID == "" && len(m.Headers) > 0 {
		m.EmailMessageID = headerMessageID(m.Headers)
	}
}

// headerMessageID returns the Message-ID of the headers, "" if there is none or if it is too
// long to index. Such a header is broken, but the e-mail should be stored all the same.
func headerMessageID(h Headers) string {
	ids := ParseIDs(h.Get("Message-ID"))
	if len(ids) == 0 || len(ids[0]) > check.MaxKey {
		return ""
	}
	return ids[0]
}

// Validate returns a *rule.InvalidError for the first field that a database would
// refuse or change: an unknown role or direction, U+0000 or invalid UTF-8 in a text,
// JSON that does not parse, an id of more than 1,024 bytes.
func (m *Message) Validate() error {
	return check.First(
		// The direction comes first: if it is unknown, Normalize could not derive the role.
		m.Direction.validate(),
		m.Role.validate(),
		m.Kind.validate(),
		m.State.validate(),
		m.Delivery.validate(),
		check.Text("content", m.Content),
		check.Line("sender_email", m.SenderEmail),
		check.Line("recipient_email", m.RecipientEmail),
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
		check.Time("deleted_at", m.DeletedAt.Time),
		m.validateChat(),
	)
}

// validateChat checks what only the messages of language models and agents use.
func (m *Message) validateChat() error {
	return check.First(
		check.Key("author", m.Author),
		check.Key("model", m.Model),
		check.Key("finish_reason", m.FinishReason),
		check.Key("payload_format", m.PayloadFormat),
		check.Text("delivery_error", m.DeliveryError),
		check.NotNegative("fence", m.Fence),
		check.Tokens("tokens_in", m.TokensIn),
		check.Tokens("tokens_out", m.TokensOut),
		check.Amount("cost", m.Cost),
		m.ValidateParent(),
		m.validatePayload(),
		check.NullTime("heartbeat_at", m.HeartbeatAt),
		check.NullTime("edited_at", m.EditedAt),
		check.NotNegative("seq", m.Seq),
		check.Count("revision", m.Revision),
		check.NotNegative("change_seq", m.ChangeSeq),
	)
}

// Parent returns the seq of the message before this one on its path: that of ParentSeq, or Seq-1.
// It is 0 if the message begins a path, and -1 before an append has given the message its seq.
func (m *Message) Parent() int64 {
	if m.ParentSeq != nil {
		return *m.ParentSeq
	}
	return m.Seq - 1
}

// ValidateParent returns a *rule.InvalidError for a ParentSeq that is negative or, once the
// message has its seq, not before it.
func (m *Message) ValidateParent() error {
	switch {
	case m.ParentSeq == nil:
		return nil
	case *m.ParentSeq < 0:
		return rule.Invalid("parent_seq", "is negative")
	case m.Seq > 0 && *m.ParentSeq >= m.Seq:
		return rule.Invalid("parent_seq", "is that of no message of the conversation before this one")
	}
	return nil
}

func (m *Message) validatePayload() error {
	if (len(m.Payload) == 0) != (m.PayloadFormat == "") {
		return rule.Invalid("payload_format", "is given exactly when there is a payload")
	}
	return nil
}

// MaxBytes is the largest Size of a message unless a store was opened with another bound (see
// convostore.WithMaxMessageBytes): 16 MiB. It holds for a conversation and for a suggestion as
// well.
const MaxBytes = check.MaxBytes

// MaxTokens is the largest number in TokensIn and in TokensOut.
const MaxTokens = check.MaxTokens

// Size returns the bytes of the message's texts and documents together. A number in a document
// counts as PostgreSQL writes it out: 1e1000 has 1,001 digits. Of headers and attachments each
// value counts, with a few bytes for what surrounds it; embeddings do not.
func (m *Message) Size() int {
	return check.Sum(m.Content, m.Author, m.PayloadFormat, m.Model, m.FinishReason, m.DeliveryError,
		m.SenderEmail, m.RecipientEmail, m.PostmarkMessageID, m.GmailMessageID, m.GmailThreadID, m.EmailMessageID,
		m.IdempotencyKey) +
		len(m.Payload) + m.Headers.size() + m.Attachments.size() +
		check.SumWritten(m.ToolCalls, m.ToolResults, m.Metadata)
}

// Said reports whether the message counts as something that was said to the other side: it is
// complete, or was interrupted when it had some text. A message that is streaming or has failed
// counts in no report and does not change the conversation's status.
func (m *Message) Said() bool {
	return m.State == StateComplete || m.State == "" || m.State == StateInterrupted && m.Content != ""
}

// Counts reports whether the message counts in reports and for the status of its conversation: it
// was said, and is of the kind KindMessage. Notes, events and automatic mail do not.
func (m *Message) Counts() bool { return m.Kind.Counts() && m.Said() }

// Asks reports whether the message counts and came in: it ends the snooze of its conversation and
// supersedes the suggestions that do not take it into account.
func (m *Message) Asks() bool { return m.Direction == DirectionInbound && m.Counts() }

// OrderedAt returns the time by which the message is compared with others to find the latest of a
// conversation: SentAt, but not later than the append, CreatedAt. A sender's clock that is ahead, or
// an e-mail dated 9999, would otherwise be the latest for ever. A message of an outbox is sent after
// its append; it counts up to its last change, UpdatedAt.
func (m *Message) OrderedAt() time.Time {
	appended := m.CreatedAt
	if m.Delivery != DeliveryNone {
		appended = m.UpdatedAt
	}
	if m.SentAt.After(appended) && !appended.IsZero() {
		return appended
	}
	return m.SentAt
}

// Deleted reports whether the message is soft-deleted.
func (m *Message) Deleted() bool { return m.DeletedAt.Valid }
