package health

import (
	"context"
	"database/sql"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

func (s health) IndexUsage(ctx context.Context) ([]store.IndexUsage, error) {
	if err := s.only(dialect.Postgres, "SQLite does not count how often an index is used; PostgreSQL does"); err != nil {
		return nil, err
	}
	db := s.asked(ctx)
	if err := s.st.CheckSchema(db); err != nil {
		return nil, err
	}
	if err := s.notDistributed(db); err != nil {
		return nil, query.Wrap("read the use of the indexes", err)
	}
	// An exclusion constraint is of the host's making, and keeps a key as well.
	q := query.New(`SELECT t.relname, i.relname, coalesce(u.idx_scan, 0), coalesce(u.idx_tup_read, 0), coalesce(u.idx_tup_fetch, 0),
		coalesce(pg_relation_size(i.oid), 0), x.indisunique OR x.indisexclusion
		FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
		LEFT JOIN pg_stat_all_indexes u ON u.indexrelid = x.indexrelid
		WHERE x.indrelid IN (`)
	var usage []store.IndexUsage
	err := s.addTables(q).Add(") ORDER BY 3, 2").Rows(db, func(rows *sql.Rows) error {
		var u store.IndexUsage
		err := rows.Scan(&u.Table, &u.Index, &u.Scans, &u.Read, &u.Fetched, &u.Bytes, &u.Constraint)
		u.Unused = u.Scans == 0 && !u.Constraint
		usage = append(usage, u)
		return err
	})
	return usage, query.Wrap("read the use of the indexes", err)
}
