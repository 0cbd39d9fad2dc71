package health

import (
	"context"
	"database/sql"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/store"
)

// indexUsage returns what SQLite knows of the indexes, which is not how often they were used:
// nothing in it counts that, and no Unused is true.
func (p sqliteProbe) indexUsage(ctx context.Context) ([]store.IndexUsage, error) {
	db := p.conn(ctx)
	if err := p.st.CheckSchema(db); err != nil {
		return nil, err
	}
	usage, err := p.indexes(db)
	if err == nil {
		err = addIndexBytes(db, usage)
	}
	if err == nil {
		err = addEntries(db, usage)
	}
	return usage, query.Wrap("read the indexes", err)
}

// indexes returns the indexes of the library's tables by name. The key of a table WITHOUT ROWID
// is the table itself, and is not among them.
func (p sqliteProbe) indexes(db query.Conn) ([]store.IndexUsage, error) {
	var tables []string
	for _, name := range slices.Concat(naming.OnSQLite(), naming.Search()) {
		tables = append(tables, p.st.Config.Tables.Table(name))
	}
	q := query.In(query.New(`SELECT m.tbl_name, m.name, l."unique" FROM sqlite_master m JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name`+
		" WHERE m.type = 'index' AND"), " m.tbl_name", tables).Add(" ORDER BY m.name")
	found, err := query.All(db, q, func(u *store.IndexUsage) []any { return []any{&u.Table, &u.Index, &u.Constraint} })
	return query.Values(found), err
}

// addIndexBytes adds the sizes, where the driver has dbstat.
func addIndexBytes(db query.Conn, usage []store.IndexUsage) error {
	found, err := query.New("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'").Row(db, new(int))
	if err != nil || !found {
		return err
	}
	return addNumbers(db, usage, "SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE",
		func(u *store.IndexUsage, bytes int64) { u.Bytes = bytes })
}

// addEntries adds what ANALYZE has counted, if it ever ran. Of an index, the first number of
// stat is that of its entries.
func addEntries(db query.Conn, usage []store.IndexUsage) error {
	found, err := query.New("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").Row(db, new(int))
	if err != nil || !found {
		return err
	}
	return addNumbers(db, usage, "SELECT idx, CAST(stat AS integer) FROM sqlite_stat1 WHERE idx IS NOT NULL",
		func(u *store.IndexUsage, entries int64) { u.Entries = entries })
}

// addNumbers calls add with the index of each name that a query returns, and with its number.
func addNumbers(db query.Conn, usage []store.IndexUsage, statement string, add func(u *store.IndexUsage, n int64)) error {
	return query.New(statement).Rows(db, func(rows *sql.Rows) error {
		var (
			name string
			n    int64
		)
		err := rows.Scan(&name, &n)
		for i := range usage {
			if usage[i].Index == name {
				add(&usage[i], n)
			}
		}
		return err
	})
}
