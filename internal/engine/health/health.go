// Package health tells how the database is doing: readiness, pools, sizes, the use of
// indexes, slow queries and damage.
package health

import (
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type health struct {
	st    *scope.Store
	pools []Pool
}

// New returns the health of a store that was opened with pools.
func New(st *scope.Store, pools []Pool) store.Health { return health{st: st, pools: pools} }
