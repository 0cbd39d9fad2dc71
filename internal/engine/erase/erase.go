// Package erase deletes conversations for good, with everything in them: messages,
// suggestions and embeddings. Which rows are due is up to the callers: threads erases one
// conversation, maintenance those of a lead, of a user or past their retention.
package erase

import (
	"context"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// eraseBatch is the largest number of conversations that one statement deletes.
const eraseBatch = 500

// Where erases the conversations that match a condition, with everything in them, in one
// transaction or in a savepoint, and returns the number of deleted rows of each table. The
// condition includes the user. If nothing matches, the counts are zero.
func Where(ctx context.Context, sc scope.Scope, condition *query.Query) (counts store.Counts, err error) {
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
	for len(ids) > 0 {
		part := ids[:min(eraseBatch, len(ids))]
		ids = ids[len(part):]
		inPart := sc.Among("conversation_id", part)
		one, err := Remove(ctx, sc, Conditions{
			record.Embeddings: inPart, record.Suggestions: inPart, record.Messages: inPart,
			record.Conversations: sc.Among("id", part),
		})
		if err != nil {
			return counts, err
		}
		counts = counts.Add(one)
	}
	return counts, nil
}

// Conditions says which rows of a table to remove. A table without a condition keeps its rows.
type Conditions map[*record.Table]*query.Query

// Remove deletes rows, children before parents, and returns how many of each table. It must
// run in a transaction: after an error, rows of some tables are deleted already.
func Remove(ctx context.Context, sc scope.Scope, conditions Conditions) (counts store.Counts, err error) {
	defer sc.Erasures.Add(1)
	db := query.On(ctx, sc.Writer)
	for _, table := range slices.Backward(record.Tables()) {
		condition := conditions[table]
		if condition == nil {
			continue
		}
		n, err := query.New("DELETE FROM " + sc.Tables.Of(table) + " WHERE ").Append(condition).Exec(db)
		if err != nil {
			return counts, err
		}
		if table.Count != nil {
			*table.Count(&counts) = n
		}
	}
	return counts, nil
}
