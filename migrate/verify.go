package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"
)

// scratch is the prefix of the tables that Verify creates and rolls back.
const scratch = "cv__verify_"

// The kinds of Drift.
const (
	// DriftMissing is an object that the migrations create and the database lacks.
	DriftMissing = "missing"
	// DriftAltered is an object whose definition in the database differs.
	DriftAltered = "altered"
	// DriftExtra is a column that no migration created and that is NOT NULL without a default,
	// so that the library's INSERT fails.
	DriftExtra = "extra"
	// DriftBroken is a foreign key that is as it should be, but rows break it: their parents are
	// gone. Only Repair looks for them.
	DriftBroken = "broken"
)

// Drift is one difference between the database and the result of the migrations.
type Drift struct {
	// Kind is DriftMissing, DriftAltered or DriftExtra, or DriftBroken.
	Kind string
	// Object is "table", "column", "constraint", "index", "trigger", "function", "extension" or
	// "version".
	Object string
	// Name is the name in the database, with its prefix and without a schema: "messages", or
	// "messages.seq" for a column. An index or constraint has its table in front too.
	Name string
	// Want is the definition by the migrations, empty for DriftExtra. Got is the definition in
	// the database, empty for DriftMissing. Both are for people to read.
	Want, Got string
}

// String returns the drift as one line, without a newline.
func (d Drift) String() string {
	text := d.Kind + " " + d.Object + " " + d.Name
	if d.Want != "" {
		text += ", want " + d.Want
	}
	if d.Got != "" {
		text += ", got " + d.Got
	}
	return text
}

// Verify compares the database with the result of the migrations up to the database's own
// version: tables, columns with type, NOT NULL and default, constraints, indexes with their
// condition, triggers with their functions, and the foreign keys to Users and Leads. It returns the differences
// ordered by name, or nil. A missing table is one difference, without its parts. A database
// without the library's tables lacks convostore_migrations. A database that is older than the
// code has no drift for that, see Status; a newer one is ErrNewer.
//
// Indexes, constraints, triggers and columns that a host has added are no drift, except a column
// that is NOT NULL without a default.
//
// Verify keeps no second copy of the schema. It runs the migrations once more under another
// prefix, in the same schema, and rolls the transaction back. It therefore needs the right to
// create tables, takes the lock of Up, and on SQLite makes other writers wait as long
// as that takes. It does not lock the host's tables.
func Verify(ctx context.Context, db *gorm.DB, o Options) ([]Drift, error) {
	m, err := open(db, o, 0)
	if err != nil {
		return nil, err
	}
	var drifts []Drift
	err = m.locked(ctx, func(q querier) error {
		if drifts, err = m.compare(ctx, q); err != nil {
			return err
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		return nil, err
	}
	sortDrifts(drifts)
	return drifts, nil
}

func sortDrifts(drifts []Drift) {
	slices.SortFunc(drifts, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Object, b.Object))
	})
}

// errUndo makes locked roll back a transaction that succeeded.
var errUndo = errors.New("convostore: undo")

// compare returns the drift in no order. It leaves scratch tables for the caller to roll back.
func (m *migrator) compare(ctx context.Context, q querier) ([]Drift, error) {
	there, err := m.recorded(ctx, q)
	if err != nil {
		return nil, err
	}
	if !there {
		return []Drift{{Kind: DriftMissing, Object: "table", Name: m.options.Prefix + record, Want: "table"}}, nil
	}
	at, err := m.known(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := m.fitCluster(ctx, q); err != nil {
		return nil, err
	}
	missing, err := m.missingVersions(ctx, q, at)
	if err != nil {
		return nil, err
	}
	inspect := m.inspectSQLite
	if m.dialect == postgres {
		inspect = m.inspectPostgres
	}
	want, got, err := inspect(ctx, q, at)
	if err != nil {
		return nil, err
	}
	return append(missing, want.diff(got)...), nil
}

// missingVersions returns the versions up to at that the record lacks.
func (m *migrator) missingVersions(ctx context.Context, q querier, at int64) ([]Drift, error) {
	applied, err := m.applied(ctx, q)
	if err != nil {
		return nil, err
	}
	var drifts []Drift
	for _, s := range m.steps {
		known := slices.ContainsFunc(applied, func(a Step) bool { return a.Version == s.version })
		if s.version <= at && !known {
			drifts = append(drifts, Drift{Kind: DriftMissing, Object: "version", Name: m.options.Prefix + record, Want: s.String()})
		}
	}
	return drifts, nil
}

// makeScratch creates the tables of version at once more, with the prefix scratch. It creates no
// schema, no extensions and, on PostgreSQL, no foreign keys to the host's tables, which would
// lock them.
func (m *migrator) makeScratch(ctx context.Context, q querier, at int64) error {
	p := newPage(m.dialect, m.options)
	p.tables.Prefix, p.Schema, p.Extensions = scratch, "", false
	if m.dialect == postgres {
		p.Users, p.Leads = nil, nil
	}
	steps, err := render(m.files, p)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if s.version > at {
			break
		}
		if err := m.run(ctx, q, s, s.up); err != nil {
			return fmt.Errorf("convostore: make the tables once more to compare: %w", err)
		}
	}
	return nil
}
