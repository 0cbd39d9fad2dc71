package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s conversations) Get(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	c, err := GetConversation(s.sc, db, id)
	return c, query.Wrap("get conversation", err)
}

// GetConversation reads a live conversation without its messages. It returns ErrNotFound if
// the scope has no such conversation or if it is soft-deleted.
func GetConversation(sc scope.Scope, db query.Conn, id uuid.UUID) (*conversation.Conversation, error) {
	return getConversation(sc, db, id, store.ExcludeDeleted)
}

func getConversation(sc scope.Scope, db query.Conn, id uuid.UUID, d store.Deleted) (*conversation.Conversation, error) {
	q := query.New("SELECT "+record.ConversationColumns+" FROM "+sc.Tables.Conversations+" WHERE id = ?", id)
	scope.Deleted(sc.Owned(q, ""), d, "")
	c, err := query.One(db, q, record.ConversationDest)
	if err == nil && c.Branched {
		sc.Branched.Note(id)
	}
	return c, err
}

func (s conversations) GetByExternalKey(ctx context.Context, key string) (*conversation.Conversation, error) {
	if s.sc.Clean.Text(&key); key == "" {
		return nil, rule.Invalid("external_key", "is empty")
	}
	if err := check.Key("external_key", key); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT "+record.ConversationColumns+" FROM "+s.sc.Tables.Conversations+" WHERE external_key = ?", key)
	scope.Deleted(s.sc.Owned(q, ""), store.ExcludeDeleted, "").Add(" LIMIT 2")
	c, err := query.One(db, q, record.ConversationDest)
	return c, query.Wrap("get conversation", err)
}

func (s conversations) Thread(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	c, err := GetConversation(s.sc, db, id)
	if err != nil {
		return nil, query.Wrap("read thread", err)
	}
	if c.Messages, err = threadMessages(s.sc.As(c.UserID), db, c); err != nil {
		return nil, query.Wrap("read thread", err)
	}
	q := query.New("SELECT "+record.SuggestionColumns+" FROM "+s.sc.Tables.Suggestions+
		" WHERE conversation_id = ? AND user_id = ? AND deleted_at IS NULL ORDER BY created_at, id", c.ID, c.UserID)
	c.Suggestions, err = query.All(db, q, record.SuggestionDest)
	return c, query.Wrap("read thread", err)
}
