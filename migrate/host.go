package migrate

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// hostRecord is the table that records the host's migrations that ran.
const hostRecord = "convostore_host_migrations"

// Host is a host's own set of migrations, for tables of its own beside the library's. It runs
// after the library's, under the same lock and with the same care for a live service, and is
// recorded apart: its numbers have nothing to do with the library's, and no later release of the
// library can collide with them.
//
//	//go:embed migrations/*.sql
//	var own embed.FS
//
//	files, _ := fs.Sub(own, "migrations")
//	err := migrate.Host{Name: "crm", Files: files}.Up(ctx, db, migrate.Options{})
//
// A host that runs its migrations with a tool of its own needs no Host; see FS for the library's.
type Host struct {
	// Name tells several sets in one database apart: a-z, 0-9 and _, at most 40 bytes, the
	// first no digit. It never changes.
	Name string
	// Files has pairs NNNN_name.up.sql and NNNN_name.down.sql in its root, for the dialect of
	// the database; NNNN is a number from 1, such as a count or a timestamp. NewPair makes a
	// pair. Like the library's they are templates, in which {{table "messages"}} is the
	// library's table with the schema and prefix of the Options, and take the same annotations.
	Files fs.FS
}

var (
	hostSet  = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)
	hostFile = regexp.MustCompile(`^(\d+)_([A-Za-z0-9_-]+)\.(up|down)\.sql$`)
)

// Up migrates the library's tables to Latest, and then applies each of the host's migrations that
// the database lacks, in the order of their numbers. That may be an older one than the newest that
// ran: migrations come from several branches.
//
// Its errors are those of the function Up. A bad Name, a file with a bad name or without its other
// half, two migrations of one number, and one that has no statement yet are a *rule.InvalidError.
func (h Host) Up(ctx context.Context, db *gorm.DB, o Options) error {
	m, err := h.open(db, o)
	if err != nil {
		return err
	}
	for _, s := range m.steps {
		if s.empty {
			return rule.Invalid("host", "has no statement in %s: recorded as applied, it would never run once it is filled in", s)
		}
	}
	if err := Up(ctx, db, o); err != nil {
		return err
	}
	return m.up(ctx, maxVersion)
}

// maxVersion is no less than the number of any migration.
const maxVersion = 1<<63 - 1

// Down reverts the newest of the host's migrations that the database has. The library's stay.
func (h Host) Down(ctx context.Context, db *gorm.DB, o Options) error {
	m, err := h.open(db, o)
	if err != nil {
		return err
	}
	return m.down(ctx, func(at int64) int64 { return at - 1 })
}

// DownTo reverts every migration of the host's with a number greater than version, newest first.
// The library's stay. A version below 0 is a *rule.InvalidError.
func (h Host) DownTo(ctx context.Context, db *gorm.DB, o Options, version int64) error {
	m, err := h.open(db, o)
	if err != nil {
		return err
	}
	if version < 0 {
		return rule.Invalid("version", "is negative")
	}
	return m.down(ctx, func(int64) int64 { return version })
}

// Status returns the host's migrations, those of Files and those that the database has, oldest
// first. It may run inside the host's transaction.
func (h Host) Status(ctx context.Context, db *gorm.DB, o Options) ([]Step, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return nil, err
	}
	if err := h.load(m); err != nil {
		return nil, err
	}
	return m.status(ctx, q)
}

// open returns a migrator of the host's set.
func (h Host) open(db *gorm.DB, o Options) (*migrator, error) {
	m, err := openFiles(db, o, files)
	if err != nil {
		return nil, err
	}
	return m, h.load(m)
}

// load gives a migrator the steps of the set.
func (h Host) load(m *migrator) error {
	if !hostSet.MatchString(h.Name) {
		return rule.Invalid("host", "has no name of a-z, 0-9 and _, the first no digit, at most 40 bytes")
	}
	if h.Files == nil {
		return rule.Invalid("host", "has no files")
	}
	if err := h.check(); err != nil {
		return err
	}
	steps, err := listIn(h.Files, ".")
	if err != nil {
		return err
	}
	p := newPage(m.dialect, m.options)
	for i, s := range steps {
		if i > 0 && steps[i-1].version == s.version {
			return rule.Invalid("host", "has two migrations of the number %d: %s and %s", s.version, steps[i-1].name, s.name)
		}
		if steps[i], err = h.step(p, s); err != nil {
			return fmt.Errorf("convostore: the migrations of %s: %w", h.Name, err)
		}
	}
	m.host, m.steps = h.Name, steps
	return nil
}

