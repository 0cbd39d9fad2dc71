package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/convostore/convostore/internal/dialect"
)

func (s health) TableSizes(ctx context.Context) ([]TableSize, error) {
	db, read := s.asked(ctx), s.postgresSizes
	if s.dialect.Name() == dialect.SQLite {
		if err := s.needsDBStat(db); err != nil {
			return nil, fail("look for dbstat", err)
		}
		read = s.sqliteSizes
	}
	if err := s.checkSchema(db); err != nil {
		return nil, err
	}
	sizes, err := read(db)
	if err != nil {
		return nil, fail("read the sizes of the tables", err)
	}
	slices.SortFunc(sizes, func(a, b TableSize) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Table, b.Table))
	})
	return sizes, nil
}

// postgresSizes takes the statistics' count of live rows where no VACUUM or ANALYZE has
// left the planner's, as in a small table for good.
func (s health) postgresSizes(db conn) ([]TableSize, error) {
	spread, err := s.distributed(db)
	if err != nil {
		return nil, err
	}
	if spread {
		return s.citusSizes(db)
	}
	var sizes []TableSize
	q := newQuery(`SELECT c.relname,
		CAST(CASE WHEN c.reltuples < 0 THEN coalesce(pg_stat_get_live_tuples(c.oid), 0) ELSE c.reltuples END AS bigint),
		coalesce(pg_table_size(c.oid), 0), coalesce(pg_indexes_size(c.oid), 0)
		FROM pg_class c WHERE c.oid IN (`)
	err = s.addTables(q).add(")").rows(db, func(rows *sql.Rows) error {
		var t TableSize
		err := rows.Scan(&t.Table, &t.Rows, &t.Heap, &t.Indexes)
		t.Total = t.Heap + t.Indexes
		sizes = append(sizes, t)
		return err
	})
	return sizes, err
}

// needsDBStat asks for the module and not for a compile option, which says nothing of one
// that a host has loaded.
func (s health) needsDBStat(db conn) error {
	found, err := newQuery("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'").row(db, new(int))
	if err != nil || found {
		return err
	}
	return fmt.Errorf("%w: the sizes of tables take SQLite's table dbstat, which this driver lacks: "+
		"build it with -DSQLITE_ENABLE_DBSTAT_VTAB (in CGO_CFLAGS for github.com/mattn/go-sqlite3); modernc.org/sqlite has it", ErrUnsupported)
}

func (s health) sqliteSizes(db conn) ([]TableSize, error) {
	names := tableNames()
	sizes := make([]TableSize, len(names))
	count := newQuery("")
	for i, name := range names {
		sizes[i].Table = s.Config.tables.Table(name)
		if i > 0 {
			count.add(" UNION ALL ")
		}
		count.add("SELECT ?, count(*) FROM "+s.Config.tables.Quoted(name), i)
	}
	err := count.rows(db, func(rows *sql.Rows) error {
		var i, n int64
		err := rows.Scan(&i, &n)
		sizes[i].Rows = n
		return err
	})
	if err != nil {
		return nil, err
	}
	return sizes, s.addBytes(db, sizes)
}

// addBytes adds what dbstat knows of each tree of pages: a table, an index of one, or one
// of the tables that FTS5 keeps its index of words in.
func (s health) addBytes(db conn, sizes []TableSize) error {
	trees := map[string]*TableSize{}
	for i := range sizes {
		trees[sizes[i].Table] = &sizes[i]
		for _, part := range []string{"data", "idx", "content", "docsize", "config"} {
			trees[sizes[i].Table+"_fts_"+part] = &sizes[i]
		}
	}
	q := newQuery("SELECT d.name, m.tbl_name, d.pgsize FROM dbstat d JOIN sqlite_master m ON m.name = d.name WHERE d.aggregate = TRUE")
	return q.rows(db, func(rows *sql.Rows) error {
		var name, table string
		var bytes int64
		err := rows.Scan(&name, &table, &bytes)
		t := trees[table]
		switch {
		case t == nil:
			return err
		case name == t.Table:
			t.Heap += bytes
		default:
			t.Indexes += bytes
		}
		t.Total += bytes
		return err
	})
}
