package store

import (
	"context"
	"database/sql"

	"github.com/convostore/convostore/internal/dialect"
)

func (s health) IndexUsage(ctx context.Context) ([]IndexUsage, error) {
	if err := s.only(dialect.Postgres, "SQLite does not count how often an index is used; PostgreSQL does"); err != nil {
		return nil, err
	}
	db := s.asked(ctx)
	if err := s.checkSchema(db); err != nil {
		return nil, err
	}
	if err := s.notDistributed(db); err != nil {
		return nil, fail("read the use of the indexes", err)
	}
	// An exclusion constraint is of the host's making, and keeps a key as well.
	q := newQuery(`SELECT t.relname, i.relname, coalesce(u.idx_scan, 0), coalesce(u.idx_tup_read, 0), coalesce(u.idx_tup_fetch, 0),
		coalesce(pg_relation_size(i.oid), 0), x.indisunique OR x.indisexclusion
		FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
		LEFT JOIN pg_stat_all_indexes u ON u.indexrelid = x.indexrelid
		WHERE x.indrelid IN (`)
	var usage []IndexUsage
	err := s.addTables(q).add(") ORDER BY 3, 2").rows(db, func(rows *sql.Rows) error {
		var u IndexUsage
		err := rows.Scan(&u.Table, &u.Index, &u.Scans, &u.Read, &u.Fetched, &u.Bytes, &u.Constraint)
		u.Unused = u.Scans == 0 && !u.Constraint
		usage = append(usage, u)
		return err
	})
	return usage, fail("read the use of the indexes", err)
}
