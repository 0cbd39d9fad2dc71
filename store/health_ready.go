package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/migrate"
)

func (s health) Ready(ctx context.Context) (r Readiness, err error) {
	begin := time.Now()
	defer func() { r.Took = time.Since(begin) }()
	r.Wanted = migrate.Latest()
	db := s.asked(ctx)
	if err = s.identify(db, &r); err != nil {
		return r, fail("ask the database for its version", err)
	}
	if r.Schema, err = migrate.Version(ctx, db.host(), s.migrateOptions()); err != nil {
		return r, fail("ask the database for its schema", err)
	}
	f, err := s.readFeatures(db)
	if err != nil {
		return r, err
	}
	r.FullText, r.Vectors, r.VectorIndex = f.fullText, f.vectors, f.vectorIndex
	if err := compareSchema(r.Schema); err != nil {
		return r, err
	}
	return r, s.readerReady(ctx)
}

// identify fills in which database it is.
func (s health) identify(db conn, r *Readiness) error {
	if s.dialect.Name() == dialect.SQLite {
		_, err := newQuery("SELECT 'SQLite ' || sqlite_version()").row(db, &r.Database)
		return err
	}
	var version string
	if _, err := newQuery("SELECT version()").row(db, &version); err != nil {
		return err
	}
	// "PostgreSQL 15.18 (Debian …) on x86_64-pc-linux-gnu, compiled by …"
	words := strings.Fields(version)
	r.Database = strings.Join(words[:min(2, len(words))], " ")
	extensions, err := s.readExtensions(db)
	r.Extensions = extensions
	return err
}

func (s health) readExtensions(db conn) (map[string]string, error) {
	type extension struct{ name, version string }
	q := newQuery("SELECT extname, extversion FROM pg_extension WHERE extname IN ('vector', 'pg_trgm', 'pg_stat_statements', 'citus')")
	found, err := collect(db, q, func(e *extension) []any { return []any{&e.name, &e.version} })
	extensions := make(map[string]string, len(found))
	for _, e := range found {
		extensions[e.name] = e.version
	}
	return extensions, err
}

// readerReady asks a replica, without which the store cannot read, and which may not have
// the schema yet.
func (s health) readerReady(ctx context.Context) error {
	if s.reader == s.writer || s.dialect.Name() == dialect.SQLite {
		return nil
	}
	have, err := migrate.Version(ctx, session(ctx, s.reader).host(), s.migrateOptions())
	if err != nil {
		return fail("ask the reader for its schema", err)
	}
	if err := compareSchema(have); err != nil {
		return fmt.Errorf("the reader: %w", err)
	}
	return nil
}
