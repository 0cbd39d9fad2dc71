package embeddings

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
)

// writeVectors writes the vectors of items that were not edited meanwhile and are still claimed,
// deletes the claims and failures of all items, and returns how many vectors it wrote.
func (j *embedJob) writeVectors(ctx context.Context, items []embedItem) (written int, err error) {
	err = j.finish(ctx, items, func() { written = 0 }, func(sc scope.Scope, current []embedItem) error {
		rows := make([]vectorRow, len(current))
		var failed []scope.OwnedID
		for i, it := range current {
			if rows[i] = it.vectorRow; it.failures > 0 {
				failed = append(failed, it.OwnedID)
			}
		}
		if len(failed) > 0 {
			if _, err := forget(ctx, sc, j.model, failed, ""); err != nil {
				return err
			}
		}
		ids, err := upsertVectors(ctx, sc, j.model, rows)
		written += len(ids)
		return err
	})
	return written, err
}

// writeFailures counts a failure of items that were not edited meanwhile and are still claimed,
// deletes the claims of all items, and returns how many it counted and how many messages are set
// aside thereby.
func (j *embedJob) writeFailures(ctx context.Context, items []embedItem, reasons map[scope.OwnedID]error) (counted, aside int, err error) {
	err = j.finish(ctx, items, func() { counted, aside = 0, 0 }, func(sc scope.Scope, current []embedItem) error {
		failed := make([]failure, len(current))
		for i, it := range current {
			failed[i] = failure{it, reasons[it.OwnedID]}
		}
		n, err := j.upsertFailures(sc, query.On(ctx, sc.Writer), failed)
		counted, aside = counted+len(current), aside+n
		return err
	})
	return counted, aside, err
}

// finish ends the claims of items in a transaction, in which it calls write for each user with
// those that were not edited meanwhile and were still claimed, if there are any. It calls begin
// each time that the transaction begins. It locks the messages before the claims, as an edit
// does, so that the two cannot deadlock.
func (j *embedJob) finish(ctx context.Context, items []embedItem, begin func(), write func(scope.Scope, []embedItem) error) error {
	return j.sc.Store.Transaction(ctx, func(tx *scope.Store) error {
		begin()
		for user, batch := range byOwner(items, func(it embedItem) scope.OwnedID { return it.OwnedID }) {
			sc := j.sc.As(user).In(tx)
			sc.NoteWrite(ctx, sc.Whose())
			current, err := j.lockUnchanged(ctx, sc, batch)
			if err != nil {
				return err
			}
			q := j.claimsOf(query.New("DELETE FROM "+j.sc.Tables.Claims+" WHERE "), sc.User, keysOfItems(batch))
			claimed, err := scope.ReadIDs(query.On(ctx, sc.Writer), q.Add(" RETURNING message_id"))
			if err != nil {
				return err
			}
			current = slices.DeleteFunc(current, func(it embedItem) bool { return !slices.Contains(claimed, it.ID) })
			if len(current) == 0 {
				continue
			}
			if err := write(sc, current); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockUnchanged locks the messages against edits and returns those that are live and were not
// edited since readItems.
func (j *embedJob) lockUnchanged(ctx context.Context, sc scope.Scope, items []embedItem) (unchanged []embedItem, err error) {
	q := query.In(query.New("SELECT id, edited_at FROM "+sc.Tables.Messages+" WHERE user_id = ?", sc.User), " AND id", IDsOf(keysOfItems(items))).
		Add(" AND deleted_at IS NULL AND state <> 'streaming' ORDER BY id" + sc.Dialect.LockShare(""))
	type version struct {
		id     uuid.UUID
		edited *time.Time
	}
	found, err := query.All(query.On(ctx, sc.Writer), q, func(v *version) []any { return []any{&v.id, record.NullInstant{Dest: &v.edited}} })
	if err != nil {
		return nil, err
	}
	current := make(map[uuid.UUID]*time.Time, len(found))
	for _, v := range found {
		current[v.id] = v.edited
	}
	for _, it := range items {
		if edited, ok := current[it.ID]; ok && sameTime(edited, it.edited) {
			unchanged = append(unchanged, it)
		}
	}
	return unchanged, nil
}
