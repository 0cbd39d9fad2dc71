package health

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// probe is how one kind of database answers Health. A method for something that the database
// cannot do returns store.ErrUnsupported with the reason.
type probe interface {
	// conn returns a connection to the server or file that Health reports on.
	conn(ctx context.Context) query.Conn
	// version is SQL for the name and version of the database.
	version() string
	// settings are those with which the store may not work.
	settings() settings
	// checkConns looks at the settings of a pool of the host's beyond those that a statement
	// shows. If it has looked at the settings as well, it returns true.
	checkConns(ctx context.Context, pool *sql.DB) (bool, error)
	// identify sets the name and version of the database, from the value of version, and its
	// extensions.
	identify(db query.Conn, version string, r *store.Readiness) error
	// readerNeedsCheck tells whether the schema behind st.Reader may differ from the one
	// that conn reads.
	readerNeedsCheck() bool
	// tableSizes returns the library's tables in any order.
	tableSizes(ctx context.Context) ([]store.TableSize, error)
	indexUsage(ctx context.Context) ([]store.IndexUsage, error)
	// slowQueries returns at most limit statements; limit is positive.
	slowQueries(ctx context.Context, limit int) ([]store.SlowQuery, error)
	resetSlowQueries(ctx context.Context) error
	pages(ctx context.Context) (store.Pages, error)
	check(ctx context.Context) ([]string, error)
}

// probeOf is the only place where this package picks a database by its name.
func probeOf(st *scope.Store) probe {
	switch st.Dialect.Name() {
	case dialect.Postgres:
		return postgresProbe{st}
	case dialect.SQLite:
		return sqliteProbe{st}
	default:
		return noProbe{st}
	}
}

// noProbe stands for a database that has a dialect but no probe.
type noProbe struct{ st *scope.Store }

func (p noProbe) unsupported() error {
	return fmt.Errorf("%w: no health report is written for %s", store.ErrUnsupported, p.st.Dialect.Name())
}

func (p noProbe) conn(ctx context.Context) query.Conn { return query.On(ctx, p.st.Writer) }

func (noProbe) version() string { return "''" }

func (noProbe) settings() settings { return nil }

func (noProbe) checkConns(context.Context, *sql.DB) (bool, error) { return false, nil }

func (p noProbe) identify(query.Conn, string, *store.Readiness) error { return p.unsupported() }

func (p noProbe) readerNeedsCheck() bool { return false }

func (p noProbe) tableSizes(context.Context) ([]store.TableSize, error) { return nil, p.unsupported() }

func (p noProbe) indexUsage(context.Context) ([]store.IndexUsage, error) {
	return nil, p.unsupported()
}

func (p noProbe) slowQueries(context.Context, int) ([]store.SlowQuery, error) {
	return nil, p.unsupported()
}

func (p noProbe) resetSlowQueries(context.Context) error { return p.unsupported() }

func (p noProbe) pages(context.Context) (store.Pages, error) { return store.Pages{}, p.unsupported() }

func (p noProbe) check(context.Context) ([]string, error) { return nil, p.unsupported() }
