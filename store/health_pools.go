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
func poolsOf(writer, reader *gorm.DB) []pool {
	var pools []pool
	for _, h := range []struct {
		name string
		db   *gorm.DB
	}{{"writer", writer}, {"reader", reader}} {
		found, err := h.db.DB()
		if err != nil || found == nil || len(pools) > 0 && pools[0].DB == found {
			continue
		}
		pools = append(pools, pool{h.name, found})
	}
	return pools
}

func (s health) PoolStats() []PoolStats {
	stats := make([]PoolStats, len(s.pools))
	for i, p := range s.pools {
		stats[i] = PoolStats{Name: p.name, DBStats: p.Stats()}
	}
	return stats
}
