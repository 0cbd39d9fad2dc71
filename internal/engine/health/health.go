// Package health reports on the database itself: readiness, connection pools, table sizes,
// index usage, slow queries and damage. It reads whole tables and knows no tenant. What
// differs between the databases stands in probe_postgres.go and probe_sqlite.go.
package health

import (
	"cmp"
	"context"
	"slices"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

type health struct {
	st    *scope.Store
	pools []Pool
	probe probe
}

// New returns the health of st, whose connections come from pools. On a database without a
// probe every method that asks the database returns store.ErrUnsupported; engine.New does not
// get that far, since dialect.Of refuses such a database.
func New(st *scope.Store, pools []Pool) store.Health {
	return health{st: st, pools: pools, probe: probeOf(st)}
}

func (h health) TableSizes(ctx context.Context) ([]store.TableSize, error) {
	sizes, err := h.probe.tableSizes(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(sizes, func(a, b store.TableSize) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Table, b.Table))
	})
	return sizes, nil
}

func (h health) IndexUsage(ctx context.Context) ([]store.IndexUsage, error) {
	return h.probe.indexUsage(ctx)
}

// defaultSlow is the number of statements that SlowQueries returns for a limit of 0.
const defaultSlow = 20

func (h health) SlowQueries(ctx context.Context, limit int) ([]store.SlowQuery, error) {
	if limit < 0 || limit > store.MaxLimit {
		return nil, rule.Invalid("limit", "is not between 0 and %d", store.MaxLimit)
	}
	if limit == 0 {
		limit = defaultSlow
	}
	return h.probe.slowQueries(ctx, limit)
}

func (h health) ResetSlowQueries(ctx context.Context) error { return h.probe.resetSlowQueries(ctx) }

func (h health) Pages(ctx context.Context) (store.Pages, error) { return h.probe.pages(ctx) }

func (h health) Check(ctx context.Context) ([]string, error) { return h.probe.check(ctx) }
