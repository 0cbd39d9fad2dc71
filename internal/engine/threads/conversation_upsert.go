package threads

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s conversations) Upsert(ctx context.Context, c *conversation.Conversation) (bool, error) {
	if c == nil {
		return false, scope.ErrNil("conversation")
	}
	if c.ID == uuid.Nil {
		return false, rule.Invalid("id", "is the nil UUID")
	}
	if err := checkNoChildren(c); err != nil {
		return false, err
	}
	sc, err := newConversation(ctx, s.sc, c)
	if err != nil {
		return false, err
	}
	var created bool
	var stored conversation.Conversation
	err = sc.Shared(ctx, func(tx *scope.Store) (err error) {
		stored = *c
		created, err = upsert(ctx, sc.In(tx), &stored)
		return err
	})
	if err != nil {
		return false, query.Wrap("upsert conversation", err)
	}
	*c = stored
	sc.Noted(ctx, 1)
	return created, nil
}

// upsert tries the update before the insert. The update is the statement that repeated
// calls need, and on SQLite it takes the write lock.
func upsert(ctx context.Context, sc scope.Scope, c *conversation.Conversation) (created bool, err error) {
	updated, err := updateConversation(ctx, sc, c.ID, store.ExcludeDeleted,
		query.New("lead_id = ?, external_key = ?, title = ?, subject = ?, metadata = ?, language = ?",
			record.Null(c.LeadID), record.Null(c.ExternalKey), record.Null(c.Title), record.Null(c.Subject), c.Metadata, record.Null(c.Language)))
	if err == nil {
		*c = *updated
		return false, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	err = insertConversation(ctx, sc, c, " ON CONFLICT (id, user_id) DO NOTHING")
	if !errors.Is(err, store.ErrNotFound) {
		return err == nil, err
	}
	// Either the row was inserted between the two statements, or it is soft-deleted.
	if _, err := GetConversation(sc, query.On(ctx, sc.Writer), c.ID); err == nil {
		return upsert(ctx, sc, c)
	}
	return false, fmt.Errorf("%w: the conversation is deleted; restore or erase it first", store.ErrConflict)
}

func checkNoChildren(c *conversation.Conversation) error {
	if len(c.Messages) > 0 {
		return rule.Invalid("messages", "are not taken here")
	}
	return checkOnlyMessages(c)
}

func (s conversations) GetOrCreate(ctx context.Context, c *conversation.Conversation) (bool, error) {
	if c == nil {
		return false, scope.ErrNil("conversation")
	}
	if s.sc.Clean.Text(&c.ExternalKey); c.ExternalKey == "" {
		return false, rule.Invalid("external_key", "is empty")
	}
	if err := checkNoChildren(c); err != nil {
		return false, err
	}
	sc, err := newConversation(ctx, s.sc, c)
	if err != nil {
		return false, err
	}
	created, err := getOrCreate(ctx, sc, c)
	if created {
		sc.Noted(ctx, 1)
	}
	return created, query.Wrap("get or create conversation", err)
}

// getOrCreate reads before it inserts, because most calls find the row.
func getOrCreate(ctx context.Context, sc scope.Scope, c *conversation.Conversation) (created bool, err error) {
	stored, err := findByExternalKey(ctx, sc, c.ExternalKey)
	if err != nil {
		return false, err
	}
	if stored == nil {
		err := insertAlone(ctx, sc, c, " ON CONFLICT (user_id, external_key) WHERE external_key IS NOT NULL DO NOTHING")
		if !errors.Is(err, store.ErrNotFound) {
			return err == nil, err
		}
		if stored, err = findByExternalKey(ctx, sc, c.ExternalKey); err != nil {
			return false, err
		}
		if stored == nil {
			return false, fmt.Errorf("%w: the conversation was erased meanwhile", store.ErrConflict)
		}
	}
	*c = *stored
	if c.Deleted() {
		return false, fmt.Errorf("%w: the conversation of this key is deleted; restore or erase it first", store.ErrConflict)
	}
	return false, nil
}

// findByExternalKey returns the user's conversation with a key, even a soft-deleted one, or
// nil. It reads from the writer: a reader may not yet see the row that an insert conflicted
// with.
func findByExternalKey(ctx context.Context, sc scope.Scope, key string) (*conversation.Conversation, error) {
	q := query.New("SELECT "+record.ConversationColumns+" FROM "+sc.Tables.Conversations+
		" WHERE external_key = ? AND user_id = ?", key, sc.User)
	found, err := query.All(query.On(ctx, sc.Writer), q, record.ConversationDest)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}
