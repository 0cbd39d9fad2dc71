package erase

import (
	"context"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// eraseBatch is how many conversations a statement takes at most.
const eraseBatch = 500

// Where erases the conversations that a condition names, which names the user as well,
// with all that is in them, in one transaction.
func Where(ctx context.Context, sc scope.Scope, which *query.Query) (counts store.Counts, err error) {
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		counts, err = erase(ctx, sc.In(tx), which)
		return err
	})
	return counts, err
}

// erase locks first, so that an append that comes between finds no conversation, and
// then removes from the leaves up; the cascades of the foreign keys would do the same
// without telling how much.
func erase(ctx context.Context, sc scope.Scope, which *query.Query) (counts store.Counts, err error) {
	ids, err := scope.ReadIDs(query.On(ctx, sc.Writer), sc.LockRows("id", which))
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

// Remove deletes by a condition for each table, nil for none, children before parents.
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
