package migrate

import (
	"context"
	"maps"
	"strings"
)

// inspectSQLite returns what the migrations make and what is there. It leaves scratch
// tables in the transaction, for the caller to roll back.
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
	want = made.renamed(scratch, m.options.Prefix).parsed().withoutShadows()
	got = all.parsed()
	maps.DeleteFunc(got, func(o object, _ string) bool {
		_, ours := want[object{kind: "table", table: o.table}]
		return !ours
	})
	return want, got, nil
}

// parsed takes the CREATE statements apart, which are all that SQLite keeps of a schema.
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

// withoutShadows leaves out the tables in which a virtual table keeps what it has: SQLite
// makes them with it, and without it they would all be missing too.
func (c catalogue) withoutShadows() catalogue {
	kept := maps.Clone(c)
	for virtual, definition := range c {
		if virtual.kind != "table" || !strings.HasPrefix(definition, "create virtual ") {
			continue
		}
		maps.DeleteFunc(kept, func(o object, _ string) bool { return strings.HasPrefix(o.table, virtual.table+"_") })
	}
	return kept
}
