package migrate

import (
	"fmt"
	"io/fs"

	"github.com/convostore/convostore/rule"
)

// Format is the way in which a tool wants its files.
type Format int

const (
	// FormatUpDown is a pair a migration, 0001_core.up.sql and 0001_core.down.sql, for
	// golang-migrate, atlas, and psql or sqlite3 by hand.
	FormatUpDown Format = iota
	// FormatGoose is one file a migration, 00001_core.sql, for goose.
	FormatGoose
)

// FS returns the migrations as files, with the options filled in, for hosts whose own
// tool runs or reviews all SQL. The files lie in the root of the file system; the tool's
// version table is its own, and convostore_migrations is filled beside it.
//
// Dialect is "postgres" or "sqlite"; another one, another format and bad options are a
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

// goose keeps goose from cutting the SQL at each semicolon, of which there may be some
// within a statement.
func (s step) goose() string {
	const begin, end = "-- +goose StatementBegin\n", "-- +goose StatementEnd\n"
	return "-- +goose Up\n" + begin + s.up + end + "\n-- +goose Down\n" + begin + s.down + end
}
