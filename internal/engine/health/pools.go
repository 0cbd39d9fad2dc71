package health

import (
	"database/sql"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/store"
)

// Pool is a pool of connections that the store was opened with.
type Pool struct {
	name string
	*sql.DB
}

// PoolsOf finds the pools behind GORM's handles; a host's handle may have none that can be
// found.
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
	for _, h := range handles {
		found, err := h.db.DB()
		if err != nil || found == nil || len(pools) > 0 && pools[0].DB == found {
			continue
		}
		pools = append(pools, Pool{h.name, found})
	}
	return pools
}

func (s health) Replicas() []store.ReplicaState {
	if s.st.Replicas == nil {
		return nil
	}
	all := s.st.Replicas.Replicas()
	states := make([]store.ReplicaState, len(all))
	for i, r := range all {
		states[i] = r.State()
	}
	return states
}

func (s health) PoolStats() []store.PoolStats {
	stats := make([]store.PoolStats, len(s.pools))
	for i, p := range s.pools {
		stats[i] = store.PoolStats{Name: p.name, DBStats: p.Stats()}
	}
	return stats
}
