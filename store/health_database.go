package store

import (
	"context"
	"fmt"

	"github.com/convostore/convostore/internal/dialect"
)

type health struct {
	*store
	pools []pool
}

var _ Health = health{}

func (s *store) Health() Health { return health{s, s.pools} }

// tableNames are the library's tables, without their prefix.
func tableNames() []string {
	return []string{
		"conversations", "messages", "message_embeddings", "message_embedding_claims",
		"ai_suggestions", "convostore_migrations",
	}
}

// asked returns a session on the database that Health is about. A replica of PostgreSQL
// has other statistics than the server with the writes. SQLite's two pools are of the same
// file, and the one that writes may be inside a transaction for long.
func (s health) asked(ctx context.Context) conn {
	if s.dialect.Name() == dialect.SQLite {
		return session(ctx, s.reader)
	}
	return session(ctx, s.writer)
}

// only returns ErrUnsupported, with the reason, unless the database is the named one.
func (s health) only(name, reason string) error {
	if s.dialect.Name() == name {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrUnsupported, reason)
}

// addTables adds PostgreSQL's numbers of the library's tables, null for one that is not
// there.
func (s health) addTables(q *query) *query {
	for i, name := range tableNames() {
		comma := ", "
		if i == 0 {
			comma = ""
		}
		q.add(comma+"to_regclass(?)", s.Config.tables.Quoted(name))
	}
	return q
}
