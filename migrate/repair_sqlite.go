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

// repairTable is the name of a table while it is being made anew.
const repairTable = "cv__repair_table"

// mendSQLite does everything in one transaction. Foreign keys are off on its connection, or
// dropping a table would delete the rows that refer to it, and ALTER TABLE is the old one, which
// leaves the host's views and triggers alone.
func (r *repair) mendSQLite(ctx context.Context) error {
	return lockedSQLiteWith(ctx, r.pool, []string{"foreign_keys = 0", "legacy_alter_table = 1"}, func(q querier) error {
		drifts, err := r.compareUndone(ctx, q)
		if err != nil {
			return err
		}
		texts, err := r.wantedTexts(ctx, q)
		if err != nil {
			return err
		}
		for _, table := range rebuilt(drifts, texts) {
			if err := r.rebuildTable(ctx, q, table, drifts, texts); err != nil {
				return err
			}
		}
		if drifts, err = r.compareUndone(ctx, q); err != nil {
			return err
		}
		if err := r.mendObjects(ctx, q, drifts, texts); err != nil {
			return err
		}
		return r.putVersions(ctx, q, drifts)
	})
}

// compareUndone is compare inside a savepoint that is rolled back.
func (r *repair) compareUndone(ctx context.Context, q querier) (drifts []Drift, err error) {
	err = savepoint(ctx, q, func() error {
		if drifts, err = r.compare(ctx, q); err != nil {
			return err
		}
		return errUndo
	})
	slices.SortFunc(drifts, repairOrder)
	if errors.Is(err, errUndo) {
		err = nil
	}
	return drifts, err
}

// wantedTexts returns the statements that make the objects of the library, as SQLite keeps them.
func (r *repair) wantedTexts(ctx context.Context, q querier) (texts catalogue, err error) {
	at, err := r.known(ctx, q)
	if err != nil {
		return nil, err
	}
	err = savepoint(ctx, q, func() error {
		if err := r.makeScratch(ctx, q, at); err != nil {
			return err
		}
		texts, err = readObjects(ctx, q, "SELECT type, tbl_name, CASE type WHEN 'table' THEN '' ELSE name END, sql FROM sqlite_master WHERE sql IS NOT NULL AND substr(tbl_name, 1, length($1)) = $1", scratch)
		if err != nil {
			return err
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		return nil, err
	}
	return texts.renamed(scratch, r.options.Prefix), nil
}

// savepoint runs fn, and takes back what it did if it fails.
func savepoint(ctx context.Context, q querier, fn func() error) error {
	if _, err := q.ExecContext(ctx, "SAVEPOINT cv__repair"); err != nil {
		return err
	}
	err := fn()
	if err != nil {
		if _, undo := q.ExecContext(context.WithoutCancel(ctx), "ROLLBACK TO cv__repair"); undo != nil {
			return errors.Join(err, undo)
		}
	}
	_, release := q.ExecContext(context.WithoutCancel(ctx), "RELEASE cv__repair")
	return errors.Join(err, release)
}

// rebuilt returns the tables whose columns or constraints differ, for which SQLite has no ALTER.
func rebuilt(drifts []Drift, texts catalogue) []string {
	tables := map[string]bool{}
	for _, d := range drifts {
		o := d.of()
		_, known := texts[object{kind: "table", table: o.table}]
		if known && d.Kind != DriftExtra && (d.Object == "column" || d.Object == "constraint" || d.Object == "table" && d.Kind == DriftAltered) {
			tables[o.table] = true
		}
	}
	return slices.Sorted(maps.Keys(tables))
}

// rebuildTable makes a table anew, with its rows, their row ids and the columns, indexes and
// triggers of the host. A table whose rows do not fit stays as it was.
func (r *repair) rebuildTable(ctx context.Context, q querier, table string, drifts []Drift, texts catalogue) error {
	err := savepoint(ctx, q, func() error { return r.copyTable(ctx, q, table, texts) })
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	for _, d := range drifts {
		if o := d.of(); o.table == table && d.Object != "index" && d.Object != "trigger" {
			r.fail(o, err, r.brokenSQLite(ctx, q, d, texts))
		}
	}
	return nil
}

func (r *repair) copyTable(ctx context.Context, q querier, table string, texts catalogue) error {
	wanted := texts[object{kind: "table", table: table}]
	old := readTexts(ctx, q, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '"+table+"'")
	if len(old) == 0 {
		return errors.New("the table is gone")
	}
	others := readTexts(ctx, q, "SELECT sql FROM sqlite_master WHERE tbl_name = '"+table+"' AND type IN ('index', 'trigger') AND sql IS NOT NULL")
	have, want := columnsIn(table, old[0]), columnsIn(table, wanted)
	statement, columns := addColumns(wanted, old[0], table), []string{}
	rowid := "rowid"
	for _, c := range slices.Sorted(maps.Keys(have)) {
		if !strings.HasPrefix(want[c], "integer primary key") {
			columns = append(columns, quoteName(c))
		} else {
			rowid = quoteName(c) // the row id's own column, even if it is no longer its alias
		}
	}
	list, name := strings.Join(columns, ", "), quoteName(table)
	sequence := readTexts(ctx, q, "SELECT CAST(seq AS text) FROM sqlite_sequence WHERE name = '"+table+"'")
	statements := []string{
		strings.Replace(statement, name, repairTable, 1),
		"INSERT INTO " + repairTable + " (rowid, " + list + ") SELECT " + rowid + ", " + list + " FROM " + name,
		"DROP TABLE " + name,
		"ALTER TABLE " + repairTable + " RENAME TO " + name,
	}
	if len(sequence) == 1 {
		statements = append(statements, "DELETE FROM sqlite_sequence WHERE name = '"+table+"'",
			"INSERT INTO sqlite_sequence (name, seq) VALUES ('"+table+"', "+sequence[0]+")")
	}
	for _, s := range append(statements, others...) {
		if _, err := q.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("make %s anew: %w", table, err)
		}
	}
	return nil
}

// columnsIn returns the columns of a CREATE TABLE and their definitions.
func columnsIn(table, statement string) map[string]string {
	columns := map[string]string{}
	for o, definition := range parseTable(table, tokens(statement)) {
		if o.kind == "column" {
			columns[o.name] = definition
		}
	}
	return columns
}

// addColumns puts the columns that only the old table has before the first constraint of the
// wanted one.
func addColumns(wanted, old, table string) string {
	want, have := columnsIn(table, wanted), columnsIn(table, old)
	var extra strings.Builder
	for _, c := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[c]; !ok {
			extra.WriteString(quoteName(c) + " " + have[c] + ",\n    ")
		}
	}
	at := strings.Index(wanted, "CONSTRAINT ")
	if at < 0 || extra.Len() == 0 {
		return wanted
	}
	return wanted[:at] + extra.String() + wanted[at:]
}

// mendObjects makes indexes and triggers again, and fills the full-text indexes if one of theirs
// was gone: rows were written past them.
func (r *repair) mendObjects(ctx context.Context, q querier, drifts []Drift, texts catalogue) error {
	words := false
	for _, d := range drifts {
		o := d.of()
		if strings.Contains(o.table+o.name, "_fts") {
			words = true
			continue
		}
		if d.Object != "index" && d.Object != "trigger" {
			continue
		}
		err := savepoint(ctx, q, func() error {
			drop := "DROP " + strings.ToUpper(o.kind) + " IF EXISTS " + quoteName(o.name)
			if _, err := q.ExecContext(ctx, drop); err != nil {
				return err
			}
			_, err := q.ExecContext(ctx, texts[o])
			return err
		})
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			r.fail(o, err, r.brokenSQLite(ctx, q, d, texts))
		}
	}
	if !words {
		return nil
	}
	i := slices.IndexFunc(r.steps, func(s step) bool { return s.version == searchVersion })
	_, err := r.rebuild(ctx, q, r.steps[i])
	return err
}

