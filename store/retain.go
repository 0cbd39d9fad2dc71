package store

import (
	"context"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Bounds of RetentionPolicy.BatchSize, and what it is if nothing is said.
const defaultRetainBatch, maxRetainBatch = 500, 10_000

func (p RetentionPolicy) check() error {
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

// deadlines are fixed for a run: what becomes due meanwhile waits for the next one.
func (p RetentionPolicy) deadlines(now time.Time) deadlines {
	before := func(after time.Duration) time.Time {
		if after == 0 {
			return time.Time{}
		}
		return message.Instant(now.Add(-after))
	}
	return deadlines{archive: before(p.ArchiveAfter), delete: before(p.DeleteAfter), purge: before(p.PurgeAfter)}
}

func (s maintenance) Retain(ctx context.Context, p RetentionPolicy) (RetentionResult, error) {
	if err := p.check(); err != nil {
		return RetentionResult{}, err
	}
	if p.DryRun {
		res, err := s.countDue(ctx, p.deadlines(s.instant()))
		return res, fail("count what is due", err)
	}
	if _, err := s.writing(ctx); err != nil {
		return RetentionResult{}, err
	}
	r := retention{scope: s.scope, size: defaultRetainBatch, progress: p.Progress}
	if p.BatchSize > 0 {
		r.size = p.BatchSize
	}
	err := r.run(ctx, p.deadlines(s.instant()))
	return r.result, fail("retain", err)
}

func (s maintenance) ArchiveInactive(ctx context.Context, t time.Time) (int64, error) {
	if _, err := s.writing(ctx); err != nil {
		return 0, err
	}
	if err := check.Time("t", t); err != nil {
		return 0, err
	}
	r := retention{scope: s.scope, size: defaultRetainBatch}
	err := r.archive(ctx, message.Instant(t))
	return r.result.Archived, fail("archive inactive conversations", err)
}

func (s maintenance) Purge(ctx context.Context, t time.Time) (Counts, error) {
	if _, err := s.writing(ctx); err != nil {
		return Counts{}, err
	}
	if err := check.Time("t", t); err != nil {
		return Counts{}, err
	}
	r := retention{scope: s.scope, size: defaultRetainBatch}
	err := r.purge(ctx, message.Instant(t))
	return r.result.Purged, fail("purge", err)
}

const notHeld = "held_at IS NULL"

// due is a condition of what is due. It picks a batch, by an index of the column that says
// how old a row is, and guards it when its turn comes, when ids find the rows.
type due func(age string) *query

func archiveDue(before time.Time) due {
	return func(age string) *query {
		return newQuery(age+" < ? AND deleted_at IS NULL AND "+notHeld+" AND "+statusIs(conversation.OpenStatuses()), before)
	}
}

func deleteDue(before time.Time) due {
	return func(age string) *query { return newQuery(age+" < ? AND deleted_at IS NULL AND "+notHeld, before) }
}

func purgeDue(before time.Time) due {
	return func(age string) *query { return newQuery(age+" < ? AND "+notHeld, before) }
}

// stillDue are those of the rows that are due now.
func (sc scope) stillDue(rows []*dueRow, age string, d due) *query {
	return sc.among("id", rowIDs(rows)).and(d(sc.dialect.Unindexed(age)))
}

// retention is one run: its batches and what they did.
type retention struct {
	scope
	size     int
	progress func(RetentionResult)
	result   RetentionResult
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
		table: r.tables.conversations, age: "last_message_at", due: archiveDue(before)("last_message_at"), weight: "0",
		do: func(ctx context.Context, sc scope, rows []*dueRow) (RetentionResult, error) {
			n, err := sc.mark(ctx, rows, newQuery("status = ?", conversation.StatusArchived), archiveDue(before))
			return RetentionResult{Archived: n}, err
		},
	})
}

func (r *retention) delete(ctx context.Context, before time.Time) error {
	return r.walk(ctx, dueWalk{
		table: r.tables.conversations, age: "last_message_at", due: deleteDue(before)("last_message_at"), weight: "0",
		do: func(ctx context.Context, sc scope, rows []*dueRow) (RetentionResult, error) {
			n, err := sc.mark(ctx, rows, newQuery("deleted_at = ?", r.instant()), deleteDue(before))
			return RetentionResult{Deleted: n}, err
		},
	})
}

// mark updates those rows that are still due: what was appended to or put on hold since
// they were picked is left alone. It locks in the order of ids, as every lock of many
// conversations does.
func (sc scope) mark(ctx context.Context, rows []*dueRow, assign *query, d due) (n int64, err error) {
	which := sc.stillDue(rows, "last_message_at", d)
	err = sc.transaction(ctx, func(tx *store) error {
		db := session(ctx, tx.writer)
		if sc.dialect.ForUpdate() != "" {
			if _, err := readIDs(db, sc.lockRows("id", which)); err != nil {
				return err
			}
		}
		n, err = newQuery("UPDATE "+sc.tables.conversations+" SET ").addQuery(assign).
			add(", updated_at = ? WHERE ", sc.instant()).addQuery(which).exec(db)
		return err
	})
	return n, err
}
