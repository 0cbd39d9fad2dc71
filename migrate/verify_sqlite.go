package migrate

import (
	"context"
	"maps"
)

// inspectSQLite returns the catalogue that the migrations create and the one in the database. It
// leaves scratch tables in the transaction, for the caller to roll back.
func (m *migrator) inspectSQLite(ctx context.Context, q querier, at int64) (want, got catalogue, err error) {
	if err := m.makeScratch(ctx, q, at); err != nil {
		return nil, nil, err
	}
	const master = `SELECT type, tbl_name, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND `
	made, err := readObjects(ctx, q, master+`substr(tbl_name, 1, length($1)) = $1`, scratch)
	if err != nil {
		return nil, nil, err
	}
	all, err := readObjects(ctx, q, master+`substr(tbl_name, 1, length($1)) <> $1`, scratch)
	if err != nil {
		return nil, nil, err
	}
	want = made.renamed(scratch, m.options.Prefix).parsed()
	got = all.parsed()
	maps.DeleteFunc(got, func(o object, _ string) bool {
		_, ours := want[object{kind: "table", table: o.table}]
		return !ours
	})
	return want, got, nil
}

// parsed parses the CREATE statements, which are the only form in which SQLite keeps a schema.
func (c catalogue) parsed() catalogue {
	parsed := catalogue{}
	for o, statement := range c {
		if o.kind == "table" {
			maps.Copy(parsed, parseTable(o.table, tokens(statement)))
		} else {
			parsed[o] = join(tokens(statement))
		}
	}
	return parsed
}
