package scope

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

// SetRow updates one row by its id and returns the updated row. The row's conversation must be
// live, and the row itself as d says; and is one more condition, with its AND, or empty. It
// returns ErrNotFound if no row meets the conditions.
func SetRow[T any](ctx context.Context, sc Scope, table, columns string, dest func(*T) []any, id uuid.UUID, d store.Deleted, assign *query.Query, and string) (*T, error) {
	if _, err := sc.Writing(ctx); err != nil {
		return nil, err
	}
	row, err := UpdateRow(ctx, sc, table, columns, dest, id, d, assign, and)
	return row, query.Wrap("update", err)
}

// UpdateRow is SetRow without its check of the scope and with unwrapped errors.
func UpdateRow[T any](ctx context.Context, sc Scope, table, columns string, dest func(*T) []any, id uuid.UUID, d store.Deleted, assign *query.Query, and string) (*T, error) {
	owner, err := sc.Owner(ctx, table, id)
	if err != nil {
		return nil, err
	}
	as := sc.As(owner)
	q := Deleted(query.New("UPDATE "+table+" AS t SET ").Append(assign).
		Add(", updated_at = ? WHERE id = ? AND user_id = ?", sc.Instant(), id, owner), d, "")
	as.InLive(q, "t.").Add(and + " RETURNING " + columns)
	var row *T
	err = as.Single(ctx, func(on *Store) (err error) {
		row, err = query.One(query.On(ctx, on.Writer), q, dest)
		return err
	})
	if err != nil {
		return nil, err // the commit may have failed
	}
	return row, nil
}
