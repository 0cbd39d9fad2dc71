package threads

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/erase"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

func (s conversations) Delete(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return s.update(ctx, id, store.ExcludeDeleted, query.New("deleted_at = ?", s.sc.Instant()))
}

func (s conversations) Restore(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	var c *conversation.Conversation
	err := scope.Settle(func() (_ bool, err error) {
		c, err = s.updateIf(ctx, id, store.OnlyDeleted, " AND "+notMerged, query.New("deleted_at = NULL"))
		if !errors.Is(err, store.ErrNotFound) {
			return true, err
		}
		db, err := s.sc.Writing(ctx)
		if err != nil {
			return false, err
		}
		if c, err = getConversation(s.sc, db, id, store.IncludeDeleted); err != nil {
			return false, query.Wrap("restore conversation", err)
		}
		if err := liveOrDeleted(c); err != nil {
			return true, query.Wrap("restore conversation", err)
		}
		return !c.DeletedAt.Valid, nil
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (s conversations) Erase(ctx context.Context, id uuid.UUID) (store.Counts, error) {
	sc, err := OwnerScope(ctx, s.sc, id)
	if err != nil {
		return store.Counts{}, query.Wrap("erase conversation", err)
	}
	counts, err := erase.Where(ctx, sc, query.New("user_id = ? AND id = ? AND "+notMerged, sc.User, id))
	if err == nil && counts.Conversations == 0 {
		err = store.ErrNotFound
	}
	return counts, query.Wrap("erase conversation", err)
}
