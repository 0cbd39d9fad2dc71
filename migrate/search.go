package migrate

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// searchVersion is the migration that creates the search indexes.
const searchVersion = 4

// RebuildSearch drops the search indexes and creates them again with the given options. Use it
//   - to add or remove full text, trigrams or the vector index, or to change the text
//     configuration;
//   - after a host's AutoMigrate has rebuilt a table of SQLite, which drops its triggers;
//   - around a large import, which is faster without the indexes.
//
// It only reads rows, but nobody can write meanwhile, and on PostgreSQL nobody can read either.
// For a million messages it takes minutes.
//
// An open store remembers what the schema could do when it first asked: restart the services.
// Bad options, and a database below version 4, are a *rule.InvalidError.
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
		return m.rebuildSearch(ctx, q)
	})
}

// rebuildSearch takes the migration of the search indexes back and runs it again.
func (m *migrator) rebuildSearch(ctx context.Context, q querier) error {
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
}

// run executes sql, which is the up or the down part of a step.
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

// canFullText returns an error that says what to do if SQLite was built without FTS5.
func (m *migrator) canFullText(ctx context.Context, q querier) error {
	if m.dialect != sqlite || m.options.WithoutFullText {
		return nil
	}
	var there bool
	if err := q.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pragma_module_list WHERE name = 'fts5'").Scan(&there); err != nil {
		return fmt.Errorf("convostore: look for FTS5: %w", err)
	}
	if !there {
		return rule.Invalid("db", "is SQLite without FTS5: build the driver with it (mattn/go-sqlite3: -tags sqlite_fts5; ncruces/go-sqlite3: AutoExtension(fts5.Register)), or set WithoutFullText")
	}
	return nil
}
