package health

import (
	"context"
	"fmt"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/store"
)

// tableNames are the library's tables, without their prefix.
func tableNames() []string { return append(naming.WithRows(), naming.Migrations) }

// asked returns a session on the database that Health is about. A replica of PostgreSQL
// has other statistics than the server with the writes. SQLite's two pools are of the same
// file, and the one that writes may be inside a transaction for long.
func (s health) asked(ctx context.Context) query.Conn {
	if s.st.Dialect.Name() == dialect.SQLite {
		return query.On(ctx, s.st.Reader)
	}
	return query.On(ctx, s.st.Writer)
}

// only returns ErrUnsupported, with the reason, unless the database is the named one.
func (s health) only(name, reason string) error {
	if s.st.Dialect.Name() == name {
		return nil
	}
	return fmt.Errorf("%w: %s", store.ErrUnsupported, reason)
}

// addTables adds PostgreSQL's numbers of the library's tables, null for one that is not
// there.
func (s health) addTables(q *query.Query) *query.Query {
	for i, name := range tableNames() {
		comma := ", "
		if i == 0 {
			comma = ""
		}
		q.Add(comma+"to_regclass(?)", s.st.Config.Tables.Quoted(name))
	}
	return q
}
