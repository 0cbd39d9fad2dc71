package health

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

func (s health) TableSizes(ctx context.Context) ([]store.TableSize, error) {
	db, read := s.asked(ctx), s.postgresSizes
	if s.st.Dialect.Name() == dialect.SQLite {
		if err := s.needsDBStat(db); err != nil {
			return nil, query.Wrap("look for dbstat", err)
		}
		read = s.sqliteSizes
	}
	if err := s.st.CheckSchema(db); err != nil {
		return nil, err
	}
	sizes, err := read(db)
	if err != nil {
		return nil, query.Wrap("read the sizes of the tables", err)
	}
	slices.SortFunc(sizes, func(a, b store.TableSize) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Table, b.Table))
	})
	return sizes, nil
}

// postgresSizes takes the statistics' count of live rows where no VACUUM or ANALYZE has
// left the planner's, as in a small table for good.
func (s health) postgresSizes(db query.Conn) ([]store.TableSize, error) {
	spread, err := s.st.Distributed(db)
	if err != nil {
		return nil, err
	}
	if spread {
		return s.citusSizes(db)
	}
	var sizes []store.TableSize
	q := query.New(`SELECT c.relname,
		CAST(CASE WHEN c.reltuples < 0 THEN coalesce(pg_stat_get_live_tuples(c.oid), 0) ELSE c.reltuples END AS bigint),
		coalesce(pg_table_size(c.oid), 0), coalesce(pg_indexes_size(c.oid), 0)
		FROM pg_class c WHERE c.oid IN (`)
	err = s.addTables(q).Add(")").Rows(db, func(rows *sql.Rows) error {
		var t store.TableSize
		err := rows.Scan(&t.Table, &t.Rows, &t.Heap, &t.Indexes)
		t.Total = t.Heap + t.Indexes
		sizes = append(sizes, t)
		return err
	})
	return sizes, err
}

// needsDBStat asks for the module and not for a compile option, which says nothing of one
// that a host has loaded.
func (s health) needsDBStat(db query.Conn) error {
	found, err := query.New("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'").Row(db, new(int))
	if err != nil || found {
		return err
	}
	return fmt.Errorf("%w: the sizes of tables take SQLite's table dbstat, which this driver lacks: "+
		"build it with -DSQLITE_ENABLE_DBSTAT_VTAB (in CGO_CFLAGS for github.com/mattn/go-sqlite3); modernc.org/sqlite has it", store.ErrUnsupported)
}

func (s health) sqliteSizes(db query.Conn) ([]store.TableSize, error) {
	names := tableNames()
	sizes := make([]store.TableSize, len(names))
	count := query.New("")
	for i, name := range names {
		sizes[i].Table = s.st.Config.Tables.Table(name)
		if i > 0 {
			count.Add(" UNION ALL ")
		}
		count.Add("SELECT ?, count(*) FROM "+s.st.Config.Tables.Quoted(name), i)
	}
	err := count.Rows(db, func(rows *sql.Rows) error {
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
func (s health) addBytes(db query.Conn, sizes []store.TableSize) error {
	trees := map[string]*store.TableSize{}
	for i := range sizes {
		trees[sizes[i].Table] = &sizes[i]
		for _, part := range []string{"data", "idx", "content", "docsize", "config"} {
			trees[sizes[i].Table+"_fts_"+part] = &sizes[i]
		}
	}
	q := query.New("SELECT d.name, m.tbl_name, d.pgsize FROM dbstat d JOIN sqlite_master m ON m.name = d.name WHERE d.aggregate = TRUE")
	return q.Rows(db, func(rows *sql.Rows) error {
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
