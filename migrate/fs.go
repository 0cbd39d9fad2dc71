package migrate

import (
	"fmt"
	"io/fs"

	"github.com/convostore/convostore/rule"
)

// Format is the file format of a migration tool.
type Format int

const (
	// FormatUpDown is two files for each migration, 0001_core.up.sql and 0001_core.down.sql, for
	// golang-migrate, atlas, and psql or sqlite3 by hand.
	FormatUpDown Format = iota
	// FormatGoose is one file for each migration, 00001_core.sql, for goose.
	FormatGoose
)

// FS returns the migrations as files, with the options filled in, for hosts that run or review
// all SQL with a tool of their own. The files are in the root of the file system. The tool keeps
// its own version table, and the SQL also fills convostore_migrations.
//
// dialect is "postgres" or "sqlite". Another dialect, another format and bad options are a
// *rule.InvalidError.
func FS(dialect string, o Options, format Format) (fs.FS, error) {
	if err := o.check(dialect); err != nil {
		return nil, err
	}
	steps, err := render(files, newPage(dialect, o))
	if err != nil {
		return nil, err
	}
	m := memory{}
	for _, s := range steps {
		switch format {
		case FormatUpDown:
			m[fmt.Sprintf("%04d_%s.up.sql", s.version, s.name)] = s.up
			m[fmt.Sprintf("%04d_%s.down.sql", s.version, s.name)] = s.down
		case FormatGoose:
			m[fmt.Sprintf("%05d_%s.sql", s.version, s.name)] = s.goose()
		default:
			return nil, rule.Invalid("format", "FormatUpDown or FormatGoose")
		}
	}
	return m, nil
}

// goose returns the step as a file for goose. Its marks prevent goose from splitting the SQL at
// every semicolon, because a statement may contain some.
func (s step) goose() string {
	const begin, end = "-- +goose StatementBegin\n", "-- +goose StatementEnd\n"
	return "-- +goose Up\n" + begin + s.up + end + "\n-- +goose Down\n" + begin + s.down + end
}
