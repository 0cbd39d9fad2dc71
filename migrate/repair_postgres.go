package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convostore/convostore/rule"
)

// lockRepair keeps two calls of Repair apart. The transaction that holds it does nothing else, so
// that no index waits for its snapshot.
const lockRepair = `SELECT pg_try_advisory_xact_lock(hashtextextended('convostore_repair', 0))`

// mendPostgres mends in rounds, since what one brings back is what the next one needs. One call at a
// time does so in a database.
func (r *repair) mendPostgres(ctx context.Context) error {
	if r.pool.Stats().MaxOpenConnections == 1 {
		return rule.Invalid("db", "has a pool of one connection, and Repair needs two")
	}
	var err error
	taken := r.holding(ctx, lockRepair, func() error {
		err = r.mendRounds(ctx)
		return nil
	})
	if errors.Is(taken, errTaken) {
		return errors.New("convostore: another process repairs this database")
	}
	return errors.Join(taken, err)
}

// mendRounds mends until nothing is left that was not tried.
func (r *repair) mendRounds(ctx context.Context) error {
	for {
		drifts, want, schema, err := r.look(ctx)
		if err != nil {
			return err
		}
		tried, words := false, []object{}
		for _, d := range drifts {
			o := d.of()
			if _, failed := r.why[o]; failed || d.Kind == DriftExtra {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			r.why[o] = Unmended{} // each is tried once
			if tried = true; r.ofWords(o) {
				words = append(words, o)
				continue
			}
			if err := r.mendOne(ctx, d, schema); err != nil {
				r.fail(o, err, r.broken(ctx, d, want, schema))
			}
		}
		if !tried {
			return nil
		}
		r.mendWords(ctx, words)
	}
}

// mendWords makes the index of words again if something of it differs.
func (r *repair) mendWords(ctx context.Context, differ []object) {
	if len(differ) == 0 {
		return
	}
	if err := r.lockedPostgres(ctx, func(q querier) error { return r.renewWords(ctx, q) }); err != nil {
		for _, o := range differ {
			r.fail(o, err, nil)
		}
	}
}

// look compares, and rolls back what it made for that.
func (r *repair) look(ctx context.Context) (drifts []Drift, want catalogue, schema string, err error) {
	err = r.locked(ctx, func(q querier) error {
		if drifts, err = r.compare(ctx, q); err != nil {
			return err
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		return nil, nil, "", err
	}
	schema, err = r.schemaPostgres(ctx, r.pool)
	slices.SortFunc(drifts, repairOrder)
	want = catalogue{}
	at, versionErr := r.known(ctx, r.pool)
	if err = errors.Join(err, versionErr); err == nil {
		want, err = written(r.files, newPage(r.dialect, r.options), at)
	}
	return drifts, want, schema, err
}

func (r *repair) mendOne(ctx context.Context, d Drift, schema string) error {
	o := d.of()
	table := quoteName(schema) + "." + quoteName(o.table)
	switch {
	case d.Object == "version":
		return r.putVersions(ctx, r.pool, []Drift{d})
	case d.Object == "index":
		return r.mendIndex(ctx, d, schema)
	case d.Object == "constraint":
		return r.mendConstraint(ctx, d, table)
	case d.Object == "trigger" && d.Kind == DriftAltered && d.Got == d.Want+" (disabled)":
		return r.alter(ctx, "ALTER TABLE "+table+" ENABLE TRIGGER "+quoteName(o.name))
	case d.Object == "trigger" && d.Kind == DriftMissing:
		return r.alter(ctx, d.Want)
	case d.Object == "column" && d.Kind == DriftMissing:
		return r.alter(ctx, "ALTER TABLE "+table+" ADD COLUMN "+columnText(o, d))
	case d.Object == "column" && notNull(d):
		return r.alter(ctx, "ALTER TABLE "+table+" ALTER "+quoteName(o.name)+" SET NOT NULL")
	case d.Object == "table" && d.Got == "unlogged table":
		return r.alter(ctx, "ALTER TABLE "+table+" SET LOGGED")
	case d.Object == "column" && d.Kind == DriftAltered:
		return r.mendDefault(ctx, d, table)
	}
	return errors.New(unmendable(d))
}

// columnText is the definition of a missing column.
func columnText(o object, d Drift) string {
	if before, value, ok := strings.Cut(d.Want, " GENERATED DEFAULT "); ok {
		return quoteName(o.name) + " " + before + " GENERATED ALWAYS AS (" + value + ") STORED"
	}
	return quoteName(o.name) + " " + d.Want
}

func notNull(d Drift) bool { return strings.Replace(d.Want, " NOT NULL", "", 1) == d.Got }

// mendDefault sets the default of a column that differs in nothing else.
func (r *repair) mendDefault(ctx context.Context, d Drift, table string) error {
	want, value, has := strings.Cut(d.Want, " DEFAULT ")
	got, _, _ := strings.Cut(d.Got, " DEFAULT ")
	if want != got || strings.Contains(d.Want+d.Got, "GENERATED") {
		return errors.New(unmendable(d))
	}
	change := " DROP DEFAULT"
	if has {
		change = " SET DEFAULT " + value
	}
	return r.alter(ctx, "ALTER TABLE "+table+" ALTER "+quoteName(d.of().name)+change)
}

// mendConstraint adds a constraint without a look at the rows and then validates it, for which
// the table need not be locked. Dropping and adding a foreign key also makes its triggers again.
func (r *repair) mendConstraint(ctx context.Context, d Drift, table string) error {
	name := quoteName(d.of().name)
	add := "ALTER TABLE " + table + " ADD CONSTRAINT " + name + " " + d.Want
	if !strings.HasPrefix(d.Want, "FOREIGN") && !strings.HasPrefix(d.Want, "CHECK") {
		if d.Kind == DriftAltered {
			return errors.New(unmendable(d))
		}
		return r.alter(ctx, add)
	}
	if d.Got != d.Want+" NOT VALID" {
		statements := []string{add + " NOT VALID"}
		if d.Kind == DriftAltered {
			statements = append([]string{"ALTER TABLE " + table + " DROP CONSTRAINT " + name}, statements...)
		}
		if err := r.alter(ctx, statements...); err != nil {
			return err
		}
	}
	if err := r.alter(ctx, "ALTER TABLE "+table+" VALIDATE CONSTRAINT "+name); err != nil {
		return fmt.Errorf("it holds for new rows, but old ones break it: %w", err)
	}
	return nil
}

// repairIndex is the name of an index while it is being made.
const repairIndex = "cv__repair_idx"

// ownerSQL returns what else has the name %[2]s in a schema than an index of the table %[3]s.
const ownerSQL = `SELECT CASE WHEN i.indexrelid IS NULL THEN 'relation ' || c.relname ELSE 'index of the table ' || t.relname END
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
	WHERE n.nspname = '%s' AND c.relname = '%s' AND t.relname IS DISTINCT FROM '%s'`

// mendIndex makes an index under another name, without locking writers out, and then puts it in
// the place of what had its name.
func (r *repair) mendIndex(ctx context.Context, d Drift, schema string) error {
	o := d.of()
	at := strings.Index(d.Want, " "+o.name+" ON ")
	if at < 0 {
		return errors.New(unmendable(d))
	}
	owners := readTexts(ctx, r.pool, fmt.Sprintf(ownerSQL, escaped(schema), escaped(o.name), escaped(o.table)))
	if len(owners) > 0 {
		return fmt.Errorf("its name is that of the %s: give that one another name", owners[0])
	}
	temporary := quoteName(schema) + "." + repairIndex
	drop := "DROP INDEX CONCURRENTLY IF EXISTS " + temporary
	build := strings.TrimSuffix(d.Want[:at]+" CONCURRENTLY "+repairIndex+d.Want[at+1+len(o.name):], " (invalid)")
	if _, err := r.pool.ExecContext(ctx, drop); err != nil {
		return err
	}
	if _, err := r.pool.ExecContext(ctx, build); err != nil {
		// An index that was not finished would slow down every write.
		_, dropErr := r.pool.ExecContext(context.WithoutCancel(ctx), drop)
		return errors.Join(err, dropErr)
	}
	return r.alter(ctx, "DROP INDEX IF EXISTS "+quoteName(schema)+"."+quoteName(o.name),
		"ALTER INDEX "+temporary+" RENAME TO "+quoteName(o.name))
}

// alter runs statements in one transaction, which waits for locks as Up does.
func (r *repair) alter(ctx context.Context, statements ...string) error {
	return r.lockedPostgres(ctx, func(q querier) error {
		for _, s := range statements {
			if _, err := q.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
}

// broken returns the ids of rows that break what could not be mended.
func (r *repair) broken(ctx context.Context, d Drift, want catalogue, schema string) []string {
	o := d.of()
	table, identity := quoteName(schema)+"."+quoteName(o.table), want.identity(o.table)
	list := func(condition string) []string {
		return readTexts(ctx, r.pool, fmt.Sprintf("SELECT CAST(%s AS text) FROM %s c WHERE %s ORDER BY 1 LIMIT %d", identity, table, condition, maxRows))
	}
	switch {
	case strings.HasPrefix(d.Want, "CREATE UNIQUE"), strings.HasPrefix(d.Want, "UNIQUE"), strings.HasPrefix(d.Want, "PRIMARY"):
		return r.duplicates(ctx, r.pool, table, identity, d.Want)
	case strings.HasPrefix(d.Want, "CHECK "):
		return list("NOT " + strings.TrimPrefix(d.Want, "CHECK "))
	case d.Object == "column" && strings.Contains(d.Want, "NOT NULL") && d.Got != "":
		return list(quoteName(o.name) + " IS NULL")
	case strings.HasPrefix(d.Want, "FOREIGN KEY"):
		_, after, _ := strings.Cut(d.Want, " REFERENCES ")
		parent, rest, _ := strings.Cut(after, "(")
		theirs, _, _ := strings.Cut(rest, ")")
		ours := columnsOf(d.Want)
		return list(fmt.Sprintf("(%s) IS NOT NULL AND (%s) NOT IN (SELECT %s FROM %s)", ours, ours, theirs, parent))
	}
	return nil
}

// quoteName quotes a name of the catalogue.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
