package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

func (r *retention) purge(ctx context.Context, before time.Time) error {
	if err := r.purgeConversations(ctx, before); err != nil {
		return err
	}
	if err := r.purgeParts(ctx, r.tables.messages, before, scope.removeMessages); err != nil {
		return err
	}
	return r.purgeParts(ctx, r.tables.suggestions, before, scope.removeSuggestions)
}

func (r *retention) purgeConversations(ctx context.Context, before time.Time) error {
	return r.walk(ctx, dueWalk{
		table: r.tables.conversations, age: "deleted_at", due: purgeDue(before)("deleted_at"), weight: "last_seq",
		do: func(ctx context.Context, sc scope, rows []*dueRow) (RetentionResult, error) {
			n, err := sc.eraseWhere(ctx, sc.stillDue(rows, "deleted_at", purgeDue(before)))
			return RetentionResult{Purged: n}, err
		},
	})
}

// purgeParts removes the rows of a table that were deleted by themselves.
func (r *retention) purgeParts(ctx context.Context, table string, before time.Time,
	remove func(sc scope, ctx context.Context, ids []uuid.UUID, before time.Time) (Counts, error),
) error {
	// A look-up for each row: there may be many more conversations than rows that are due.
	due := newQuery("deleted_at < ? AND (SELECT c.held_at FROM "+r.tables.conversations+
		" c WHERE c.id = t.conversation_id AND c.user_id = t.user_id", before)
	return r.walk(ctx, dueWalk{
		table: table, age: "deleted_at", due: r.owned(due, "c.").add(") IS NULL"), thread: "conversation_id", weight: "1",
		do: func(ctx context.Context, sc scope, rows []*dueRow) (res RetentionResult, err error) {
			err = sc.transaction(ctx, func(tx *store) error {
				in := sc.in(tx)
				ids, err := in.free(ctx, rows)
				if err != nil {
					return err
				}
				res.Purged, err = remove(in, ctx, ids, before)
				return err
			})
			return res, err
		},
	})
}

// free locks the conversations of rows, so that none is put on hold meanwhile, and
// returns the rows of those that are not.
func (sc scope) free(ctx context.Context, rows []*dueRow) ([]uuid.UUID, error) {
	var threads []uuid.UUID
	for _, r := range rows {
		threads = append(threads, r.thread)
	}
	type locked struct {
		id   uuid.UUID
		held bool
	}
	found, err := collect(session(ctx, sc.writer), sc.lockRows("id, held_at IS NOT NULL", sc.among("id", threads)),
		func(l *locked) []any { return []any{&l.id, &l.held} })
	if err != nil {
		return nil, err
	}
	held := map[uuid.UUID]bool{}
	for _, l := range found {
		held[l.id] = l.held
	}
	return rowIDs(slices.DeleteFunc(slices.Clone(rows), func(r *dueRow) bool { return held[r.thread] })), nil
}

func (sc scope) removeMessages(ctx context.Context, ids []uuid.UUID, before time.Time) (Counts, error) {
	doomed := sc.among("id", ids).add(" AND "+sc.dialect.Unindexed("deleted_at")+" < ?", before)
	in := func(q *query, column string) *query {
		return q.add(column + " IN (SELECT id FROM " + sc.tables.messages + " WHERE ").addQuery(doomed).add(")")
	}
	mine := func() *query { return newQuery(sc.dialect.Unindexed("user_id")+" = ? AND (", sc.user) }
	return sc.remove(ctx,
		in(mine(), "message_id").add(")"),
		in(in(mine(), "in_reply_to_message_id").add(" OR "), "sent_message_id").add(")"),
		doomed, nil)
}

func (sc scope) removeSuggestions(ctx context.Context, ids []uuid.UUID, before time.Time) (Counts, error) {
	return sc.remove(ctx, nil, sc.among("id", ids).add(" AND "+sc.dialect.Unindexed("deleted_at")+" < ?", before), nil, nil)
}
