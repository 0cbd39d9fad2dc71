package maintenance

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// maxErase is the most messages that one transaction erases, unless a single conversation has
// more. On SQLite, where the full-text indexes are the slowest part, that takes some tenths of
// a second, in which nobody else can write.
const maxErase = 5000

// dueWalk describes the way through the due rows of a table, oldest first.
type dueWalk struct {
	table string
	// age is the column that tells the age of a row. An index has it in order, or has bucket,
	// the column with the bucket of age.
	age, bucket string
	due         *query.Query
	// conversation is the column with the conversation's id, "id" if empty. weight is the
	// number of messages that are erased with a row.
	conversation, weight string
	// do processes a batch of one user's rows. Some of them may no longer be due.
	do func(ctx context.Context, sc scope.Scope, rows []*dueRow) (store.RetentionResult, error)
}

// dueRow is a row that was due when it was picked.
type dueRow struct {
	scope.OwnedID
	at           time.Time
	conversation uuid.UUID
	weight       int64
}

func rowIDs(rows []*dueRow) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}

// walk processes everything that is due, page by page. The next page begins at the time of the
// last row, not after it, because more rows may have that time than fit on a page. Rows that
// were processed are no longer due, and neither are rows that somebody else processed or put on
// hold. Pages at the same time without any progress therefore come to an end; if they do not,
// walk stops after scope.MaxTries of them.
func (r *retention) walk(ctx context.Context, w dueWalk) error {
	var from time.Time
	for idle := 0; idle < scope.MaxTries; {
		page, err := r.pick(ctx, w, from)
		if err != nil || len(page) == 0 {
			return err
		}
		before, at := r.result, page[len(page)-1].at
		for _, batch := range batches(page) {
			if err := r.process(ctx, w, batch); err != nil {
				return err
			}
		}
		if r.result == before && at.Equal(from) {
			idle++
		} else {
			idle = 0
		}
		from = at
	}
	return nil
}

// pick reads a page of the oldest due rows, from the given time on, without locking them.
func (r *retention) pick(ctx context.Context, w dueWalk, from time.Time) (page []*dueRow, err error) {
	conversation := w.conversation
	if conversation == "" {
		conversation = "id"
	}
	q := query.New("SELECT id, user_id, " + w.age + ", " + conversation + ", " + w.weight + " FROM " + w.table + " AS t WHERE ").Append(w.due)
	order := w.age
	if w.bucket != "" {
		order = w.bucket + ", " + w.age
	}
	if !from.IsZero() {
		q.Add(" AND "+w.age+" >= ?", from)
	}
	if !from.IsZero() && w.bucket != "" {
		q.Add(" AND "+w.bucket+" >= ?", scope.Bucket(from))
	}
	r.sc.Owned(q, "").Add(" ORDER BY "+order+" LIMIT ?", r.pageSize)
	err = r.sc.Store.Retry(ctx, func() (err error) {
		page, err = query.All(query.On(ctx, r.sc.Writer), q, func(row *dueRow) []any {
			return []any{&row.ID, &row.User, (*record.Instant)(&row.at), &row.conversation, &row.weight}
		})
		return err
	})
	return page, err
}

// process runs one batch, and reports the progress.
func (r *retention) process(ctx context.Context, w dueWalk, rows []*dueRow) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	did, err := w.do(ctx, r.sc.As(rows[0].User), rows)
	if err != nil {
		return err
	}
	r.result.Archived += did.Archived
	r.result.Deleted += did.Deleted
	r.result.Purged = r.result.Purged.Add(did.Purged)
	if r.progress != nil {
		r.progress(r.result)
	}
	return nil
}

// batches cuts a page into batches of one user each, with a weight of at most maxErase, unless
// the first row alone has more.
func batches(page []*dueRow) (all [][]*dueRow) {
	type open struct {
		index  int
		weight int64
	}
	users := map[uuid.UUID]open{}
	for _, row := range page {
		b, ok := users[row.User]
		if !ok || b.weight+row.weight > maxErase {
			b = open{index: len(all)}
			all = append(all, nil)
		}
		all[b.index] = append(all[b.index], row)
		b.weight += row.weight
		users[row.User] = b
	}
	return all
}
