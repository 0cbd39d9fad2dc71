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

// eraseMessages is how many messages a transaction erases at most, unless a single
// conversation has more: on SQLite, whose indexes of words are the slowest part, that is
// some tenths of a second in which nobody else writes.
const eraseMessages = 5000

// dueWalk is a way through a table, the oldest rows first.
type dueWalk struct {
	table string
	// age is the column that says how old a row is, and that an index has in order.
	age string
	due *query.Query
	// thread is the column of the conversation, weight how many messages go with a row.
	thread, weight string
	// do takes a batch of one user's, and may find less of it due than was picked.
	do func(ctx context.Context, sc scope.Scope, rows []*dueRow) (store.RetentionResult, error)
}

// dueRow is a row that was due when it was picked.
type dueRow struct {
	scope.OwnedID
	at     time.Time
	thread uuid.UUID
	weight int64
}

func rowIDs(rows []*dueRow) []uuid.UUID {
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}

// walk takes everything that is due, page by page. Where a page ended, the next one
// begins: at the same time again, of which there may be more rows than one page has. What
// was done is not due any more, and what others did or saved meanwhile is not either, so
// that pages without anything to do at one and the same time come to an end; should they
// not, the walk does.
func (r *retention) walk(ctx context.Context, w dueWalk) error {
	var from time.Time
	for idle := 0; idle < scope.MaxTries; {
		page, err := r.pick(ctx, w, from)
		if err != nil || len(page) == 0 {
			return err
		}
		before, at := r.result, page[len(page)-1].at
		for _, batch := range batches(page) {
			if err := r.batch(ctx, w, batch); err != nil {
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

// pick reads the oldest rows that are due, without a lock.
func (r *retention) pick(ctx context.Context, w dueWalk, from time.Time) (page []*dueRow, err error) {
	thread := w.thread
	if thread == "" {
		thread = "id"
	}
	q := query.New("SELECT id, user_id, " + w.age + ", " + thread + ", " + w.weight + " FROM " + w.table + " AS t WHERE ").Append(w.due)
	if !from.IsZero() {
		q.Add(" AND "+w.age+" >= ?", from)
	}
	r.sc.Owned(q, "").Add(" ORDER BY "+w.age+" LIMIT ?", r.size)
	err = r.sc.Store.Retry(ctx, func() (err error) {
		page, err = query.All(query.On(ctx, r.sc.Writer), q, func(row *dueRow) []any {
			return []any{&row.ID, &row.User, (*record.Instant)(&row.at), &row.thread, &row.weight}
		})
		return err
	})
	return page, err
}

func (r *retention) batch(ctx context.Context, w dueWalk, rows []*dueRow) error {
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

// batches are the rows of a page, each batch one user's and no heavier than
// eraseMessages, unless its first row alone is.
func batches(page []*dueRow) (all [][]*dueRow) {
	type filling struct {
		at     int
		weight int64
	}
	users := map[uuid.UUID]filling{}
	for _, row := range page {
		f, ok := users[row.User]
		if !ok || f.weight+row.weight > eraseMessages {
			f = filling{at: len(all)}
			all = append(all, nil)
		}
		all[f.at] = append(all[f.at], row)
		f.weight += row.weight
		users[row.User] = f
	}
	return all
}
