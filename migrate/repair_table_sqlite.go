package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// repairTable is the name of a table while it is being made anew.
const repairTable = "cv__repair_table"

// rebuilt returns the tables whose columns or constraints differ, for which SQLite has no ALTER. The
// index of words is made again as a whole.
func rebuilt(drifts []Drift, texts catalogue, words func(object) bool) []string {
	tables := map[string]bool{}
	for _, d := range drifts {
		o := d.of()
		_, known := texts[object{kind: "table", table: o.table}]
		if known && !words(o) && d.Kind != DriftExtra && (d.Object == "column" || d.Object == "constraint" || d.Object == "table" && d.Kind == DriftAltered) {
			tables[o.table] = true
		}
	}
	return slices.Sorted(maps.Keys(tables))
}

// rebuildTable makes a table anew, with its rows, their row ids and what the host has added. A
// constraint or column that rows break stays as it was, and the rest is mended. If something else
// is in the way, the whole table stays as it was.
func (r *repair) rebuildTable(ctx context.Context, q querier, table string, drifts []Drift, texts catalogue) error {
	drifts = slices.DeleteFunc(slices.Clone(drifts), func(d Drift) bool {
		return d.of().table != table || d.Object == "index" || d.Object == "trigger"
	})
	old := readTexts(ctx, q, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '"+escaped(table)+"'")
	if len(old) == 0 {
		for _, d := range drifts {
			r.fail(d.of(), errors.New("the table is gone"), nil)
		}
		return nil
	}
	c := tableCopy{table: table, old: takeApart(table, old[0]), left: map[object]bool{}}
	c.want = takeApart(table, texts[object{kind: "table", table: table}])
	for {
		err := savepoint(ctx, q, func() error { return c.run(ctx, q) })
		if err == nil || ctx.Err() != nil {
			return err
		}
		broken := c.inTheWay(err, drifts)
		if len(broken) == 0 {
			for _, d := range drifts {
				if o := d.of(); !c.left[o] {
					r.fail(o, err, nil)
				}
			}
			return nil
		}
		for i, o := range broken {
			c.left[o] = true
			if i == 0 {
				r.fail(o, err, r.brokenSQLite(ctx, q, o, texts))
			} else {
				r.fail(o, fmt.Errorf("it needs %s: %w", broken[0].name, err), nil)
			}
		}
	}
}

// tableCopy is a table that is made anew.
type tableCopy struct {
	table     string
	old, want tableText
	// left are the parts that stay as they were, since rows break what they should be.
	left map[object]bool
}

// text is what the new table is made from: the library's parts, and the host's after them.
func (c tableCopy) text() tableText {
	made := tableText{tail: c.want.tail}
	for _, p := range c.want.parts {
		if c.left[p.object] {
			p = c.old.part(p.object)
		}
		if p.text != "" {
			made.parts = append(made.parts, p)
		}
	}
	for _, p := range c.old.parts {
		if !c.want.has(p.object) {
			made.parts = append(made.parts, p)
		}
	}
	return made
}

func (c tableCopy) run(ctx context.Context, q querier) error {
	name, made := quoteName(c.table), c.text()
	columns, rowid, err := c.columns(ctx, q, made)
	if err != nil {
		return err
	}
	others := readTexts(ctx, q, "SELECT sql FROM sqlite_master WHERE tbl_name = '"+escaped(c.table)+"' AND type IN ('index', 'trigger') AND sql IS NOT NULL")
	list := strings.Join(columns, ", ")
	statements := []string{
		made.sql(repairTable),
		"INSERT INTO " + repairTable + " (rowid, " + list + ") SELECT " + rowid + ", " + list + " FROM " + name,
	}
	after := c.statistics(ctx, q)
	statements = append(statements, "DROP TABLE "+name, "ALTER TABLE "+repairTable+" RENAME TO "+name)
	for _, s := range slices.Concat(statements, after, others) {
		if _, err := q.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("make %s anew: %w", c.table, err)
		}
	}
	return nil
}

// columns returns the columns to copy, quoted, and the one that holds the row id.
func (c tableCopy) columns(ctx context.Context, q querier, made tableText) (columns []string, rowid string, err error) {
	rowid = "rowid"
	query := "SELECT name, hidden FROM pragma_table_xinfo('" + escaped(c.table) + "')"
	err = readRows(ctx, q, query, nil, func(rows *sql.Rows) error {
		var column string
		var hidden int
		if err := rows.Scan(&column, &hidden); err != nil {
			return err
		}
		o, _ := parseDefinition(c.table, tokens(quoteName(column)))
		switch {
		case strings.HasPrefix(made.part(o).definition, "integer primary key"):
			rowid = quoteName(column) // also if it was not the row id's alias any more
		case hidden == 0 || c.want.has(o):
			columns = append(columns, quoteName(column))
		}
		return nil
	})
	return columns, rowid, err
}

// statistics returns statements for what goes with the old table and is in no CREATE: the last
// number that SQLite gave out, and the figures of ANALYZE.
func (c tableCopy) statistics(ctx context.Context, q querier) (statements []string) {
	name := escaped(c.table)
	if sequence := readTexts(ctx, q, "SELECT CAST(seq AS text) FROM sqlite_sequence WHERE name = '"+name+"'"); len(sequence) == 1 {
		statements = append(statements, "DELETE FROM sqlite_sequence WHERE name = '"+name+"'",
			"INSERT INTO sqlite_sequence (name, seq) VALUES ('"+name+"', "+sequence[0]+")")
	}
	const kept = "SELECT 'INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (' || quote(tbl) || ', ' || quote(idx) || ', ' || quote(stat) || ')' FROM sqlite_stat1 WHERE tbl = '%s'"
	return append(statements, readTexts(ctx, q, fmt.Sprintf(kept, name))...)
}

// failedConstraint matches SQLite's message. Some drivers put the code of the error behind it.
var failedConstraint = regexp.MustCompile(`(?s)(CHECK|NOT NULL|UNIQUE) constraint failed: (.+?)(?: \(\d+\))?$`)

// inTheWay returns the drift that an error of SQLite names, as an object, and those that cannot be
// mended without it. None means that the error is about something else.
func (c tableCopy) inTheWay(err error, drifts []Drift) []object {
	match := failedConstraint.FindStringSubmatch(err.Error())
	if match == nil {
		return nil
	}
	what := strings.ReplaceAll(match[2], repairTable+".", "")
	for _, d := range drifts {
		o := d.of()
		p := c.want.part(o)
		if c.left[o] || p.text == "" || !p.names(match[1], what) {
			continue
		}
		broken := []object{o}
		if o.kind == "column" && !c.old.has(o) {
			for _, other := range drifts {
				if p := c.want.part(other.of()); p.kind == "constraint" && p.mentions(o.name) {
					broken = append(broken, p.object)
				}
			}
		}
		return broken
	}
	return nil
}

// names tells whether a message about a kind of constraint means the part: it has the name of the
// constraint, its columns or its text.
func (p tablePart) names(kind, what string) bool {
	name := strings.ToLower(what)
	switch {
	case kind == "CHECK" && p.kind == "constraint" && p.name == name:
		return true
	case kind == "CHECK":
		return strings.Contains(p.definition, "check ("+join(tokens(what))+")")
	case p.kind == "column":
		return p.name == name
	}
	return columnsOf(p.definition) == name
}
