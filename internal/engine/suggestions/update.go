package suggestions

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func (s suggestions) Delete(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	return s.update(ctx, id, store.ExcludeDeleted, query.New("deleted_at = ?", s.sc.Instant()), "")
}

func (s suggestions) Restore(ctx context.Context, id uuid.UUID) (*suggestion.Suggestion, error) {
	var sg *suggestion.Suggestion
	err := scope.Settle(func() (_ bool, err error) {
		sg, err = s.update(ctx, id, store.OnlyDeleted, query.New("deleted_at = NULL"), "")
		if !errors.Is(err, store.ErrNotFound) {
			return true, err
		}
		db, err := s.sc.Writing(ctx)
		if err != nil {
			return false, err
		}
		if sg, err = findSuggestion(s.sc, db, id, store.IncludeDeleted); err != nil {
			return false, query.Wrap("restore suggestion", err)
		}
		return !sg.Deleted(), nil
	})
	if err != nil {
		return nil, err
	}
	return sg, nil
}

// update updates a suggestion of a live conversation and returns the row as it is then. It
// returns ErrNotFound if there is no such row among those that d selects, or if the
// additional condition, which begins with AND, does not hold.
func (s suggestions) update(ctx context.Context, id uuid.UUID, d store.Deleted, assign *query.Query, condition string) (*suggestion.Suggestion, error) {
	return scope.SetRow(ctx, s.sc, s.sc.Tables.Suggestions, record.SuggestionColumns, record.SuggestionDest, id, d, assign, condition+s.lockFirst())
}

// lockFirst is a condition that locks the conversation before the suggestion t: a transaction that
// decides and then sends would otherwise wait for a message that comes in while that waits for it.
func (s suggestions) lockFirst() string {
	lock := s.sc.Dialect.ForUpdate()
	if lock == "" {
		return ""
	}
	return " AND (SELECT TRUE FROM " + s.sc.Tables.Conversations + " l WHERE l.id = t.conversation_id AND l.user_id = t.user_id FOR NO KEY UPDATE)"
}
