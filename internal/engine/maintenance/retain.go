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

// The default and the maximum of RetentionPolicy.BatchSize.
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

// deadlines are the times before which rows are due for each step of a policy. A zero time
// leaves the step out.
type deadlines struct{ archive, delete, purge time.Time }

// deadlinesOf returns the deadlines of a run that begins now. Rows that become due during the
// run wait for the next run.
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
	r := retention{sc: s.sc, pageSize: defaultRetainBatch, progress: p.Progress}
	if p.BatchSize > 0 {
		r.pageSize = p.BatchSize
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
	r := retention{sc: s.sc, pageSize: defaultRetainBatch}
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
	r := retention{sc: s.sc, pageSize: defaultRetainBatch}
	err := r.purge(ctx, message.Instant(t))
	return r.result.Purged, query.Wrap("purge", err)
}

// dueCondition returns the condition that a row is due, with age as the expression for the
// column that tells its age. It is used twice: with the plain column to check picked rows
// again, which are found by their ids, and with the condition for the index to pick a page.
type dueCondition func(age string) *query.Query

func archiveDue(before time.Time) dueCondition {
	return func(age string) *query.Query {
		return deleteDue(before)(age).Add(" AND " + scope.StatusIs(conversation.OpenStatuses()))
	}
}

func deleteDue(before time.Time) dueCondition {
	return func(age string) *query.Query {
		return query.New(age+" < ? AND deleted_at IS NULL AND "+scope.NotHeld, before)
	}
}

func purgeDue(before time.Time) dueCondition {
	return func(age string) *query.Query { return query.New(age+" < ? AND "+scope.NotHeld, before) }
}

// quietSince adds to the condition of a conversation that had its last message before a time
// what the index by the bucket needs to find it.
func quietSince(due *query.Query, before time.Time) *query.Query {
	return due.Add(" AND activity_bucket <= ?", scope.Bucket(before))
}

// stillDue is the condition for those of the picked rows that are still due.
func stillDue(sc scope.Scope, rows []*dueRow, age string, d dueCondition) *query.Query {
	return sc.Among("id", rowIDs(rows)).And(d(sc.Dialect.Unindexed(age)))
}

// retention is one run, with the sum of what its batches have done.
type retention struct {
	sc       scope.Scope
	pageSize int
	progress func(store.RetentionResult)
	result   store.RetentionResult
}

// run purges, then deletes, then archives. In this order no step processes what another step of
// the same run has done.
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
		table: r.sc.Tables.Conversations, age: "last_message_at", bucket: "activity_bucket", due: quietSince(archiveDue(before)("last_message_at"), before), weight: "0",
		do: func(ctx context.Context, sc scope.Scope, rows []*dueRow) (store.RetentionResult, error) {
			n, err := updateDue(ctx, sc, rows, query.New("status = ?", conversation.StatusArchived), archiveDue(before))
			return store.RetentionResult{Archived: n}, err
		},
	})
}

func (r *retention) delete(ctx context.Context, before time.Time) error {
	return r.walk(ctx, dueWalk{
		table: r.sc.Tables.Conversations, age: "last_message_at", bucket: "activity_bucket", due: quietSince(deleteDue(before)("last_message_at"), before), weight: "0",
		do: func(ctx context.Context, sc scope.Scope, rows []*dueRow) (store.RetentionResult, error) {
			n, err := updateDue(ctx, sc, rows, query.New("deleted_at = ?", r.sc.Instant()), deleteDue(before))
			return store.RetentionResult{Deleted: n}, err
		},
	})
}

// updateDue updates those of the conversations that are still due. It leaves out a conversation
// that got a message or was put on hold since it was picked. It locks in the order of the ids,
// as every lock of several conversations does.
func updateDue(ctx context.Context, sc scope.Scope, rows []*dueRow, assign *query.Query, d dueCondition) (n int64, err error) {
	condition := stillDue(sc, rows, "last_message_at", d)
	err = sc.Transaction(ctx, func(tx *scope.Store) error {
		db := query.On(ctx, tx.Writer)
		if sc.Dialect.ForUpdate() != "" {
			if _, err := scope.ReadIDs(db, sc.LockRows("id", condition)); err != nil {
				return err
			}
		}
		n, err = query.New("UPDATE "+sc.Tables.Conversations+" SET ").Append(assign).
			Add(", updated_at = ? WHERE ", sc.Instant()).Append(condition).Exec(db)
		return err
	})
	return n, err
}
