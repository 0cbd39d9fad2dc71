package record

import (
	"strings"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/message"
)

// MessageMarks are the placeholders of MessageArgs.
var MessageMarks = query.Marks(20)

var (
	// WithoutUser are MessageColumns without user_id.
	WithoutUser = strings.Replace(MessageColumns, "user_id, ", "", 1)
	// UserFirst are MessageColumns with user_id in front.
	UserFirst = "user_id, " + WithoutUser
	// Unnested are WithoutUser as columns of a table v.
	Unnested = "v." + strings.ReplaceAll(WithoutUser, ", ", ", v.")
)

// MessageTypes are the PostgreSQL types of WithoutUser.
var MessageTypes = []string{
	"uuid", "uuid", "bigint", "text", "text", "text", "text", "text",
	"text", "text", "text", "text", "text", "jsonb", "jsonb",
	"jsonb", "jsonb", "jsonb", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "timestamptz",
}

// MessageColumns are the columns of messages, in the order of MessageDest.
const MessageColumns = "id, user_id, conversation_id, seq, role, direction, content, sender_email, recipient_email, " +
	"postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, headers, attachments, " +
	"tool_calls, tool_results, metadata, sent_at, created_at, updated_at, edited_at, deleted_at"

// MessageDest returns the destinations of MessageColumns in m.
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

// MessageArgs appends the values of MessageColumns from role on for a new row, which is not
// deleted. The caller puts id, user, conversation and seq before them. They have the drivers'
// own types, which need no search for a driver.Valuer.
func MessageArgs(args []any, m *message.Message) []any {
	var sentAt any = m.SentAt
	return append(args,
		string(m.Role), Null(string(m.Direction)), m.Content, Null(m.SenderEmail), Null(m.RecipientEmail), Null(m.PostmarkMessageID),
		Null(m.GmailMessageID), Null(m.GmailThreadID), Null(m.EmailMessageID), Null(m.IdempotencyKey),
		list(m.Headers, len(m.Headers)), list(m.Attachments, len(m.Attachments)),
		document(m.ToolCalls), document(m.ToolResults), document(m.Metadata),
		sentAt, timeArg(m.CreatedAt, sentAt), timeArg(m.UpdatedAt, sentAt), nullTime(m.EditedAt), nil)
}

// timeArg returns t as an argument, or known if it is the same time: a new argument allocates,
// and most messages have one time in all their columns.
func timeArg(t time.Time, known any) any {
	if have, ok := known.(time.Time); ok && have.Equal(t) {
		return known
	}
	return t
}

// list returns v, or NULL for a list without elements.
func list(v any, length int) any {
	if length == 0 {
		return nil
	}
	return v
}

// document returns a JSON document as text, or NULL for none.
func document(j message.JSON) any {
	if j.IsNull() {
		return nil
	}
	return string(j)
}
