// Package record maps the library's tables to the models: the columns of each table, the
// destinations that a row is scanned into and the arguments that a row is written with, in the
// same order. It knows no statement, user or connection.
package record

import (
	"github.com/convostore/convostore/conversation"
)

// ConversationColumns are the columns of conversations, in the order of ConversationDest and
// ConversationArgs.
const ConversationColumns = "id, user_id, lead_id, external_key, title, subject, status, metadata, " +
	"last_seq, last_message_at, held_at, created_at, updated_at, deleted_at"

// ConversationDest returns the destinations of ConversationColumns in c.
func ConversationDest(c *conversation.Conversation) []any {
	return []any{
		&c.ID, &c.UserID, (*Text)(&c.LeadID), (*Text)(&c.ExternalKey), (*Text)(&c.Title), (*Text)(&c.Subject),
		&c.Status, &c.Metadata, &c.LastSeq, (*Instant)(&c.LastMessageAt),
		NullInstant{&c.HeldAt},
		(*Instant)(&c.CreatedAt), (*Instant)(&c.UpdatedAt), (*deletedAt)(&c.DeletedAt),
	}
}

// ConversationArgs returns the values of ConversationColumns for a new row, which is not deleted.
func ConversationArgs(c *conversation.Conversation) []any {
	return []any{
		c.ID, c.UserID, Null(c.LeadID), Null(c.ExternalKey), Null(c.Title), Null(c.Subject), c.Status, c.Metadata,
		c.LastSeq, c.LastMessageAt, nullTime(c.HeldAt), c.CreatedAt, c.UpdatedAt, nil,
	}
}
