// Package heirs tells who asks for a conversation that was merged into another one where it went. It
// stands before the rooms: what they return with ErrNotFound for the id of a conversation, it makes
// a *store.MergedError if that is the reason.
package heirs

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
)

func told(ctx context.Context, sc scope.Scope, id uuid.UUID, err error) error {
	return threads.ToldOfMerge(ctx, sc, id, err)
}

// each is told for the errors of an iteration.
func each[T any](ctx context.Context, sc scope.Scope, id uuid.UUID, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if !yield(row, told(ctx, sc, id, err)) {
				return
			}
		}
	}
}