// check returns a *rule.InvalidError for a file with a bad name or without its other half.
func (h Host) check() error {
	names, err := fs.Glob(h.Files, "*.sql")
	if err != nil {
		return err
	}
	for _, name := range names {
		match := hostFile.FindStringSubmatch(name)
		if len(match) == 0 || hostNumber(name) < 1 {
			return rule.Invalid("host", "has a file %s, whose name is not NUMBER_name.up.sql or .down.sql with a number from 1", name)
		}
		other := map[string]string{"up": "down", "down": "up"}[match[3]]
		if half := match[1] + "_" + match[2] + "." + other + ".sql"; !slices.Contains(names, half) {
			return rule.Invalid("host", "has a file %s without %s", name, half)
		}
	}
	return nil
}

// step returns the step with its SQL, which also records it.
func (h Host) step(p page, s step) (step, error) {
	ups, err := fs.Glob(h.Files, "*_"+s.name+".up.sql")
	if err != nil {
		return s, err
	}
	i := slices.IndexFunc(ups, func(name string) bool { return hostNumber(name) == s.version })
	if s.up, err = p.fill(h.Files, ups[i]); err != nil {
		return s, err
	}
	base := path.Base(ups[i][:len(ups[i])-len(".up.sql")])
	if s.down, err = p.fill(h.Files, base+".down.sql"); err != nil {
		return s, err
	}
	table := p.tables.Quoted(hostRecord)
	code := strings.TrimSpace(withoutComments(s.up))
	if s.empty = code == ""; !s.empty && !strings.HasSuffix(code, ";") {
		s.up += "\n;"
	}
	s.up += fmt.Sprintf("\nINSERT INTO %s (host, version, name) VALUES ('%s', %d, '%s');\n", table, h.Name, s.version, s.name)
	s.down = fmt.Sprintf("DELETE FROM %s WHERE host = '%s' AND version = %d;\n\n", table, h.Name, s.version) + s.down
	return s, nil
}

// makeHostRecord creates the table of the host's migrations, unless it exists or the migrations
// are the library's.
func (m *migrator) makeHostRecord(ctx context.Context, q querier) error {
	if m.host == "" {
		return nil
	}
	there, err := m.exists(ctx, q, hostRecord)
	if err != nil || there {
		return err
	}
	kind, now := "timestamptz", "now()"
	if m.dialect == sqlite {
		kind, now = "timestamp", newPage(m.dialect, m.options).Now
	}
	_, err = q.ExecContext(ctx, fmt.Sprintf(`CREATE TABLE %s (host text NOT NULL, version bigint NOT NULL, name text NOT NULL,
		applied_at %s NOT NULL DEFAULT %s, PRIMARY KEY (host, version))`, m.quoted(hostRecord), kind, now))
	if err != nil {
		return fmt.Errorf("convostore: create the table of the host's migrations: %w", err)
	}
	return nil
}

func (m *migrator) hostTodo(ctx context.Context, q querier, to int64) (steps []step, err error) {
	applied, err := m.applied(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, s := range m.steps {
		if s.version <= to && !slices.ContainsFunc(applied, func(a Step) bool { return a.Version == s.version }) {
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// hostRevertible returns the host's migrations to take back, newest first. One without files, of
// a newer version of the host, is ErrNewer.
func (m *migrator) hostRevertible(ctx context.Context, q querier, target func(at int64) int64) ([]step, error) {
	applied, err := m.applied(ctx, q)
	if err != nil {
		return nil, err
	}
	var at int64
	for _, a := range applied {
		at = max(at, a.Version)
	}
	to := target(at)
	var steps []step
	for _, a := range applied {
		if a.Version <= to {
			continue
		}
		i := slices.IndexFunc(m.steps, func(s step) bool { return s.version == a.Version })
		if i < 0 {
			return nil, fmt.Errorf("%w: it has migration %d (%s) of %s, which has no files here", ErrNewer, a.Version, a.Name, m.host)
		}
		steps = append(steps, m.steps[i])
	}
	slices.SortFunc(steps, func(a, b step) int { return int(min(1, max(-1, b.version-a.version))) })
	return steps, nil
}
