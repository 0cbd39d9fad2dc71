package threads

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// notMerged is the condition that a conversation, live or deleted, is no mere pointer to another one.
const notMerged = "(deleted_at IS NULL OR merged_into_id IS NULL)"

// liveOrDeleted returns ErrNotFound for a conversation that is a mere pointer to another one.
func liveOrDeleted(c *conversation.Conversation) error {
	if c.Deleted() && c.MergedIntoID != nil {
		return store.ErrNotFound
	}
	return nil
}

// ToldOfMerge makes a *store.MergedError of an ErrNotFound for the id of a conversation that was
// merged into another one. If nothing can be found out, the error stays as it is.
func ToldOfMerge(ctx context.Context, sc scope.Scope, id uuid.UUID, err error) error {
	return toldOfMerge(ctx, sc, query.New("id = ?", id), err)
}

// ToldOfMergedKey is ToldOfMerge for an external key.
func ToldOfMergedKey(ctx context.Context, sc scope.Scope, key string, err error) error {
	sc.Clean.Text(&key)
	return toldOfMerge(ctx, sc, query.New("external_key = ?", key), err)
}

func toldOfMerge(ctx context.Context, sc scope.Scope, is *query.Query, err error) error {
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if _, told := errors.AsType[*store.MergedError](err); told {
		return err
	}
	type merged struct {
		id   uuid.UUID
		into *uuid.UUID
	}
	q := query.New("SELECT id, merged_into_id FROM " + sc.Tables.Conversations + " WHERE ").Append(is).
		Add(" AND deleted_at IS NOT NULL AND merged_into_id IS NOT NULL")
	m, readErr := query.One(query.On(ctx, sc.Writer), sc.Owned(q, "").Add(" LIMIT 2"), func(m *merged) []any {
		return []any{&m.id, record.NullID{Dest: &m.into}}
	})
	if readErr != nil || m.into == nil {
		return err
	}
	return &store.MergedError{From: m.id, Into: *m.into, Err: err}
}
