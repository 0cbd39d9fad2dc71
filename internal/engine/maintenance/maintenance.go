// Package maintenance archives, deletes and erases conversations by age, lead or user, counts
// and removes orphaned rows, and runs VACUUM, ANALYZE and REINDEX on the library's tables. The
// order in which the rows of a conversation are removed stands in package erase.
package maintenance

import (
	"context"
	"time"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/streams"
	"github.com/convostore/convostore/store"
)

type maintenance struct{ sc scope.Scope }

// New returns the maintenance of the rows in sc.
func New(sc scope.Scope) store.Maintenance { return maintenance{sc: sc} }

func (s maintenance) SweepStreams(ctx context.Context, olderThan time.Duration) (int64, error) {
	return streams.Sweep(ctx, s.sc, olderThan)
}

func (s maintenance) DeadStreams(ctx context.Context, olderThan time.Duration) (int64, error) {
	return streams.CountDead(ctx, s.sc, olderThan)
}
