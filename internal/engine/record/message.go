package record

import (
	"strings"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/message"
)

// MessageMarks are the placeholders of MessageArgs.
var MessageMarks = query.Marks(len(MessageTypes) - 3)

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
	"uuid", "uuid", "bigint", "text", "text", "text", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "timestamptz",
	"text", "text", "text", "text", "text", "text", "text", "text",
	"text", "jsonb", "jsonb", "jsonb", "jsonb", "jsonb",
	"bigint", "text", "bigint", "timestamptz", "bytea", "text", "text", "bigint", "bigint", "numeric", "text",
	"text", "text", "bigint", "bigint",
}

// plainColumns are the columns that every new message sets, after id, user_id, conversation_id
// and seq. plainArgs is their number.
const (
	plainColumns = "role, direction, content, sent_at, created_at, updated_at"
	plainArgs    = 6
)

// MessageColumns are the columns of messages, in the order of MessageDest.
const MessageColumns = "id, user_id, conversation_id, seq, " + plainColumns + ", edited_at, deleted_at, " +
	"kind, author, sender_email, recipient_email, postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, " +
	"idempotency_key, headers, attachments, tool_calls, tool_results, metadata, " +
	"parent_seq, state, fence, heartbeat_at, payload, payload_format, model, tokens_in, tokens_out, cost, finish_reason, " +
	"delivery, delivery_error, revision, change_seq"

// MessageDest returns the destinations of MessageColumns in m.
func MessageDest(m *message.Message) []any {
	return []any{
		&m.ID, &m.UserID, &m.ConversationID, &m.Seq, &m.Role, &m.Direction, &m.Content,
		(*Instant)(&m.SentAt), (*Instant)(&m.CreatedAt), (*Instant)(&m.UpdatedAt),
		NullInstant{&m.EditedAt},
		(*deletedAt)(&m.DeletedAt),
		&m.Kind, (*Text)(&m.Author), (*Text)(&m.SenderEmail), (*Text)(&m.RecipientEmail), (*Text)(&m.PostmarkMessageID),
		(*Text)(&m.GmailMessageID), (*Text)(&m.GmailThreadID), (*Text)(&m.EmailMessageID), (*Text)(&m.IdempotencyKey),
		&m.Headers, &m.Attachments, &m.ToolCalls, &m.ToolResults, &m.Metadata,
		&m.ParentSeq, &m.State, (*Number)(&m.Fence),
		NullInstant{&m.HeartbeatAt},
		&m.Payload, (*Text)(&m.PayloadFormat),
		(*Text)(&m.Model), (*Number)(&m.TokensIn), (*Number)(&m.TokensOut), (*Money)(&m.Cost), (*Text)(&m.FinishReason),
		&m.Delivery, (*Text)(&m.DeliveryError), &m.Revision, (*Number)(&m.ChangeSeq),
	}
}

// MessageArgs appends the values of MessageColumns from role on for a new row, which is not
// deleted. The caller puts id, user, conversation and seq before them. They have the drivers'
// own types, which need no search for a driver.Valuer.
func MessageArgs(args []any, m *message.Message) []any {
	return append(appendPlain(args, m),
		nullTime(m.EditedAt), nil,
		string(m.Kind), Null(m.Author), Null(m.SenderEmail), Null(m.RecipientEmail), Null(m.PostmarkMessageID),
		Null(m.GmailMessageID), Null(m.GmailThreadID), Null(m.EmailMessageID), Null(m.IdempotencyKey),
		list(m.Headers, len(m.Headers)), list(m.Attachments, len(m.Attachments)),
		document(m.ToolCalls), document(m.ToolResults), document(m.Metadata),
		nullInt(m.ParentSeq), string(m.State), nullZero(m.Fence), nullTime(m.HeartbeatAt), payload(m.Payload), Null(m.PayloadFormat),
		Null(m.Model), nullZero(m.TokensIn), nullZero(m.TokensOut), money(m.Cost), Null(m.FinishReason),
		Null(string(m.Delivery)), Null(m.DeliveryError), m.Revision, nullZero(m.ChangeSeq))
}

// PlainMessageColumns are the first of MessageColumns. A message that sets no others takes
// less time to write with them alone: the database need not be sent 35 NULLs and defaults.
const PlainMessageColumns = "id, user_id, conversation_id, seq, " + plainColumns

// PlainMessageMarks are the placeholders of PlainMessageArgs.
var PlainMessageMarks = query.Marks(plainArgs)

// PlainMessageArgs is MessageArgs for the columns of PlainMessageColumns. ok is false if the
// message sets others, and args are then unchanged.
func PlainMessageArgs(args []any, m *message.Message) (plain []any, ok bool) {
	if !isPlain(m) {
		return args, false
	}
	return appendPlain(args, m), true
}

// appendPlain appends the values of plainColumns.
func appendPlain(args []any, m *message.Message) []any {
	var sentAt any = m.SentAt
	return append(args, string(m.Role), Null(string(m.Direction)), m.Content,
		sentAt, timeArg(m.CreatedAt, sentAt), timeArg(m.UpdatedAt, sentAt))
}

// isPlain tells whether every column beyond PlainMessageColumns has its default.
func isPlain(m *message.Message) bool {
	return m.EditedAt == nil && m.Kind == message.KindMessage && m.State == message.StateComplete &&
		m.Author+m.SenderEmail+m.RecipientEmail == "" && hasNoKeys(m) &&
		len(m.Headers)+len(m.Attachments)+len(m.Payload) == 0 &&
		m.ToolCalls.IsNull() && m.ToolResults.IsNull() && m.Metadata.IsNull() &&
		m.ParentSeq == nil && m.Fence == 0 && m.HeartbeatAt == nil && m.PayloadFormat == "" &&
		m.Model+m.FinishReason == "" && m.TokensIn == 0 && m.TokensOut == 0 && m.Cost.IsZero() &&
		m.Delivery == message.DeliveryNone && m.DeliveryError == "" && m.Revision == 0 && m.ChangeSeq == 0
}

func hasNoKeys(m *message.Message) bool {
	return m.PostmarkMessageID == "" && m.GmailMessageID == "" && m.GmailThreadID == "" &&
		m.EmailMessageID == "" && m.IdempotencyKey == ""
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

// payload returns bytes as an argument, or NULL for none.
func payload(p message.Payload) any {
	if len(p) == 0 {
		return nil
	}
	return []byte(p)
}
