package maintenance

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/erase"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/store"
)

// purge erases what was soft deleted before the given time: first whole conversations, then
// messages and suggestions that were deleted by themselves.
func (r *retention) purge(ctx context.Context, before time.Time) error {
	if err := r.purgeConversations(ctx, before); err != nil {
		return err
	}
	if err := r.purgeParts(ctx, r.sc.Tables.Messages, before, removeMessages); err != nil {
		return err
	}
	if err := r.purgeParts(ctx, r.sc.Tables.Suggestions, before, removeSuggestions); err != nil {
		return err
	}
	return r.sc.Transaction(ctx, func(tx *scope.Store) error { return textindex.Forget(ctx, r.sc.In(tx)) })
}

func (r *retention) purgeConversations(ctx context.Context, before time.Time) error {
	return r.walk(ctx, dueWalk{
		table: r.sc.Tables.Conversations, age: "deleted_at", due: purgeDue(before)("deleted_at"), weight: "last_seq",
		do: func(ctx context.Context, sc scope.Scope, rows []*dueRow) (store.RetentionResult, error) {
			n, err := erase.Batch(ctx, sc, stillDue(sc, rows, "deleted_at", purgeDue(before)))
			return store.RetentionResult{Purged: n}, err
		},
	})
}

// purgeParts erases the rows of a table that were soft deleted by themselves, in conversations
// that are not held.
func (r *retention) purgeParts(ctx context.Context, table string, before time.Time,
	remove func(ctx context.Context, sc scope.Scope, ids []uuid.UUID, before time.Time) (store.Counts, error),
) error {
	// A subquery for each row, because there may be many more conversations than due rows.
	due := query.New("deleted_at < ? AND (SELECT c.held_at FROM "+r.sc.Tables.Conversations+
		" c WHERE c.id = t.conversation_id AND c.user_id = t.user_id", before)
	return r.walk(ctx, dueWalk{
		table: table, age: "deleted_at", due: r.sc.Owned(due, "c.").Add(") IS NULL"), conversation: "conversation_id", weight: "1",
		do: func(ctx context.Context, sc scope.Scope, rows []*dueRow) (res store.RetentionResult, err error) {
			err = sc.Transaction(ctx, func(tx *scope.Store) error {
				in := sc.In(tx)
				ids, err := notHeld(ctx, in, rows)
				if err != nil {
					return err
				}
				res.Purged, err = remove(ctx, in, ids, before)
				return err
			})
			return res, err
		},
	})
}

// notHeld locks the conversations of rows, so that no hold can be set before the transaction
// ends, and returns the ids of the rows whose conversation is not held.
func notHeld(ctx context.Context, sc scope.Scope, rows []*dueRow) ([]uuid.UUID, error) {
	var conversations []uuid.UUID
	for _, r := range rows {
		conversations = append(conversations, r.conversation)
	}
	type locked struct {
		id   uuid.UUID
		held bool
	}
	found, err := query.All(query.On(ctx, sc.Writer), sc.LockRows("id, held_at IS NOT NULL", sc.Among("id", conversations)),
		func(l *locked) []any { return []any{&l.id, &l.held} })
	if err != nil {
		return nil, err
	}
	held := map[uuid.UUID]bool{}
	for _, l := range found {
		held[l.id] = l.held
	}
	return rowIDs(slices.DeleteFunc(slices.Clone(rows), func(r *dueRow) bool { return held[r.conversation] })), nil
}

// removeMessages erases those of the messages that are still due, with everything that
// belongs to them and with the suggestions that answer them or were sent as them.
func removeMessages(ctx context.Context, sc scope.Scope, ids []uuid.UUID, before time.Time) (store.Counts, error) {
	condition := sc.Among("id", ids).Add(" AND "+sc.Dialect.Unindexed("deleted_at")+" < ?", before)
	if err := erase.JoinPaths(ctx, sc, condition); err != nil {
		return store.Counts{}, err
	}
	in := func(q *query.Query, column string) *query.Query {
		return q.Add(column + " IN (SELECT id FROM " + sc.Tables.Messages + " WHERE ").Append(condition).Add(")")
	}
	ofUser := query.New(sc.Dialect.Unindexed("user_id")+" = ? AND (", sc.User)
	return erase.Remove(ctx, sc, erase.Conditions{
		record.Suggestions: in(in(ofUser, "in_reply_to_message_id").Add(" OR "), "sent_message_id").Add(")"),
		record.Messages:    condition,
	}.WithChildren(sc))
}

// removeSuggestions erases those of the suggestions that are still due.
func removeSuggestions(ctx context.Context, sc scope.Scope, ids []uuid.UUID, before time.Time) (store.Counts, error) {
	return erase.Remove(ctx, sc, erase.Conditions{
		record.Suggestions: sc.Among("id", ids).Add(" AND "+sc.Dialect.Unindexed("deleted_at")+" < ?", before),
	})
}
