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

// RebuildSearch drops what search needs and creates it again with the given options. Use it
//   - to add or remove full text, trigrams or the vector index;
//   - after a host's AutoMigrate has rebuilt a table of SQLite, which drops its triggers;
//   - around a large import, which is faster without the indexes.
//
// It changes no row of a conversation. The index of words is emptied, and every live message and
// every title is noted to be read: all of it is found at once, and searches take longer until
// the library has packed what is noted. While it is noted nobody can write on SQLite, and on
// PostgreSQL nobody can read or write. The other indexes of PostgreSQL are then made concurrently,
// if their table has rows and the pool more than one connection, while everybody reads and
// writes, and a search is right and slower. If such a call is killed, indexes are missing, which
// Ready tells and Repair or another call makes. RebuildSearch waits for locks as Up does.
//
// Where the tables are distributed over a Citus cluster, there is no index of words afterwards.
//
// An open store remembers what the schema could do when it first asked: restart the services.
// Bad options, and a database below the version of the migration named search, are a
// *rule.InvalidError.
func RebuildSearch(ctx context.Context, db *gorm.DB, o Options) error {
	m, err := open(db, o, 0)
	if err != nil {
		return err
	}
	begin := time.Now()
	var s step
	var later []statement
	err = m.locked(ctx, func(q querier) error {
		at, err := m.known(ctx, q)
		if err != nil {
			return err
		}
		if at < searchVersion {
			return rule.Invalid("db", "is at version %d, and version %d makes the indexes of search: call Up", at, searchVersion)
		}
		if err := m.fitCluster(ctx, q); err != nil {
			return err
		}
		s = m.steps[slices.IndexFunc(m.steps, func(s step) bool { return s.version == searchVersion })]
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
	if err := m.execute(ctx, q, sql); err != nil {
		return fmt.Errorf("convostore: migration %s: %w", s, err)
	}
	return nil
}
