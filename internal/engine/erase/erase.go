// Package erase deletes conversations and messages for good, with everything that belongs to
// them, in whatever table record.Tables has. Which rows are due is up to the callers: threads erases one
// conversation, maintenance those of a lead, of a user or past their retention.
package erase

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/store"
)

// eraseBatch is the largest number of conversations that one statement deletes.
const eraseBatch = 500

// Where erases the conversations that match a condition, with everything in them and their words
// in the index, in one transaction or in a savepoint, and returns the number of deleted rows of
// each table. The condition includes the user. If nothing matches, the counts are zero.
func Where(ctx context.Context, sc scope.Scope, condition *query.Query) (counts store.Counts, err error) {
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		in := sc.In(tx)
		if counts, err = erase(ctx, in, condition); err != nil || counts.Total() == 0 {
			return err
		}
		return textindex.Forget(ctx, in)
	})
	return counts, err
}

// Batch is Where for one of many batches, which leaves the words to one textindex.Pack after the
// last: each time, segments are written anew.
func Batch(ctx context.Context, sc scope.Scope, condition *query.Query) (counts store.Counts, err error) {
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		counts, err = erase(ctx, sc.In(tx), condition)
		return err
	})
	return counts, err
}

// erase locks the conversations, so that a concurrent append waits and then finds none, and
// deletes children before parents. The foreign keys would cascade the delete as well, but
// would not tell how many rows it took.
func erase(ctx context.Context, sc scope.Scope, condition *query.Query) (counts store.Counts, err error) {
	ids, err := scope.ReadIDs(query.On(ctx, sc.Writer), sc.LockRows("id", condition))
	if err != nil {
		return counts, err
	}
	if ids, err = withMerged(ctx, sc, ids); err != nil {
		return counts, err
	}
	for len(ids) > 0 {
		part := ids[:min(eraseBatch, len(ids))]
		ids = ids[len(part):]
		one, err := Remove(ctx, sc, everythingIn(sc, part))
		if err != nil {
			return counts, err
		}
		counts = counts.Add(one)
	}
	return counts, nil
}

// withMerged adds the conversations that were merged into some, and locks them: nothing points to
// what is gone, and what is left of them is of the same correspondence.
func withMerged(ctx context.Context, sc scope.Scope, ids []uuid.UUID) ([]uuid.UUID, error) {
	all := slices.Clone(ids)
	for part := range slices.Chunk(ids, eraseBatch) {
		in, arg := sc.Dialect.InUUIDs("merged_into_id", part)
		merged, err := scope.ReadIDs(query.On(ctx, sc.Writer), sc.LockRows("id", query.New(in+" AND merged_into_id IS NOT NULL AND "+sc.Dialect.Unindexed("user_id")+" = ?", arg, sc.User)))
		if err != nil {
			return nil, err
		}
		all = append(all, merged...)
	}
	slices.SortFunc(all, scope.CompareIDs)
	return slices.Compact(all), nil
}

// Conditions says which rows of a table to remove. A table without a condition keeps its rows.
type Conditions map[*record.Table]*query.Query

// everythingIn returns the conditions of conversations and of all that is in them. Where a table
// has the id of the conversation, the condition takes it; the others are found by their parent.
func everythingIn(sc scope.Scope, ids []uuid.UUID) Conditions {
	in := sc.Among("conversation_id", ids)
	conditions := Conditions{record.Conversations: sc.Among("id", ids), record.Embeddings: in}
	for _, table := range record.Tables() {
		if table.Parent == record.Conversations {
			conditions[table] = in
		}
	}
	return conditions.WithChildren(sc)
}

// WithChildren adds the rows whose parent is to be removed, for each table that has no condition
// yet, so that nothing is left behind where foreign keys are not in force. It changes c.
func (c Conditions) WithChildren(sc scope.Scope) Conditions {
	for _, table := range record.Tables() {
		if c[table] == nil && table.Parent != nil && c[table.Parent] != nil {
			c[table] = query.New(table.ParentKey+" IN (SELECT id FROM "+sc.Tables.Of(table.Parent)+" WHERE ").
				Append(c[table.Parent]).Add(") AND "+sc.Dialect.Unindexed("user_id")+" = ?", sc.User)
		}
	}
	return c
}
