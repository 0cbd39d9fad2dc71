package migrate

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"github.com/convostore/convostore/internal/naming"
)

//go:embed sql
var files embed.FS

// record is the table that records the migrations that ran.
const record = "convostore_migrations"

// step is one migration. render sets its SQL.
type step struct {
	version  int64
	name     string
	up, down string
	// oldestCode is the oldest version of the code that works with what the step leaves. 0
	// means the step's own version.
	oldestCode int64
	// options names the parts that the step makes because of the options it was rendered with.
	// Empty means that it always makes the same.
	options string
	// empty says that a host's migration has no statement: NewPair's, before it is filled in.
	empty bool
}

func (s step) String() string { return fmt.Sprintf("%d (%s)", s.version, s.name) }

// Latest returns the newest version that this code knows. Up migrates to it.
func Latest() int64 { return latest() }

// latest looks at one dialect only: a test checks that both have the same versions.
var latest = sync.OnceValue(func() int64 {
	steps, err := list(files, postgres)
	if err != nil || len(steps) == 0 {
		panic(fmt.Sprintf("convostore: the embedded migrations: %v", err)) // only a broken build gets here
	}
	return steps[len(steps)-1].version
})

// list returns the library's migrations of a dialect without their SQL, oldest first.
func list(files fs.FS, dialect string) ([]step, error) {
	return listIn(files, path.Join("sql", dialect))
}

// listIn returns the migrations of a directory without their SQL, oldest first.
func listIn(files fs.FS, dir string) ([]step, error) {
	ups, err := fs.Glob(files, path.Join(dir, "*.up.sql"))
	if err != nil {
		return nil, err
	}
	steps := make([]step, 0, len(ups))
	for _, up := range ups {
		number, name, _ := strings.Cut(strings.TrimSuffix(path.Base(up), ".up.sql"), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("convostore: the name of %s: %w", up, err)
		}
		steps = append(steps, step{version: version, name: name})
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.version, b.version) })
	return steps, nil
}

// render returns the library's migrations of the page's dialect, oldest first, with their SQL.
// The SQL of each migration also records it, so that the record is the same whichever tool runs
// the SQL.
func render(files fs.FS, p page) ([]step, error) {
	steps, err := list(files, p.dialect)
	if err != nil {
		return nil, err
	}
	for i, s := range steps {
		base := path.Join("sql", p.dialect, fmt.Sprintf("%04d_%s", s.version, s.name))
		if s.up, err = p.fill(files, base+".up.sql"); err != nil {
			return nil, err
		}
		if s.down, err = p.fill(files, base+".down.sql"); err != nil {
			return nil, err
		}
		if s.oldestCode, err = readOldestCode(s.up); err != nil {
			return nil, fmt.Errorf("convostore: migration %s: %w", s, err)
		}
		if s.name == searchName {
			s.options = p.searchParts()
		}
		steps[i] = s.recorded(p.tables.Quoted(record))
	}
	return steps, nil
}

// recorded returns the step with SQL that records it in the quoted table.
func (s step) recorded(table string) step {
	s.up += "\n" + s.record(table)
	s.down = fmt.Sprintf("DELETE FROM %s WHERE version = %d;\n\n", table, s.version) + s.down
	return s
}

// record returns the statement that records the step in the quoted table.
func (s step) record(table string) string {
	columns, values := "version, name", fmt.Sprintf("%d, '%s'", s.version, s.name)
	if s.oldestCode != 0 {
		columns, values = columns+", oldest_code", fmt.Sprintf("%s, %d", values, s.oldestCode)
	}
	if s.options != "" {
		columns, values = columns+", options", fmt.Sprintf("%s, '%s'", values, s.options)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s);\n", table, columns, values)
}

// readOldestCode returns the version of the annotation oldest-code, or 0.
func readOldestCode(sql string) (oldest int64, err error) {
	for _, match := range annotation.FindAllStringSubmatch(sql, -1) {
		kind, argument, _ := strings.Cut(strings.TrimSpace(match[1]), " ")
		if kind != oldestCode {
			continue
		}
		if oldest, err = strconv.ParseInt(argument, 10, 64); err != nil || oldest < 1 {
			return 0, fmt.Errorf("convostore: the annotation %q names no version", match[1])
		}
	}
	return oldest, nil
}

// page holds the values for the templates of the migrations.
type page struct {
	dialect string
	tables  naming.Tables
	// Schema is the schema to create if it is missing, or empty.
	Schema string
	// Users and Leads are quoted, and nil if there is no foreign key.
	Users, Leads *Ref
	// LeadType is the type of lead_id, with or without a foreign key.
	LeadType string
	// Extensions tells whether to create missing extensions.
	Extensions bool
	// Pgvector tells whether vectors have a type of pgvector.
	Pgvector bool
	// VectorType is the type of an embedding.
	VectorType string
	// VectorOps is the operator class of the vector index.
	VectorOps string
	// PlainVectors tells whether to store vectors inside their rows. VectorIndex, FullText and
	// Trigrams tell which indexes to create.
	PlainVectors, VectorIndex, FullText, Trigrams bool
	// OnlyWords leaves the other indexes of search alone.
	OnlyWords bool
	// SchemaSQL is an SQL expression for the name of the schema that the tables are in.
	SchemaSQL string
	// VectorBytes and CodeBytes are the lengths of the two parts of SQLite's blob.
	VectorBytes, CodeBytes int
	// Now is SQLite's default for a time column, in the format that the drivers write.
	Now string
}

func newPage(dialect string, o Options) page {
	p := page{
		dialect: dialect, tables: o.tables(), Schema: o.Schema,
		Users: o.Users.quoted(), Leads: o.Leads.quoted(), LeadType: o.leadType(),
		Extensions: true, Pgvector: !o.WithoutPgvector && dialect == postgres,
		VectorType: o.vectorType(), VectorOps: o.vectorType() + "_cosine_ops", PlainVectors: o.plainVectors(),
		VectorIndex: !o.WithoutPgvector && !o.WithoutVectorIndex,
		FullText:    !o.WithoutFullText, Trigrams: o.Trigrams, SchemaSQL: o.schemaSQL(),
		VectorBytes: 4 * o.dimensions(), CodeBytes: (o.dimensions() + 7) / 8,
		Now: `(rtrim(rtrim(strftime('%Y-%m-%d %H:%M:%f', 'now'), '0'), '.') || '+00:00')`,
	}
	if p.Pgvector {
		p.VectorType += fmt.Sprintf("(%d)", o.dimensions())
	}
	if o.Leads != nil && o.Leads.Owner == "" {
		p.Leads = nil
	}
	return p
}

// fill executes the template in the named file.
func (p page) fill(files fs.FS, name string) (string, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return "", err
	}
	functions := template.FuncMap{"table": p.tables.Quoted, "name": p.tables.Name, "utc": utc}
	t, err := template.New(name).Funcs(functions).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return "", err
	}
	return b.String(), nil
}

// utc is SQLite's check that a time has the one form of which text order is time order. Any
// other form or offset would be compared and sorted wrongly without an error.
func utc(column string) string { return column + " GLOB '????-??-?? ??:??:??*+00:00'" }

// quoted returns the names quoted for SQL, and nil for nil. check has made sure that they contain
// no quotes.
func (r *Ref) quoted() *Ref {
	if r == nil {
		return nil
	}
	return &Ref{
		Table:  naming.Quote(r.Table),
		Column: naming.Quote(r.column()),
		Owner:  naming.Quote(r.Owner),
	}
}
