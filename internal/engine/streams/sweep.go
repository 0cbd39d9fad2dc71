package streams

import (
	"context"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// sweepPage is how many messages a sweep reads at once.
const sweepPage = 500

// Sweep interrupts the messages of a scope whose writer was not seen for olderThan, and counts
// them.
func Sweep(ctx context.Context, sc scope.Scope, olderThan time.Duration) (swept int64, err error) {
	if olderThan < 0 {
		return 0, rule.Invalid("older_than", "is negative")
	}
	if _, err := sc.Writing(ctx); err != nil {
		return 0, err
	}
	for _, dead := range dead(sc.Instant().Add(-olderThan)) {
		n, err := sweep(ctx, sc, dead)
		if swept += n; err != nil {
			return swept, query.Wrap("sweep streams", err)
		}
	}
	return swept, nil
}

// CountDead counts what Sweep would end.
func CountDead(ctx context.Context, sc scope.Scope, olderThan time.Duration) (total int64, err error) {
	if olderThan < 0 {
		return 0, rule.Invalid("older_than", "is negative")
	}
	db, err := sc.Reading(ctx)
	if err != nil {
		return 0, err
	}
	for _, dead := range dead(sc.Instant().Add(-olderThan)) {
		n := int64(0)
		q := query.New("SELECT count(*) FROM " + sc.Tables.Messages + " WHERE state = 'streaming'").Append(dead)
		if _, err := sc.Owned(q, "").Row(db, &n); err != nil {
			return 0, query.Wrap("count dead streams", err)
		}
		total += n
	}
	return total, nil
}

// dead are the conditions of messages whose writer was not seen since before. They are two and not
// one, so that each is a range of the index: a message that a host wrote itself may have no
// heartbeat. A flush that spares the heartbeat sets updated_at.
func dead(before time.Time) []*query.Query {
	return []*query.Query{
		query.New(" AND heartbeat_at <= ? AND updated_at <= ?", before, before),
		query.New(" AND heartbeat_at IS NULL AND updated_at <= ?", before),
	}
}

func sweep(ctx context.Context, sc scope.Scope, dead *query.Query) (swept int64, err error) {
	q := query.New("SELECT id, user_id FROM " + sc.Tables.Messages + " WHERE state = 'streaming'").Append(dead)
	sc.Owned(q, "").Add(" LIMIT ?", sweepPage)
	for {
		page, err := query.All(query.On(ctx, sc.Writer), q, func(o *scope.OwnedID) []any { return []any{&o.ID, &o.User} })
		if err != nil {
			return swept, err
		}
		before := swept
		for _, row := range page {
			err := sc.As(row.User).Shared(ctx, func(tx *scope.Store) error {
				in := sc.As(row.User).In(tx)
				return end(ctx, in, row.ID, interrupt(in, store.FinishAbandoned), dead, false)
			})
			if err == nil {
				swept++
			} else if !isAbsent(err) { // somebody else has ended it, or its writer is back
				return swept, err
			}
		}
		sc.Noted(ctx, int(swept-before), 0)
		if len(page) < sweepPage || swept == before {
			return swept, nil
		}
	}
}
