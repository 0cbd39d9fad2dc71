package store

import (
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// text reads a column that may be NULL, which is "". A lead id may be a number or a
// uuid in the host's table.
type text string

func (t *text) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = ""
	case string:
		*t = text(v)
	case []byte:
		*t = text(v)
	case int64:
		*t = text(strconv.FormatInt(v, 10))
	default:
		return fmt.Errorf("convostore: cannot read a text column from %T", src)
	}
	return nil
}

// instant reads a time, in UTC. SQLite gives text where a column's type is lost on the
// way, as in RETURNING.
type instant time.Time

// timeLayouts are those that the drivers of SQLite write; the last one is the default
// of the schema, for rows that a host inserted by hand.
var timeLayouts = []string{"2006-01-02 15:04:05.999999999-07:00", time.RFC3339Nano, "2006-01-02 15:04:05.999999999"}

func (i *instant) Scan(src any) error {
	switch v := src.(type) {
	case time.Time:
		*i = instant(v.UTC())
		return nil
	case []byte:
		return i.parse(string(v))
	case string:
		return i.parse(v)
	}
	return fmt.Errorf("convostore: cannot read a time from %T", src)
}

func (i *instant) parse(s string) error {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			*i = instant(t.UTC())
			return nil
		}
	}
	return fmt.Errorf("convostore: cannot read a time from a text of %d bytes", len(s))
}

// nullInstant reads a time that may be NULL, which is nil.
type nullInstant struct{ dest **time.Time }

func (n nullInstant) Scan(src any) error {
	*n.dest = nil
	if src == nil {
		return nil
	}
	var i instant
	if err := i.Scan(src); err != nil {
		return err
	}
	*n.dest = new(time.Time(i))
	return nil
}

// deletedAt reads the mark of a soft delete.
type deletedAt gorm.DeletedAt

func (d *deletedAt) Scan(src any) error {
	*d = deletedAt{}
	if src == nil {
		return nil
	}
	d.Valid = true
	return (*instant)(&d.Time).Scan(src)
}

// nullID reads a uuid that may be NULL, which is nil.
type nullID struct{ dest **uuid.UUID }

func (n nullID) Scan(src any) error {
	*n.dest = nil
	if src == nil {
		return nil
	}
	id := new(uuid.UUID)
	*n.dest = id
	return id.Scan(src)
}

// The lists of columns below have the order of the destinations beside them.

const conversationColumns = "id, user_id, lead_id, external_key, title, subject, status, metadata, " +
	"last_seq, last_message_at, held_at, created_at, updated_at, deleted_at"

func conversationDest(c *conversation.Conversation) []any {
	return []any{
		&c.ID, &c.UserID, (*text)(&c.LeadID), (*text)(&c.ExternalKey), (*text)(&c.Title), (*text)(&c.Subject),
		&c.Status, &c.Metadata, &c.LastSeq, (*instant)(&c.LastMessageAt),
		nullInstant{&c.HeldAt},
		(*instant)(&c.CreatedAt), (*instant)(&c.UpdatedAt), (*deletedAt)(&c.DeletedAt),
	}
}

const messageColumns = "id, user_id, conversation_id, seq, role, direction, content, sender_email, recipient_email, " +
	"postmark_message_id, gmail_message_id, gmail_thread_id, email_message_id, idempotency_key, headers, attachments, " +
	"tool_calls, tool_results, metadata, sent_at, created_at, updated_at, edited_at, deleted_at"

func messageDest(m *message.Message) []any {
	return []any{
		&m.ID, &m.UserID, &m.ConversationID, &m.Seq, &m.Role, &m.Direction, &m.Content,
		(*text)(&m.SenderEmail), (*text)(&m.RecipientEmail), (*text)(&m.PostmarkMessageID),
		(*text)(&m.GmailMessageID), (*text)(&m.GmailThreadID), (*text)(&m.EmailMessageID), (*text)(&m.IdempotencyKey),
		&m.Headers, &m.Attachments, &m.ToolCalls, &m.ToolResults, &m.Metadata,
		(*instant)(&m.SentAt), (*instant)(&m.CreatedAt), (*instant)(&m.UpdatedAt),
		nullInstant{&m.EditedAt},
		(*deletedAt)(&m.DeletedAt),
	}
}

const suggestionColumns = "id, user_id, conversation_id, in_reply_to_message_id, suggested_content, edited_content, " +
	"confidence_score, sentiment_analysis, context_used, model_used, tokens_used, generation_cost, status, reviewed_by, " +
	"reviewed_at, feedback, sent_message_id, created_at, updated_at, deleted_at"

func suggestionDest(s *suggestion.Suggestion) []any {
	return []any{
		&s.ID, &s.UserID, &s.ConversationID,
		nullID{&s.InReplyToMessageID},
		&s.SuggestedContent, (*text)(&s.EditedContent),
		&s.ConfidenceScore, &s.SentimentAnalysis, &s.ContextUsed, (*text)(&s.ModelUsed), &s.TokensUsed, &s.GenerationCost,
		&s.Status, (*text)(&s.ReviewedBy),
		nullInstant{&s.ReviewedAt},
		(*text)(&s.Feedback),
		nullID{&s.SentMessageID},
		(*instant)(&s.CreatedAt), (*instant)(&s.UpdatedAt), (*deletedAt)(&s.DeletedAt),
	}
}

// null makes the empty text NULL.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func nullTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return *t
}

func nullUUID(id *uuid.UUID) any {
	if id == nil {
		return nil
	}
	return *id
}

func conversationArgs(c *conversation.Conversation) []any {
	return []any{
		c.ID, c.UserID, null(c.LeadID), null(c.ExternalKey), null(c.Title), null(c.Subject), c.Status, c.Metadata,
		c.LastSeq, c.LastMessageAt, nullTime(c.HeldAt), c.CreatedAt, c.UpdatedAt, nil,
	}
}

// messageArgs appends the values of a message but for its id, its owner, its conversation
// and its seq, which stand before them. They are of the drivers' own types, which are taken
// without looking for a method.
func messageArgs(args []any, m *message.Message) []any {
	var sentAt any = m.SentAt
	return append(args,
		string(m.Role), null(string(m.Direction)), m.Content, null(m.SenderEmail), null(m.RecipientEmail), null(m.PostmarkMessageID),
		null(m.GmailMessageID), null(m.GmailThreadID), null(m.EmailMessageID), null(m.IdempotencyKey),
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

func suggestionArgs(s *suggestion.Suggestion) []any {
	return []any{
		s.ID, s.UserID, s.ConversationID, nullUUID(s.InReplyToMessageID), s.SuggestedContent, null(s.EditedContent),
		s.ConfidenceScore, s.SentimentAnalysis, s.ContextUsed, null(s.ModelUsed), s.TokensUsed, s.GenerationCost,
		s.Status, null(s.ReviewedBy), nullTime(s.ReviewedAt), null(s.Feedback), nil, s.CreatedAt, s.UpdatedAt, nil,
	}
}
