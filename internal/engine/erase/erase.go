// Package erase deletes conversations for good, with everything in them: messages,
// suggestions and embeddings. Which rows are due is up to the callers: threads erases one
// conversation, maintenance those of a lead, of a user or past their retention.
package erase

import (
	"context"

	"github.com/convostore/convostore/internal/engine/query"
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
		theirs := sc.Among("conversation_id", part)
		one, err := Remove(ctx, sc, theirs, theirs, theirs, sc.Among("id", part))
		if err != nil {
			return counts, err
		}
		counts = counts.Add(one)
	}
	return counts, nil
}

// Remove deletes the rows of each table that match its condition, children before parents,
// and returns their numbers. A nil condition skips the table. The caller runs it in a
// transaction.
func Remove(ctx context.Context, sc scope.Scope, embeddings, suggestions, messages, conversations *query.Query) (counts store.Counts, err error) {
	defer sc.Erasures.Add(1)
	db := query.On(ctx, sc.Writer)
	steps := []struct {
		table string
		where *query.Query
		count *int64
	}{
		{sc.Tables.Embeddings, embeddings, &counts.Embeddings},
		{sc.Tables.Suggestions, suggestions, &counts.Suggestions},
		{sc.Tables.Messages, messages, &counts.Messages},
		{sc.Tables.Conversations, conversations, &counts.Conversations},
	}
	for _, st := range steps {
		if st.where == nil {
			continue
		}
		q := query.New("DELETE FROM " + st.table + " WHERE ").Append(st.where)
		if *st.count, err = q.Exec(db); err != nil {
			return counts, err
		}
	}
	return counts, nil
}
