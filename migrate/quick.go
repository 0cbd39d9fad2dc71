package migrate

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
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
// Of search it looks for what the migration or RebuildSearch has recorded that it made, whatever
// the options say: a caller that only reads need not know them. While another session migrates a
// database of PostgreSQL, an index of search that is missing or invalid is no drift: it is being
// made, and searches are slower and right without it. A database without the library's tables lacks
// convostore_migrations, and a version that this code does not know is ErrNewer.
func QuickVerify(ctx context.Context, db *gorm.DB, o Options) ([]Drift, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return nil, err
	}
	have, err := m.schema(ctx, q)
	if err != nil {
		return nil, err
	}
	at := have.Version
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
	found[object{kind: recordedParts, name: have.search}] = ""
	return x.drifts(found), nil
}

// What a catalogue has besides the schema: the parts of search that are recorded, in the name, and
// that another session migrates.
const (
	recordedParts = "recorded"
	migrating     = "migrating"
)

// expected is what QuickVerify looks for with some options at some version.
type expected struct {
	dialect string
	// all is everything, groups the parts of search in it, by their names.
	all    catalogue
	groups map[string]catalogue

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
	x := &expected{dialect: dialect, all: all, groups: map[string]catalogue{}}
	for part, leaveOut := range map[string]func(*Options){
		fullTextPart:    func(o *Options) { o.WithoutFullText = true },
		vectorIndexPart: func(o *Options) { o.WithoutVectorIndex = true },
		trigramsPart:    func(o *Options) { o.Trigrams = false },
	} {
		less := o
		leaveOut(&less)
		without, err := written(files, newPage(dialect, less), at)
		if err != nil {
			return nil, err
		}
		group := maps.Clone(all)
		maps.DeleteFunc(group, func(o object, _ string) bool { _, ok := without[o]; return ok })
		x.groups[part] = group
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
	want := x.wanted(found)
	x.print, x.last = now, want.diff(found)
	if _, busy := found[object{kind: migrating}]; busy {
		x.last = slices.DeleteFunc(x.last, func(d Drift) bool { return d.Object == "index" && x.ofSearch(d.of()) })
	}
	sortDrifts(x.last)
	return x.last
}

// wanted leaves out the parts of search that were not made: those that are not recorded and of
// which nothing is found.
func (x *expected) wanted(found catalogue) catalogue {
	want, made := maps.Clone(x.all), []string{}
	for o := range found {
		if o.kind == recordedParts {
			made = strings.Fields(o.name)
		}
	}
	for part, group := range x.groups {
		wanted := slices.Contains(made, part)
		for o := range group {
			_, there := found[o]
			wanted = wanted || there
		}
		if !wanted {
			maps.DeleteFunc(want, func(o object, _ string) bool { _, optional := group[o]; return optional })
		}
	}
	return want
}

func (x *expected) ofSearch(o object) bool {
	for _, group := range x.groups {
		if _, ok := group[o]; ok {
			return true
		}
	}
	return false
}
