package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// patience is how long a server has to answer that it stopped a statement. One that is
// gone keeps a call no longer than that beyond its context.
const patience = time.Second

// cancelling returns the configuration of connections that outlive the contexts of their
// statements: when one ends, the server is asked to stop the statement. pgx would close the
// connection, and where many contexts end, a pool would do little but connect.
func cancelling(config *pgx.ConnConfig) pgx.ConnConfig {
	c := *config
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: patience}
	}
	return c
}
