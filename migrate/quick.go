package migrate

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"

	"gorm.io/gorm"
)

// DriftError says that the schema differs from what the migrations made. Repair mends what can be
// mended without losing data.
type DriftError struct {
	// Drifts is not empty, and ordered by name.
	Drifts []Drift
}

// Error returns the number of differences and the first ones.
func (e *DriftError) Error() string {
	text := fmt.Sprintf("convostore: the schema differs from its migrations in %d places: ", len(e.Drifts))
	for i, d := range e.Drifts[:min(maxShown, len(e.Drifts))] {
		if i > 0 {
			text += "; "
		}
		text += d.Kind + " " + d.Object + " " + d.Name
		if d.Got != "" {
			text += " (" + d.Got + ")"
		}
	}
	if len(e.Drifts) > maxShown {
		text += "; …"
	}
	return text + ": call migrate.Repair"
}

// maxShown is how many differences an error's text names.
const maxShown = 5

// QuickVerify is Verify for a readiness probe: one statement that reads the catalogue of the
// database and makes, locks and waits for nothing. It may run inside the host's transaction and
// needs no right to create tables.
//
// On SQLite it compares all that Verify compares. On PostgreSQL it looks whether each table,
// column, constraint, index and trigger is there, whether an index is unique, valid and ready, a
// constraint validated, a column NOT NULL, and whether a trigger or the triggers behind a foreign
// key are disabled. It does not compare definitions beyond that; Verify does.
//
// Indexes of search of which no part exists count as not wanted, whatever the options say: a
// caller that only reads need not know them. A database without the library's tables lacks
// convostore_migrations, and a version that this code does not know is ErrNewer.
func QuickVerify(ctx context.Context, db *gorm.DB, o Options) ([]Drift, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return nil, err
	}
	at, err := m.version(ctx, q)
	if err != nil {
		return nil, err
	}
	if at == 0 {
		return []Drift{{Kind: DriftMissing, Object: "table", Name: o.Prefix + record, Want: "table"}}, nil
	}
	if at > Latest() {
		return nil, fmt.Errorf("%w: the database has version %d, this code knows %d", ErrNewer, at, Latest())
	}
	x, err := expect(m.dialect, o, at)
	if err != nil {
		return nil, err
	}
	var found catalogue
	if m.dialect == postgres {
		found, err = m.quickPostgres(ctx, q, x.all)
	} else {
		found, err = readObjects(ctx, q, "SELECT type, tbl_name, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
		maps.DeleteFunc(found, func(o object, _ string) bool {
			_, ours := x.all[object{kind: "table", table: o.table}]
			return !ours
		})
	}
	if err != nil {
		return nil, err
	}
	return x.drifts(found), nil
}

// expected is what QuickVerify looks for with some options at some version.
type expected struct {
	dialect string
	// all is everything, groups the parts of it that count as not wanted if none of a group
	// exists.
	all    catalogue
	groups []catalogue

	mu sync.Mutex
	// print is the fingerprint of the catalogue that was compared last, and last the result.
	print [sha256.Size]byte
	last  []Drift
}

// expectedOf keeps what was expected before, since reading the migrations takes longer than the
// question to the database.
var expectedOf = struct {
	sync.Mutex
	made map[string]*expected
}{made: map[string]*expected{}}

// maxExpected bounds what is kept, for hosts with a schema for each of many tenants.
const maxExpected = 64

func expect(dialect string, o Options, at int64) (*expected, error) {
	key := fmt.Sprintf("%s %d %q %q %v %v %v", dialect, at, o.Prefix, o.Schema, o.Users != nil, o.Leads != nil, o.WithoutPgvector)
	if dialect == sqlite {
		key += fmt.Sprintf(" %d %+v %+v", o.Dimensions, o.Users, o.Leads)
	}
	expectedOf.Lock()
	defer expectedOf.Unlock()
	if x, ok := expectedOf.made[key]; ok {
		return x, nil
	}
	x, err := newExpected(dialect, o, at)
	if err != nil {
		return nil, err
	}
	if len(expectedOf.made) >= maxExpected {
		clear(expectedOf.made)
	}
	expectedOf.made[key] = x
	return x, nil
}

func newExpected(dialect string, o Options, at int64) (*expected, error) {
	o.WithoutFullText, o.WithoutVectorIndex, o.Trigrams = false, false, true
	all, err := written(files, newPage(dialect, o), at)
	if err != nil {
		return nil, err
	}
	x := &expected{dialect: dialect, all: all}
	for _, leaveOut := range []func(*Options){
		func(o *Options) { o.WithoutFullText = true },
		func(o *Options) { o.WithoutVectorIndex = true },
		func(o *Options) { o.Trigrams = false },
	} {
		less := o
		leaveOut(&less)
		without, err := written(files, newPage(dialect, less), at)
		if err != nil {
			return nil, err
		}
		group := maps.Clone(all)
		maps.DeleteFunc(group, func(o object, _ string) bool { _, ok := without[o]; return ok })
		x.groups = append(x.groups, group)
	}
	if dialect == postgres {
		for o, definition := range x.all {
			x.all[o] = quickForm(o, definition)
		}
	}
	return x, nil
}

// drifts compares a catalogue with what is expected. It does so only when something in it has
// changed since the last time.
func (x *expected) drifts(found catalogue) []Drift {
	now := found.fingerprint()
	x.mu.Lock()
	defer x.mu.Unlock()
	if now == x.print {
		return x.last
	}
	if x.dialect == sqlite {
		found = found.parsed()
	}
	want := maps.Clone(x.all)
	for _, group := range x.groups {
		some := false
		for o := range group {
			_, there := found[o]
			some = some || there
		}
		if !some {
			maps.DeleteFunc(want, func(o object, _ string) bool { _, optional := group[o]; return optional })
		}
	}
	x.print, x.last = now, want.diff(found)
	sortDrifts(x.last)
	return x.last
}
