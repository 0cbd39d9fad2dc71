package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

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
		for _, table := range rebuilt(drifts, texts, r.ofWords) {
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
		if err := r.putVersions(ctx, q, drifts); err != nil {
			return err
		}
		return r.checkKeysSQLite(ctx, q, texts)
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

// mendObjects makes indexes and triggers again, and the index of words if something of it differs:
// rows were written past it.
func (r *repair) mendObjects(ctx context.Context, q querier, drifts []Drift, texts catalogue) error {
	var words []object
	for _, d := range drifts {
		o := d.of()
		if r.ofWords(o) {
			words = append(words, o)
			continue
		}
		if d.Object != "index" && d.Object != "trigger" {
			continue
		}
		err := savepoint(ctx, q, func() error { return mendObject(ctx, q, o, texts[o]) })
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			r.fail(o, err, r.brokenSQLite(ctx, q, o, texts))
		}
	}
	if len(words) == 0 {
		return nil
	}
	err := savepoint(ctx, q, func() error { return r.mendWordsSQLite(ctx, q, texts) })
	if err != nil && ctx.Err() != nil {
		return err
	}
	for _, o := range words {
		if err != nil {
			r.fail(o, err, nil)
		}
	}
	return nil
}

// mendWordsSQLite makes the index of words again, unless a host has given one of its names to
// something else.
func (r *repair) mendWordsSQLite(ctx context.Context, q querier, texts catalogue) error {
	for o := range texts {
		if !r.ofWords(o) {
			continue
		}
		name := cmp.Or(o.name, o.table)
		if err := nameTaken(ctx, q, o, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return r.renewWords(ctx, q)
}

// nameTaken returns an error that says whose a name is, if it is not that of the object. In SQLite
// one name stands for one object of the database, which may be the host's.
func nameTaken(ctx context.Context, q querier, o object, name string) error {
	owners := readTexts(ctx, q, fmt.Sprintf("SELECT type || ' of the table ' || tbl_name FROM sqlite_master WHERE name = '%s' AND (tbl_name <> '%s' OR type <> '%s')",
		escaped(name), escaped(o.table), o.kind))
	if len(owners) > 0 {
		return fmt.Errorf("its name is that of the %s: give that one another name", owners[0])
	}
	return nil
}

// mendObject makes an index or a trigger again.
func mendObject(ctx context.Context, q querier, o object, text string) error {
	if err := nameTaken(ctx, q, o, o.name); err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, "DROP "+strings.ToUpper(o.kind)+" IF EXISTS "+quoteName(o.name)); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, text)
	return err
}

// brokenSQLite returns the ids of rows that break what could not be mended.
func (r *repair) brokenSQLite(ctx context.Context, q querier, o object, texts catalogue) []string {
	text := texts[object{kind: "table", table: o.table}]
	table, identity := quoteName(o.table), parseTable(o.table, tokens(text)).identity(o.table)
	definition := texts[o]
	if o.kind != "index" {
		definition = takeApart(o.table, text).part(o).text
	}
	list := func(condition string) []string {
		return readTexts(ctx, q, fmt.Sprintf("SELECT CAST(%s AS text) FROM %s WHERE %s ORDER BY 1 LIMIT %d", identity, table, condition, maxRows))
	}
	upper := strings.ToUpper(definition)
	switch check := checkOf(definition); {
	case o.kind == "column" && strings.Contains(upper, "PRIMARY KEY"):
		return r.duplicates(ctx, q, table, identity, "("+quoteName(o.name)+")")
	case strings.Contains(upper, "UNIQUE"):
		return r.duplicates(ctx, q, table, identity, definition)
	case o.kind == "column" && strings.Contains(upper, "NOT NULL"):
		condition := quoteName(o.name) + " IS NULL"
		if check != "" {
			condition += " OR NOT (" + check + ")"
		}
		return list(condition)
	case check != "":
		return list("NOT (" + check + ")")
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
