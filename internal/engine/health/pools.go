package health

import (
	"database/sql"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/store"
)

// Pool is a connection pool that the store was opened with, and its name in PoolStats.
type Pool struct {
	name string
	*sql.DB
}

// PoolsOf returns the pools behind the writer, the reader and the replicas, in this order. It
// leaves out a reader that shares the writer's pool, and a host's handle behind which no pool
// can be found.
func PoolsOf(writer, reader *gorm.DB, replicas replica.Set) []Pool {
	type handle struct {
		name string
		db   *gorm.DB
	}
	handles := []handle{{"writer", writer}, {"reader", reader}}
	if replicas != nil {
		for _, r := range replicas.Replicas() {
			handles = append(handles, handle{"replica " + r.State().Address, r.DB()})
		}
	}
	var pools []Pool
	for _, handle := range handles {
		found, err := handle.db.DB()
		if err != nil || found == nil || len(pools) > 0 && pools[0].DB == found {
			continue
		}
		pools = append(pools, Pool{handle.name, found})
	}
	return pools
}

func (h health) Replicas() []store.ReplicaState {
	if h.st.Replicas == nil {
		return nil
	}
	all := h.st.Replicas.Replicas()
	states := make([]store.ReplicaState, len(all))
	for i, r := range all {
		states[i] = r.State()
	}
	return states
}

func (h health) PoolStats() []store.PoolStats {
	stats := make([]store.PoolStats, len(h.pools))
	for i, p := range h.pools {
		stats[i] = store.PoolStats{Name: p.name, DBStats: p.Stats()}
	}
	return stats
}
