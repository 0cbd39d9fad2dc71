package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// cancelTimeout is how long the server has to confirm a cancelled statement. A call to a server
// that does not answer ends at most this long after its context.
const cancelTimeout = time.Second

// withCancelRequests returns the configuration of connections that survive the end of a
// statement's context: they send the server a cancel request. By default pgx closes the
// connection, and a pool in which many contexts end would spend its time connecting.
func withCancelRequests(config *pgx.ConnConfig) pgx.ConnConfig {
	c := *config
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelTimeout}
	}
	return c
}
