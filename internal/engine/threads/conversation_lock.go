package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// OwnerScope narrows a scope to the owner of a conversation that a write is about. A scope
// of one user is returned as it is, whether or not the conversation exists. In a scope of
// all users a conversation that nobody has is ErrNotFound, and an id that several users have
// is ErrConflict.
func OwnerScope(ctx context.Context, sc scope.Scope, conversationID uuid.UUID) (scope.Scope, error) {
	if _, err := sc.Writing(ctx); err != nil {
		return sc, err
	}
	owner, err := sc.Owner(ctx, sc.Tables.Conversations, conversationID)
	return sc.As(owner), err
}

// LockConversation locks the row of a live conversation until the transaction ends: until
// then nobody else appends to the conversation, deletes it or sends a suggestion in it. It
// returns ErrNotFound if there is no such conversation. The scope is that of one user, in a
// transaction.
func LockConversation(ctx context.Context, sc scope.Scope, id uuid.UUID) error {
	var locked uuid.UUID
	found, err := sc.Lock("id", query.New("id = ? AND deleted_at IS NULL", id)).Row(query.On(ctx, sc.Writer), &locked)
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}
