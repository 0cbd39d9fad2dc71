package record

import (
	"github.com/convostore/convostore/conversation"
)

func StripConversation(c *conversation.Conversation) {
	StripText(&c.LeadID, &c.ExternalKey, &c.Title, &c.Subject)
	StripJSON(&c.Metadata)
}

// The lists of columns below have the order of the destinations beside them.

const ConversationColumns = "id, user_id, lead_id, external_key, title, subject, status, metadata, " +
	"last_seq, last_message_at, held_at, created_at, updated_at, deleted_at"

func ConversationDest(c *conversation.Conversation) []any {
	return []any{
		&c.ID, &c.UserID, (*Text)(&c.LeadID), (*Text)(&c.ExternalKey), (*Text)(&c.Title), (*Text)(&c.Subject),
		&c.Status, &c.Metadata, &c.LastSeq, (*Instant)(&c.LastMessageAt),
		NullInstant{&c.HeldAt},
		(*Instant)(&c.CreatedAt), (*Instant)(&c.UpdatedAt), (*deletedAt)(&c.DeletedAt),
	}
}

func ConversationArgs(c *conversation.Conversation) []any {
	return []any{
		c.ID, c.UserID, Null(c.LeadID), Null(c.ExternalKey), Null(c.Title), Null(c.Subject), c.Status, c.Metadata,
		c.LastSeq, c.LastMessageAt, nullTime(c.HeldAt), c.CreatedAt, c.UpdatedAt, nil,
	}
}
