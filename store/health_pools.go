package store

import (
	"database/sql"

	"gorm.io/gorm"
)

// pool is a pool of connections that the store was opened with.
type pool struct {
	name string
	*sql.DB
}

// poolsOf finds the pools behind GORM's handles; a host's handle may have none that can be
// found.
func poolsOf(writer, reader *gorm.DB, replicas ReplicaSet) []pool {
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
	var pools []pool
	for _, h := range handles {
		found, err := h.db.DB()
		if err != nil || found == nil || len(pools) > 0 && pools[0].DB == found {
			continue
		}
		pools = append(pools, pool{h.name, found})
	}
	return pools
}

func (s health) Replicas() []ReplicaState {
	if s.replicas == nil {
		return nil
	}
	all := s.replicas.Replicas()
	states := make([]ReplicaState, len(all))
	for i, r := range all {
		states[i] = r.State()
	}
	return states
}

func (s health) PoolStats() []PoolStats {
	stats := make([]PoolStats, len(s.pools))
	for i, p := range s.pools {
		stats[i] = PoolStats{Name: p.name, DBStats: p.Stats()}
	}
	return stats
}
