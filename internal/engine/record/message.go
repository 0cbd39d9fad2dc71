package record

import (
	"strings"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/message"
)

// MessageMarks are for messageArgs.
var MessageMarks = query.Marks(20)

var (
	// WithoutUser are messageColumns but for the user, userFirst those in the order of
	// scope.values, unnested those of a row v.
	WithoutUser = strings.Replace(MessageColumns, "user_id, ", "", 1)
	UserFirst   = "user_id, " + WithoutUser
	Unnested    = "v." + strings.ReplaceAll(WithoutUser, ", ", ", v.")
)

// MessageTypes are those of withoutUser on PostgreSQL.
var MessageTypes = []string{
	"uuid", "uuid", "bigint", "text", "text", "text", "text", "text",
	"text", "text", "text", "text", "text", "jsonb", "jsonb",
	"jsonb", "jsonb", "jsonb", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "timestamptz",
}

func StripMessage(m *message.Message) {
	StripText(&m.Content, &m.SenderEmail, &m.RecipientEmail, &m.PostmarkMessageID, &m.GmailMessageID,
		&m.GmailThreadID, &m.EmailMessageID, &m.IdempotencyKey)
	StripJSON(&m.ToolCalls, &m.ToolResults, &m.Metadata)
	for i := range m.Attachments {
		a := &m.Attachments[i]
		StripText(&a.Filename, &a.ContentType, &a.ContentID, &a.URL, &a.Key, &a.Checksum)
	}
	stripHeaders(m.Headers)
}

func stripHeaders(h message.Headers) {
	for name, values := range h {
		for i := range values {
			StripText(&values[i])
		}
		if clean := strings.ReplaceAll(name, "\x00", ""); clean != name {
			delete(h, name)
			h[clean] = values
		}
	}
}

const MessageColumns = "id, user_id, conversation_id, seq, role, direction, content, sender_email, recipient_email, " +
	"postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, headers, attachments, " +
	"tool_calls, tool_results, metadata, sent_at, created_at, updated_at, edited_at, deleted_at"

func MessageDest(m *message.Message) []any {
	return []any{
		&m.ID, &m.UserID, &m.ConversationID, &m.Seq, &m.Role, &m.Direction, &m.Content,
		(*Text)(&m.SenderEmail), (*Text)(&m.RecipientEmail), (*Text)(&m.PostmarkMessageID),
		(*Text)(&m.GmailMessageID), (*Text)(&m.GmailThreadID), (*Text)(&m.EmailMessageID), (*Text)(&m.IdempotencyKey),
		&m.Headers, &m.Attachments, &m.ToolCalls, &m.ToolResults, &m.Metadata,
		(*Instant)(&m.SentAt), (*Instant)(&m.CreatedAt), (*Instant)(&m.UpdatedAt),
		NullInstant{&m.EditedAt},
		(*deletedAt)(&m.DeletedAt),
	}
}

// MessageArgs appends the values of a message but for its id, its owner, its conversation
// and its seq, which stand before them. They are of the drivers' own types, which are taken
// without looking for a method.
func MessageArgs(args []any, m *message.Message) []any {
	var sentAt any = m.SentAt
	return append(args,
		string(m.Role), Null(string(m.Direction)), m.Content, Null(m.SenderEmail), Null(m.RecipientEmail), Null(m.PostmarkMessageID),
		Null(m.GmailMessageID), Null(m.GmailThreadID), Null(m.EmailMessageID), Null(m.IdempotencyKey),
		list(m.Headers, len(m.Headers)), list(m.Attachments, len(m.Attachments)),
		document(m.ToolCalls), document(m.ToolResults), document(m.Metadata),
		sentAt, timeArg(m.CreatedAt, sentAt), timeArg(m.UpdatedAt, sentAt), nullTime(m.EditedAt), nil)
}

// timeArg is t, or the argument that there is already if it says the same: making one
// allocates, and most messages have one time for all.
func timeArg(t time.Time, there any) any {
	if have, ok := there.(time.Time); ok && have.Equal(t) {
		return there
	}
	return t
}

// list makes an empty one NULL.
func list(v any, length int) any {
	if length == 0 {
		return nil
	}
	return v
}

func document(j message.JSON) any {
	if j.IsNull() {
		return nil
	}
	return string(j)
}
