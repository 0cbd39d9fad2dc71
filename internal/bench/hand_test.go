package bench

import (
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// What the two hand-written sides share: the columns and how a row is read.

const (
	messageColumns = `m.id, m.user_id, m.conversation_id, m.seq, m.role, coalesce(m.direction, ''), m.content,
	coalesce(m.sender_email, ''), coalesce(m.recipient_email, ''), coalesce(m.postmark_message_id, ''),
	coalesce(m.gmail_message_id, ''), coalesce(m.gmail_thread_id, ''), coalesce(m.email_message_id, ''),
	coalesce(m.idempotency_key, ''), m.headers, m.attachments, m.tool_calls, m.tool_results, m.metadata,
	m.sent_at, m.created_at, m.updated_at, m.edited_at, m.deleted_at`

	conversationColumns = `id, user_id, coalesce(lead_id, ''), coalesce(external_key, ''), coalesce(title, ''),
	coalesce(subject, ''), status, metadata, last_seq, last_message_at, held_at,
	created_at, updated_at, deleted_at`

	suggestionColumns = `id, user_id, conversation_id, in_reply_to_message_id, suggested_content, coalesce(edited_content, ''),
	confidence_score, sentiment_analysis, context_used, coalesce(model_used, ''), tokens_used, generation_cost, status,
	coalesce(reviewed_by, ''), reviewed_at, coalesce(feedback, ''), sent_message_id, created_at, updated_at, deleted_at`

	// liveConversation keeps the messages of a deleted conversation out.
	liveConversation = `EXISTS (SELECT 1 FROM conversations c
	WHERE c.id = m.conversation_id AND c.user_id = m.user_id AND c.deleted_at IS NULL)`
)

var insertColumns = []string{
	"id", "user_id", "conversation_id", "seq", "role", "direction", "content",
	"sender_email", "recipient_email", "postmark_message_id", "gmail_message_id", "gmail_thread_id", "email_message_id",
	"idempotency_key", "headers", "attachments", "tool_calls", "tool_results", "metadata",
	"sent_at", "created_at", "updated_at",
}

type row interface{ Scan(dest ...any) error }

type rows interface {
	row
	Next() bool
	Err() error
}

func scanMessage(r row) (*message.Message, error) {
	m := new(message.Message)
	err := r.Scan(&m.ID, &m.UserID, &m.ConversationID, &m.Seq, &m.Role, &m.Direction, &m.Content,
		&m.SenderEmail, &m.RecipientEmail, &m.PostmarkMessageID, &m.GmailMessageID, &m.GmailThreadID, &m.EmailMessageID,
		&m.IdempotencyKey, &m.Headers, &m.Attachments, &m.ToolCalls, &m.ToolResults, &m.Metadata,
		&m.SentAt, &m.CreatedAt, &m.UpdatedAt, &m.EditedAt, &m.DeletedAt)
	m.SentAt, m.CreatedAt, m.UpdatedAt = m.SentAt.UTC(), m.CreatedAt.UTC(), m.UpdatedAt.UTC()
	return m, err
}

func scanConversation(r row) (*conversation.Conversation, error) {
	c := new(conversation.Conversation)
	err := r.Scan(&c.ID, &c.UserID, &c.LeadID, &c.ExternalKey, &c.Title, &c.Subject, &c.Status, &c.Metadata,
		&c.LastSeq, &c.LastMessageAt, &c.HeldAt, &c.CreatedAt, &c.UpdatedAt, &c.DeletedAt)
	c.LastMessageAt, c.CreatedAt, c.UpdatedAt = c.LastMessageAt.UTC(), c.CreatedAt.UTC(), c.UpdatedAt.UTC()
	return c, err
}

func scanSuggestion(r row) (*suggestion.Suggestion, error) {
	s := new(suggestion.Suggestion)
	err := r.Scan(&s.ID, &s.UserID, &s.ConversationID, &s.InReplyToMessageID, &s.SuggestedContent, &s.EditedContent,
		&s.ConfidenceScore, &s.SentimentAnalysis, &s.ContextUsed, &s.ModelUsed, &s.TokensUsed, &s.GenerationCost, &s.Status,
		&s.ReviewedBy, &s.ReviewedAt, &s.Feedback, &s.SentMessageID, &s.CreatedAt, &s.UpdatedAt, &s.DeletedAt)
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
	return s, err
}

func collect[T any](rs rows, capacity int, scan func(row) (*T, error)) ([]*T, error) {
	all := make([]*T, 0, capacity)
	for rs.Next() {
		one, err := scan(rs)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rs.Err()
}

// stamp gives what the append gives: an id, the keys and the times.
func stamp(m *message.Message, user, conversationID uuid.UUID) (err error) {
	if m.ID == uuid.Nil {
		if m.ID, err = uuid.NewV7(); err != nil {
			return err
		}
	}
	m.UserID, m.ConversationID = user, conversationID
	m.Normalize(message.Now())
	return nil
}

// values are those of insertColumns. A column without a value is nil before a driver sees
// it.
func values(m *message.Message, form func(uuid.UUID) any) []any {
	return []any{
		form(m.ID), form(m.UserID), form(m.ConversationID), m.Seq, string(m.Role), null(string(m.Direction)), m.Content,
		null(m.SenderEmail), null(m.RecipientEmail), null(m.PostmarkMessageID), null(m.GmailMessageID), null(m.GmailThreadID),
		null(m.EmailMessageID), null(m.IdempotencyKey), filled(m.Headers, len(m.Headers)), filled(m.Attachments, len(m.Attachments)),
		null(string(m.ToolCalls)), null(string(m.ToolResults)), null(string(m.Metadata)),
		m.SentAt, m.CreatedAt, m.UpdatedAt,
	}
}

// asText takes pgx a fraction of what a uuid.UUID does, in a statement; asBytes in a COPY.
func asText(id uuid.UUID) any  { return id.String() }
func asBytes(id uuid.UUID) any { return [16]byte(id) }

func filled(v any, length int) any {
	if length == 0 {
		return nil
	}
	return v
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

var (
	errEmpty = errors.New("bench: no row")
	// errStored ends a measurement of appends that do not append.
	errStored = errors.New("bench: the message was there already")
)

// one turns the answer of a query for a single row into it.
func one[T any](all []*T, err error) (*T, error) {
	if err == nil && len(all) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}
