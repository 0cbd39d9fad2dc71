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
	"last_seq, last_message_at, held_at, created_at, updated_at, deleted_at, " +
	"app, last_change_seq, branched, head_seq, forked_from_id, forked_from_seq, merged_into_id, assignee, snoozed_until, pinned_at, language"

// ConversationDest returns the destinations of ConversationColumns in c.
func ConversationDest(c *conversation.Conversation) []any {
	return []any{
		&c.ID, &c.UserID, (*Text)(&c.LeadID), (*Text)(&c.ExternalKey), (*Text)(&c.Title), (*Text)(&c.Subject),
		&c.Status, &c.Metadata, &c.LastSeq, (*Instant)(&c.LastMessageAt),
		NullInstant{&c.HeldAt},
		(*Instant)(&c.CreatedAt), (*Instant)(&c.UpdatedAt), (*deletedAt)(&c.DeletedAt),
		(*Text)(&c.App), &c.LastChangeSeq, &c.Branched, &c.HeadSeq,
		NullID{&c.ForkedFromID},
		&c.ForkedFromSeq,
		NullID{&c.MergedIntoID},
		(*Text)(&c.Assignee),
		NullInstant{&c.SnoozedUntil},
		NullInstant{&c.PinnedAt},
		(*Text)(&c.Language),
	}
}

// ConversationArgs returns the values of ConversationColumns for a new row, which is not deleted.
func ConversationArgs(c *conversation.Conversation) []any {
	return []any{
		c.ID, c.UserID, Null(c.LeadID), Null(c.ExternalKey), Null(c.Title), Null(c.Subject), c.Status, c.Metadata,
		c.LastSeq, c.LastMessageAt, nullTime(c.HeldAt), c.CreatedAt, c.UpdatedAt, nil,
		Null(c.App), c.LastChangeSeq, c.Branched, nullInt(c.HeadSeq), nullUUID(c.ForkedFromID), nullInt(c.ForkedFromSeq),
		nullUUID(c.MergedIntoID), Null(c.Assignee), nullTime(c.SnoozedUntil), nullTime(c.PinnedAt), Null(c.Language),
	}
}
