package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"
)

// scratch is the prefix of the tables that Verify makes and takes back.
const scratch = "cv__verify_"

// The kinds of Drift.
const (
	// DriftMissing is an object that the migrations make and the database lacks.
	DriftMissing = "missing"
	// DriftAltered is an object that the database has in another form.
	DriftAltered = "altered"
	// DriftExtra is a column that no migration made and that every insert would have to
	// fill.
	DriftExtra = "extra"
)

// Drift is one difference between the database and what the migrations make of it.
type Drift struct {
	// Kind is DriftMissing, DriftAltered or DriftExtra.
	Kind string
	// Object is "table", "column", "constraint", "index", "trigger", "extension" or
	// "version". SQLite's indexes of words are tables.
	Object string
	// Name is the name in the database, with its prefix: "messages" or "messages.seq",
	// and the table before an index or constraint as well. It carries no schema.
	Name string
	// Want is the definition that the migrations make, empty for an extra column; Got is
	// the one that was found, empty for what is missing. Both are for people to read.
	Want, Got string
}

// String returns one line without a newline.
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

// Verify compares the database with what the migrations up to its own version make:
// tables, columns with type, NOT NULL and default, constraints, indexes with their
// condition, triggers, and the foreign keys to Users and Leads. It returns what differs
// by name, nil when nothing does; where a whole table is missing, only the table. A
// database without the library's tables misses convostore_migrations. A database that is
// behind the code is no drift, see Status; one that is ahead is ErrNewer.
//
// What a host added is no drift, be it an index, a constraint, a trigger or a column,
// except a column that is NOT NULL without a default.
//
// There is no second copy of the schema to compare with: the migrations run once more
// under another prefix, in the same schema, and the transaction is rolled back. So it
// needs the right to create tables, takes the lock of Up, and on SQLite keeps other
// writers waiting for some milliseconds. The host's tables are not locked.
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
	slices.SortFunc(drifts, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Object, b.Object))
	})
	return drifts, nil
}

// errUndo has a transaction rolled back that did what it should.
var errUndo = errors.New("convostore: undo")

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
	holes, err := m.holes(ctx, q, at)
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
	return append(holes, want.diff(got)...), nil
}

// holes returns the versions up to at that the record lacks.
func (m *migrator) holes(ctx context.Context, q querier, at int64) ([]Drift, error) {
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

// makeScratch makes the tables of version at once more, without what would lock or make
// things outside of them.
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
