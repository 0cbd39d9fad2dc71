package migrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// Unmended is a difference that Repair could not mend.
type Unmended struct {
	Drift
	// Why says what is in the way. Rows are the ids of rows that break the rule, at most 20.
	Why  string
	Rows []string
}

// RepairError lists what Repair could not mend. What it could mend is mended.
type RepairError struct {
	// Left is not empty.
	Left []Unmended
}

// Error returns the number of differences that are left and the first of them.
func (e *RepairError) Error() string {
	first := e.Left[0]
	text := fmt.Sprintf("convostore: %d differences could not be mended: %s %s %s: %s", len(e.Left), first.Kind, first.Object, first.Name, first.Why)
	if len(first.Rows) > 0 {
		text += " (rows " + strings.Join(first.Rows, ", ") + ")"
	}
	return text
}

// Repair mends what Verify finds, as far as that loses no data, and returns what it has mended in
// the order of its work. It is for a database that was changed from outside: by a host's
// AutoMigrate, which on SQLite drops the indexes and triggers of a table that it rebuilds, or by
// hand. What should be there comes from the migrations up to the database's version.
//
// It makes missing and altered indexes, constraints and triggers again, brings missing columns
// back with their default. If something of the index of words differs, a trigger that was dropped
// or disabled among them, all of it is made again as by RebuildSearch, since rows were written past
// it. It removes no row, changes no value and keeps what a host has added. What it cannot mend
// is left as it was, and is a *RepairError that says why: a unique index that duplicates prevent,
// a constraint that rows break, which it names, or a table that is gone with its rows.
//
// On PostgreSQL each step is a transaction of its own, which waits for its table as Up does. Indexes are made CONCURRENTLY, and constraints are validated after they
// were added: a constraint that old rows break holds for new rows. It needs two connections. On
// SQLite all of it is one transaction. A table whose columns or constraints differ is made anew,
// with its row ids and with the columns, constraints, indexes, triggers and figures of ANALYZE that
// a host has added, as SQLite documents it. A rule that rows break stays as it was, and so holds
// for no row before they are mended and Repair is called again; the rest of the table is mended.
// In the end it looks for rows whose parent is gone, in all of the library's tables.
//
// An index or trigger whose name a host has given to another table's is left, with the name of
// that table: its owner renames it.
//
// Bad options and a db inside a transaction are a *rule.InvalidError, a newer database ErrNewer.
func Repair(ctx context.Context, db *gorm.DB, o Options) (mended []Drift, err error) {
	m, err := open(db, o, 0)
	if err != nil {
		return nil, err
	}
	r := &repair{migrator: m, why: map[object]Unmended{}}
	before, err := Verify(ctx, db, o)
	if err != nil || len(before) == 0 {
		return nil, err
	}
	if m.dialect == sqlite {
		err = r.mendSQLite(ctx)
	} else {
		err = r.mendPostgres(ctx)
	}
	if err != nil {
		return nil, err
	}
	after, err := Verify(ctx, db, o)
	if err != nil {
		return nil, err
	}
	return r.report(before, after)
}

// repair is one call of Repair.
type repair struct {
	*migrator
	// why says what was in the way of an object.
	why map[object]Unmended
	// orphans are the keys that rows break although nothing is to be mended in the keys.
	orphans []Unmended
}

func (r *repair) report(before, after []Drift) (mended []Drift, err error) {
	for _, d := range before {
		same := func(a Drift) bool { return a.Object == d.Object && a.Name == d.Name }
		if !slices.ContainsFunc(after, same) {
			mended = append(mended, d)
		}
	}
	left := r.orphans
	for _, d := range after {
		u := r.why[d.of()]
		u.Drift = d
		u.Why = cmp.Or(u.Why, unmendable(d))
		left = append(left, u)
	}
	if len(left) > 0 {
		return mended, &RepairError{Left: left}
	}
	return mended, nil
}

// of returns the object that the drift is about.
func (d Drift) of() object {
	table, name, _ := strings.Cut(d.Name, ".")
	return object{d.Object, table, name}
}

func unmendable(d Drift) string {
	switch {
	case d.Kind == DriftExtra:
		return "give the column a default or let it be NULL"
	case d.Object == "table" && d.Kind == DriftMissing:
		return "its rows are gone with it: restore it from a backup"
	case d.Object == "extension":
		return "create the extension in a schema of the search_path"
	}
	return "a change of it could lose data: change it by hand"
}

// fail notes what was in the way of an object.
func (r *repair) fail(o object, err error, rows []string) {
	r.why[o] = Unmended{Why: err.Error(), Rows: rows}
}

// maxRows is the most rows that an Unmended names.
const maxRows = 20

// duplicates returns the ids of rows that have the same key of a unique index.
func (r *repair) duplicates(ctx context.Context, q querier, table, identity, definition string) []string {
	columns, where := keyOf(definition)
	if columns == "" {
		return nil
	}
	query := fmt.Sprintf("SELECT CAST(%[1]s AS text) FROM %[2]s WHERE %[4]s AND (%[3]s) IN (SELECT %[3]s FROM %[2]s WHERE %[4]s GROUP BY %[3]s HAVING count(*) > 1) ORDER BY 1 LIMIT %[5]d",
		identity, table, columns, where, maxRows)
	return readTexts(ctx, q, query)
}

// keyOf returns the columns of an index and its condition.
func keyOf(definition string) (columns, where string) {
	_, rest, _ := strings.Cut(definition, "(")
	columns, rest, found := strings.Cut(rest, ")")
	if !found {
		return "", ""
	}
	where = "true"
	if i := strings.Index(strings.ToUpper(rest), "WHERE"); i >= 0 {
		where = rest[i+len("WHERE"):]
	}
	return columns, where
}

// readTexts returns the first column of a query, nil if it fails: it only explains another error.
func readTexts(ctx context.Context, q querier, query string) (texts []string) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if rows.Scan(&text) != nil {
			return nil
		}
		texts = append(texts, text)
	}
	if rows.Err() != nil {
		return nil
	}
	return texts
}

// identity is the column that names a row of a table.
func (c catalogue) identity(table string) string {
	for _, column := range []string{"id", "message_id", "conversation_id"} {
		if _, ok := c[object{"column", table, column}]; ok {
			return column
		}
	}
	return "user_id"
}

// repairOrder puts what others need first.
func repairOrder(a, b Drift) int {
	rank := func(d Drift) int {
		keys := 0
		if strings.HasPrefix(strings.ToUpper(d.Want), "FOREIGN") {
			keys = 1
		}
		return 2*slices.Index([]string{"extension", "table", "column", "constraint", "index", "function", "trigger", "version"}, d.Object) + keys
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
}

// putVersions records the migrations that the record lacks, whose objects are there.
func (r *repair) putVersions(ctx context.Context, q querier, drifts []Drift) error {
	for _, d := range drifts {
		for _, s := range r.steps {
			if d.Object != "version" || d.Want != s.String() {
				continue
			}
			if _, err := q.ExecContext(ctx, s.record(r.quoted(record))); err != nil {
				return fmt.Errorf("convostore: record migration %s: %w", s, err)
			}
		}
	}
	return nil
}