// brokenSQLite returns the ids of rows that break what could not be mended.
func (r *repair) brokenSQLite(ctx context.Context, q querier, d Drift, texts catalogue) []string {
	o := d.of()
	want := parseTable(o.table, tokens(texts[object{kind: "table", table: o.table}]))
	table, identity := quoteName(o.table), want.identity(o.table)
	switch {
	case strings.HasPrefix(d.Want, "create unique"), strings.HasPrefix(d.Want, "unique"):
		return r.duplicates(ctx, q, table, identity, d.Want)
	case strings.HasPrefix(d.Want, "check "):
		return readTexts(ctx, q, fmt.Sprintf("SELECT CAST(%s AS text) FROM %s WHERE NOT %s ORDER BY 1 LIMIT %d",
			identity, table, strings.TrimPrefix(d.Want, "check "), maxRows))
	case d.Object == "column" && strings.Contains(d.Want, "not null") && d.Got != "":
		return readTexts(ctx, q, fmt.Sprintf("SELECT CAST(%s AS text) FROM %s WHERE %s IS NULL ORDER BY 1 LIMIT %d",
			identity, table, quoteName(o.name), maxRows))
	}
	return nil
}

// lockedSQLiteWith is lockedSQLite on a connection with other settings, which get their values
// back afterwards. Inside of a transaction they could not be changed.
func lockedSQLiteWith(ctx context.Context, db *sql.DB, settings []string, fn func(querier) error) error {
	return retrySQLite(ctx, func() (err error) {
		conn, err := db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("convostore: connect: %w", err)
		}
		defer conn.Close() //nolint:errcheck // gives the connection back to the pool
		for _, setting := range settings {
			name, _, _ := strings.Cut(setting, " ")
			var before int64
			if err := scanRow(ctx, conn, "PRAGMA "+name, &before); err != nil {
				return fmt.Errorf("convostore: read %s: %w", name, err)
			}
			if _, err := conn.ExecContext(ctx, "PRAGMA "+setting); err != nil {
				return fmt.Errorf("convostore: set %s: %w", name, err)
			}
			defer func() { //nolint:gocritic // two settings, each restored when fn is done
				_, restore := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA %s = %d", name, before))
				err = errors.Join(err, restore)
			}()
		}
		return onConnSQLite(ctx, conn, fn)
	})
}
