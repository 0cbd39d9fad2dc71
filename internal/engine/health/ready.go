package health

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

func (s health) Ready(ctx context.Context) (r store.Readiness, err error) {
	begin := time.Now()
	defer func() { r.Took = time.Since(begin) }()
	r.Wanted = migrate.Latest()
	db := s.asked(ctx)
	if err = s.identify(db, &r); err != nil {
		return r, query.Wrap("ask the database for its version", err)
	}
	if r.Schema, err = migrate.Version(ctx, db.Host(), s.st.MigrateOptions()); err != nil {
		return r, query.Wrap("ask the database for its schema", err)
	}
	f, err := s.st.ReadFeatures(db)
	if err != nil {
		return r, err
	}
	r.FullText, r.Vectors, r.VectorIndex = f.FullText, f.Vectors, f.VectorIndex
	if err := scope.CompareSchema(r.Schema); err != nil {
		return r, err
	}
	return r, s.readerReady(ctx)
}

// identify fills in which database it is.
func (s health) identify(db query.Conn, r *store.Readiness) error {
	if s.st.Dialect.Name() == dialect.SQLite {
		_, err := query.New("SELECT 'SQLite ' || sqlite_version()").Row(db, &r.Database)
		return err
	}
	var version string
	if _, err := query.New("SELECT version()").Row(db, &version); err != nil {
		return err
	}
	// "PostgreSQL 15.18 (Debian …) on x86_64-pc-linux-gnu, compiled by …"
	words := strings.Fields(version)
	r.Database = strings.Join(words[:min(2, len(words))], " ")
	extensions, err := s.readExtensions(db)
	r.Extensions = extensions
	return err
}

func (s health) readExtensions(db query.Conn) (map[string]string, error) {
	type extension struct{ name, version string }
	q := query.New("SELECT extname, extversion FROM pg_extension WHERE extname IN ('vector', 'pg_trgm', 'pg_stat_statements', 'citus')")
	found, err := query.All(db, q, func(e *extension) []any { return []any{&e.name, &e.version} })
	extensions := make(map[string]string, len(found))
	for _, e := range found {
		extensions[e.name] = e.version
	}
	return extensions, err
}

// readerReady asks a replica, without which the store cannot read, and which may not have
// the schema yet.
func (s health) readerReady(ctx context.Context) error {
	if s.st.Reader == s.st.Writer || s.st.Dialect.Name() == dialect.SQLite {
		return nil
	}
	have, err := migrate.Version(ctx, query.On(ctx, s.st.Reader).Host(), s.st.MigrateOptions())
	if err != nil {
		return query.Wrap("ask the reader for its schema", err)
	}
	if err := scope.CompareSchema(have); err != nil {
		return fmt.Errorf("the reader: %w", err)
	}
	return nil
}
