package maintenance

import (
	"context"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Bounds of RetentionPolicy.BatchSize, and what it is if nothing is said.
const defaultRetainBatch, maxRetainBatch = 500, 10_000

func checkPolicy(p store.RetentionPolicy) error {
	for _, step := range []struct {
		field string
		after time.Duration
	}{
		{"archive_after", p.ArchiveAfter}, {"delete_after", p.DeleteAfter}, {"purge_after", p.PurgeAfter},
	} {
		if step.after < 0 {
			return rule.Invalid(step.field, "is negative")
		}
	}
	switch {
	case p.ArchiveAfter == 0 && p.DeleteAfter == 0 && p.PurgeAfter == 0:
		return rule.Invalid("policy", "has no step; set archive_after, delete_after or purge_after")
	case p.DeleteAfter > 0 && p.DeleteAfter < p.ArchiveAfter:
		return rule.Invalid("delete_after", "is below archive_after")
	case p.BatchSize < 0 || p.BatchSize > maxRetainBatch:
		return rule.Invalid("batch_size", "is not between 1 and %d", maxRetainBatch)
	}
	return nil
}

// deadlines are the times before which a step of a policy takes rows; zero leaves the
// step out.
type deadlines struct{ archive, delete, purge time.Time }

// deadlinesOf are fixed for a run: what becomes due meanwhile waits for the next one.
func deadlinesOf(p store.RetentionPolicy, now time.Time) deadlines {
	before := func(after time.Duration) time.Time {
		if after == 0 {
			return time.Time{}
		}
		return message.Instant(now.Add(-after))
	}
	return deadlines{archive: before(p.ArchiveAfter), delete: before(p.DeleteAfter), purge: before(p.PurgeAfter)}
}

func (s maintenance) Retain(ctx context.Context, p store.RetentionPolicy) (store.RetentionResult, error) {
	if err := checkPolicy(p); err != nil {
		return store.RetentionResult{}, err
	}
	if p.DryRun {
		res, err := s.countDue(ctx, deadlinesOf(p, s.sc.Instant()))
		return res, query.Wrap("count what is due", err)
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return store.RetentionResult{}, err
	}
	r := retention{sc: s.sc, size: defaultRetainBatch, progress: p.Progress}
	if p.BatchSize > 0 {
		r.size = p.BatchSize
	}
	err := r.run(ctx, deadlinesOf(p, s.sc.Instant()))
	return r.result, query.Wrap("retain", err)
}

func (s maintenance) ArchiveInactive(ctx context.Context, t time.Time) (int64, error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return 0, err
	}
	if err := check.Time("t", t); err != nil {
		return 0, err
	}
	r := retention{sc: s.sc, size: defaultRetainBatch}
	err := r.archive(ctx, message.Instant(t))
	return r.result.Archived, query.Wrap("archive inactive conversations", err)
}

func (s maintenance) Purge(ctx context.Context, t time.Time) (store.Counts, error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return store.Counts{}, err
	}
	if err := check.Time("t", t); err != nil {
		return store.Counts{}, err
	}
	r := retention{sc: s.sc, size: defaultRetainBatch}
	err := r.purge(ctx, message.Instant(t))
	return r.result.Purged, query.Wrap("purge", err)
}

// due is a condition of what is due. It picks a batch, by an index of the column that says
// how old a row is, and guards it when its turn comes, when ids find the rows.
type due func(age string) *query.Query

func archiveDue(before time.Time) due {
	return func(age string) *query.Query {
		return query.New(age+" < ? AND deleted_at IS NULL AND "+scope.NotHeld+" AND "+scope.StatusIs(conversation.OpenStatuses()), before)
	}
}

func deleteDue(before time.Time) due {
	return func(age string) *query.Query {
		return query.New(age+" < ? AND deleted_at IS NULL AND "+scope.NotHeld, before)
	}
}

func purgeDue(before time.Time) due {
	return func(age string) *query.Query { return query.New(age+" < ? AND "+scope.NotHeld, before) }
}

// stillDue are those of the rows that are due now.
func stillDue(sc scope.Scope, rows []*dueRow, age string, d due) *query.Query {
	return sc.Among("id", rowIDs(rows)).And(d(sc.Dialect.Unindexed(age)))
}

// retention is one run: its batches and what they did.
type retention struct {
	sc       scope.Scope
	size     int
	progress func(store.RetentionResult)
	result   store.RetentionResult
}

// run goes from the last step of a conversation's life to the first, so that what a step
// does is not taken further by the next one.
func (r *retention) run(ctx context.Context, d deadlines) error {
	for _, step := range []struct {
		before time.Time
		do     func(context.Context, time.Time) error
	}{
		{d.purge, r.purge}, {d.delete, r.delete}, {d.archive, r.archive},
	} {
		if step.before.IsZero() {
			continue
		}
		if err := step.do(ctx, step.before); err != nil {
			return err
		}
	}
	return nil
}

func (r *retention) archive(ctx context.Context, before time.Time) error {
	return r.walk(ctx, dueWalk{
		table: r.sc.Tables.Conversations, age: "last_message_at", due: archiveDue(before)("last_message_at"), weight: "0",
		do: func(ctx context.Context, sc scope.Scope, rows []*dueRow) (store.RetentionResult, error) {
			n, err := mark(ctx, sc, rows, query.New("status = ?", conversation.StatusArchived), archiveDue(before))
			return store.RetentionResult{Archived: n}, err
		},
	})
}

func (r *retention) delete(ctx context.Context, before time.Time) error {
	return r.walk(ctx, dueWalk{
		table: r.sc.Tables.Conversations, age: "last_message_at", due: deleteDue(before)("last_message_at"), weight: "0",
		do: func(ctx context.Context, sc scope.Scope, rows []*dueRow) (store.RetentionResult, error) {
			n, err := mark(ctx, sc, rows, query.New("deleted_at = ?", r.sc.Instant()), deleteDue(before))
			return store.RetentionResult{Deleted: n}, err
		},
	})
}

// mark updates those rows that are still due: what was appended to or put on hold since
// they were picked is left alone. It locks in the order of ids, as every lock of many
// conversations does.
func mark(ctx context.Context, sc scope.Scope, rows []*dueRow, assign *query.Query, d due) (n int64, err error) {
	which := stillDue(sc, rows, "last_message_at", d)
	err = sc.Transaction(ctx, func(tx *scope.Store) error {
		db := query.On(ctx, tx.Writer)
		if sc.Dialect.ForUpdate() != "" {
			if _, err := scope.ReadIDs(db, sc.LockRows("id", which)); err != nil {
				return err
			}
		}
		n, err = query.New("UPDATE "+sc.Tables.Conversations+" SET ").Append(assign).
			Add(", updated_at = ? WHERE ", sc.Instant()).Append(which).Exec(db)
		return err
	})
	return n, err
}
