package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkKeysSQLite looks for rows of the library's tables whose parent is gone, which can come
// while foreign keys are off. They are left, and so are the keys: SQLite enforces a key for new
// rows, whatever the old ones are.
func (r *repair) checkKeysSQLite(ctx context.Context, q querier, texts catalogue) error {
	tables := map[string]tableText{}
	for o, text := range texts {
		if o.kind == "table" {
			tables[o.table] = takeApart(o.table, text)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		broken, err := brokenKeys(ctx, q, table)
		if ctx.Err() != nil {
			return err
		}
		if err != nil { // such as a parent without a unique key, which is the host's
			r.orphans = append(r.orphans, Unmended{Drift: object{kind: "table", table: table}.drift(DriftBroken, "", ""), Why: err.Error()})
		}
		identity := parseTable(table, tokens(texts[object{kind: "table", table: table}])).identity(table)
		for _, key := range broken {
			rows := readTexts(ctx, q, fmt.Sprintf("SELECT CAST(%s AS text) FROM %s WHERE rowid IN (SELECT rowid FROM pragma_foreign_key_check('%s') WHERE fkid = %d) ORDER BY 1 LIMIT %d",
				identity, quoteName(table), escaped(table), key.id, maxRows))
			r.orphans = append(r.orphans, Unmended{
				Drift: tables[table].keyOf(table, key.columns).drift(DriftBroken, "", ""),
				Why:   errOrphans.Error(), Rows: rows,
			})
		}
	}
	return nil
}

var errOrphans = errors.New("it holds for new rows, but old ones refer to rows that are gone")

// brokenKey is a foreign key that rows break: its number within SQLite, and its columns.
type brokenKey struct {
	id      int64
	columns string
}

func brokenKeys(ctx context.Context, q querier, table string) (keys []brokenKey, err error) {
	const query = `SELECT k.id, group_concat(lower(k."from"), ', ') FROM (SELECT id, "from" FROM pragma_foreign_key_list('%[1]s') ORDER BY id, seq) k
		WHERE k.id IN (SELECT fkid FROM pragma_foreign_key_check('%[1]s')) GROUP BY k.id ORDER BY k.id`
	err = readRows(ctx, q, fmt.Sprintf(query, escaped(table)), nil, func(rows *sql.Rows) error {
		var k brokenKey
		err := rows.Scan(&k.id, &k.columns)
		keys = append(keys, k)
		return err
	})
	return keys, err
}

// keyOf returns the library's foreign key of some columns, or a constraint named by them, which is
// the host's.
func (t tableText) keyOf(table, columns string) object {
	for _, p := range t.parts {
		if p.kind == "constraint" && strings.HasPrefix(p.definition, "foreign key") && columnsOf(p.definition) == columns {
			return p.object
		}
	}
	return object{"constraint", table, "foreign key (" + columns + ")"}
}
