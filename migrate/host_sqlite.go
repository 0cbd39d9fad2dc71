package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// holds is what the values of a column are like, by its declared type. SQLite stores any value
// anywhere, but compares it by these.
func holds(declared string) string {
	is := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToUpper(declared), w) })
	}
	switch {
	case is("INT"):
		return "numbers"
	case is("CHAR", "CLOB", "TEXT"):
		return "texts"
	case is("BLOB"):
		return "bytes"
	case is("REAL", "FLOA", "DOUB", "NUM", "DEC"): //nolint:misspell // SQLite looks for these parts of a name
		return "numbers"
	}
	return "texts" // uuid and the like, which no number is written into
}

// readHostSQLite reads the schema.
func readHostSQLite(ctx context.Context, q querier, k hostKey) (t hostTable, err error) {
	failed := func(err error) error { return fmt.Errorf("convostore: the host's table %s: %w", k.ref.Table, err) }
	const isTable = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1 COLLATE NOCASE)"
	if err := q.QueryRowContext(ctx, isTable, k.ref.Table).Scan(&t.there); err != nil {
		return t, failed(err)
	}
	const column = "SELECT coalesce((SELECT CASE type WHEN '' THEN 'any' ELSE type END FROM pragma_table_info($1) WHERE name = $2 COLLATE NOCASE), '')"
	for i, name := range k.ref.columns() {
		var c hostColumn
		if err := q.QueryRowContext(ctx, column, k.ref.Table, name).Scan(&c.declared); err != nil {
			return t, failed(err)
		}
		c.fits = holds(c.declared) == holds(k.types[i])
		t.columns = append(t.columns, c)
	}
	t.unique, err = uniqueSQLite(ctx, q, k)
	if err != nil {
		return t, failed(err)
	}
	return t, nil
}

// uniqueSQLite tells whether just these columns, in any order, are the primary key or have a unique
// index without a condition. An index of an expression has no column there.
func uniqueSQLite(ctx context.Context, q querier, k hostKey) (bool, error) {
	const indexes = `SELECT '' AS i, name AS c FROM pragma_table_info($1) WHERE pk > 0
		UNION ALL SELECT i.name, coalesce(c.name, '') FROM pragma_index_list($1) i, pragma_index_info(i.name) c
		WHERE i."unique" = 1 AND i.partial = 0`
	rows, err := q.QueryContext(ctx, indexes, k.ref.Table)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	columns := map[string][]string{}
	for rows.Next() {
		var index, column string
		if err := rows.Scan(&index, &column); err != nil {
			return false, err
		}
		columns[index] = append(columns[index], strings.ToLower(column))
	}
	want := strings.Split(strings.ToLower(strings.Join(k.ref.columns(), "|")), "|")
	slices.Sort(want)
	for _, c := range columns {
		if slices.Equal(want, slices.Sorted(slices.Values(c))) {
			return true, rows.Err()
		}
	}
	return false, rows.Err()
}
