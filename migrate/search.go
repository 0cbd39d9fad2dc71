package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// searchVersion is the migration that creates the search indexes, the one of that name.
var searchVersion = func() int64 {
	steps, err := list(files, postgres)
	if err != nil {
		panic(fmt.Sprintf("convostore: the embedded migrations: %v", err)) // only a broken build gets here
	}
	return steps[slices.IndexFunc(steps, func(s step) bool { return s.name == searchName })].version
}()

// searchName is the name of the migration that creates the search indexes.
const searchName = "search"

// The parts of search, as its migration records those that it has made.
const (
	fullTextPart    = "full_text"
	vectorIndexPart = "vector_index"
	trigramsPart    = "trigrams"
)

// searchParts returns the parts that the migration makes, separated by spaces. It is never empty.
func (p page) searchParts() string {
	parts := []string{"search"}
	if p.FullText {
		parts = append(parts, fullTextPart)
	}
	if p.dialect == postgres && p.VectorIndex {
		parts = append(parts, vectorIndexPart)
	}
	if p.dialect == postgres && p.Trigrams {
		parts = append(parts, trigramsPart)
	}
	return strings.Join(parts, " ")
}

// RebuildSearch drops the search indexes and creates them again with the given options. Use it
//   - to add or remove full text, trigrams or the vector index, or to change the text
//     configuration;
//   - after a host's AutoMigrate has rebuilt a table of SQLite, which drops its triggers;
//   - around a large import, which is faster without the indexes.
//
// It changes no row. On SQLite nobody can write meanwhile. On PostgreSQL nobody can read or write
// while the columns of full text are made anew. The indexes are then made concurrently, if their
// table has rows and the pool more than one connection, while everybody reads and writes, and a
// search is right and slower. If such a call is killed, indexes are missing, which Ready tells and
// Repair or another call makes. RebuildSearch waits for locks as Up does.
//
// An open store remembers what the schema could do when it first asked: restart the services.
// Bad options, and a database below the version of the migration named search, are a
// *rule.InvalidError.
func RebuildSearch(ctx context.Context, db *gorm.DB, o Options) error {
	m, err := open(db, o, 0)
	if err != nil {
		return err
	}
	s := m.steps[slices.IndexFunc(m.steps, func(s step) bool { return s.version == searchVersion })]
	begin := time.Now()
	var later []statement
	err = m.locked(ctx, func(q querier) error {
		at, err := m.known(ctx, q)
		if err != nil {
			return err
		}
		if at < searchVersion {
			return rule.Invalid("db", "is at version %d, and version %d makes the indexes of search: call Up", at, searchVersion)
		}
		later, err = m.rebuild(ctx, q, s)
		return err
	})
	if err == nil && len(later) > 0 {
		err = m.guarded(ctx, func() error {
			for _, st := range later {
				if err := m.buildIndex(ctx, st); err != nil {
					return fmt.Errorf("convostore: migration %s: %w", s, err)
				}
			}
			return nil
		})
	}
	if err == nil {
		m.tell(s.of(EventRebuilt, begin))
	}
	return err
}

// rebuild takes the step back and applies it again, except for the indexes that are to be made
// concurrently, which it returns. The record of the step is never absent for others.
func (m *migrator) rebuild(ctx context.Context, q querier, s step) (later []statement, err error) {
	list, err := parse(s.up)
	if err != nil {
		return nil, err
	}
	if err := m.lockTables(ctx, q, append(statements(s.down), statements(s.up)...)); err != nil {
		return nil, err
	}
	if err := m.run(ctx, q, s, s.down); err != nil {
		return nil, err
	}
	var now strings.Builder
	for _, st := range list {
		apart, err := m.apart(ctx, q, st)
		if err != nil {
			return nil, err
		}
		if apart && st.kind == concurrently && m.pool.Stats().MaxOpenConnections != 1 {
			later = append(later, st)
			continue
		}
		now.WriteString(st.sql)
	}
	return later, m.run(ctx, q, s, now.String())
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
