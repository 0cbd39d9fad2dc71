package threads

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// mergeFiled merges a conversation into another one in the transaction of a filing, and tells whether
// it did: one with a message that is being written stays where it is, and the next mail tries again.
func mergeFiled(ctx context.Context, sc scope.Scope, from, into uuid.UUID) (bool, error) {
	_, _, err := mergeInto(ctx, sc, from, into, store.MoveOptions{})
	var merged *store.MergedError
	switch {
	case errors.As(err, &merged), errors.Is(err, store.ErrNotFound):
		return false, errMoved
	case errors.Is(err, store.ErrConflict):
		return false, nil
	}
	return err == nil, err
}
