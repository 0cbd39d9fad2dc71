package textindex

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// Respoken notes all texts of a conversation, whose language has just changed in the same
// transaction: they have other stems.
func Respoken(ctx context.Context, sc scope.Scope, thread uuid.UUID) error {
	a, err := accessOf(sc)
	if err != nil {
		return err
	}
	db := query.On(ctx, sc.Writer)
	f, err := sc.SchemaFeatures(db)
	if err != nil || !f.FullText {
		return err
	}
	for _, q := range a.backend.noteThread(a.t, sc.User, thread) {
		if _, err := q.Exec(db); err != nil {
			return err
		}
	}
	return nil
}
