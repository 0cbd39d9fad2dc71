package migrate

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// searchVersion is the migration that makes what can be made again from the rows.
const searchVersion = 3

// RebuildSearch drops the indexes of search and makes them anew with the options given:
// to add full text, trigrams or the vector index later, to leave them out, to change the
// text configuration; after a host's AutoMigrate rebuilt a table of SQLite and so dropped
// its triggers; and around a large import, which is faster without the indexes. Rows are
// only read, but nobody writes meanwhile, and on PostgreSQL nobody reads. Of a million
// messages it takes minutes.
//
// Stores that are open keep to what the schema could do when they first asked: restart
// the services. Bad options, and a database that does not have the search yet, are a
// *rule.InvalidError.
func RebuildSearch(ctx context.Context, db *gorm.DB, o Options) error {
	m, err := open(db, o, 0)
	if err != nil {
		return err
	}
	return m.locked(ctx, func(q querier) error {
		at, err := m.known(ctx, q)
		if err != nil {
			return err
		}
		if at < searchVersion {
			return rule.Invalid("db", "is at version %d, and version %d makes the indexes of search: call Up", at, searchVersion)
		}
		for _, s := range m.steps {
			if s.version != searchVersion {
				continue
			}
			for _, sql := range []string{s.down, s.up} {
				if err := m.run(ctx, q, s, sql); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// run executes the SQL of a step.
func (m *migrator) run(ctx context.Context, q querier, s step, sql string) error {
	if s.version == searchVersion {
		if err := m.canFullText(ctx, q); err != nil {
			return err
		}
	}
	if err := m.execute(ctx, q, sql); err != nil {
		return fmt.Errorf("convostore: migration %s: %w", s, err)
	}
	return nil
}

// canFullText says what to do where SQLite was built without FTS5.
func (m *migrator) canFullText(ctx context.Context, q querier) error {
	if m.dialect != sqlite || m.options.WithoutFullText {
		return nil
	}
	var there bool
	if err := q.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pragma_module_list WHERE name = 'fts5'").Scan(&there); err != nil {
		return fmt.Errorf("convostore: look for FTS5: %w", err)
	}
	if !there {
		return rule.Invalid("db", "is SQLite without FTS5: build the driver with it (mattn/go-sqlite3: -tags sqlite_fts5), or set WithoutFullText")
	}
	return nil
}
