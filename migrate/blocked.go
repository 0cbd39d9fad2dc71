package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrBlocked says that other sessions held locks on the tables for longer than
// Options.WaitLimit. Every *BlockedError matches it.
var ErrBlocked = errors.New("convostore: other sessions lock the tables")

// BlockedError says who was in the way. Nothing of the migration that waited was changed, and
// calling again goes on from there: parts of it, and migrations before it, that the same call
// had finished and told to Options.OnEvent stay.
type BlockedError struct {
	// Statement is the beginning of the statement that waited.
	Statement string
	// Blockers are the sessions that held locks on its tables after the last try in which
	// there were any, those with the oldest transaction first. It is empty if they were gone
	// each time, as many short transactions are.
	Blockers []Blocker
	// Tries is how often the lock was tried, and Waited how long all of that took.
	Tries  int
	Waited time.Duration
	// Err is the database's error in the last try.
	Err error
}

// Error returns the statement, the time and the blockers in one line.
func (e *BlockedError) Error() string {
	who := "by sessions that were gone afterwards"
	if len(e.Blockers) > 0 {
		var list []string
		for _, b := range e.Blockers {
			list = append(list, b.String())
		}
		who = "by " + strings.Join(list, ", ")
	}
	return fmt.Sprintf("%v: %q was blocked in %d tries within %s %s; nothing of it was changed, call again: %v",
		ErrBlocked, e.Statement, e.Tries, e.Waited.Round(time.Millisecond), who, e.Err)
}

// Is makes every BlockedError match ErrBlocked.
func (e *BlockedError) Is(target error) bool { return target == ErrBlocked }

// Unwrap returns Err.
func (e *BlockedError) Unwrap() error { return e.Err }

// Blocker is a session of PostgreSQL that holds a lock. What the role may not see of another
// one's session (see pg_read_all_stats) is zero.
type Blocker struct {
	// PID is the process of the server, for pg_stat_activity and pg_terminate_backend.
	PID int
	// User and Application are who it is, State what it does: "idle in transaction", "active".
	User, Application, State string
	// Table is a table that it holds a lock on.
	Table string
	// QueryAge is the time since its last statement began, TransactionAge that since its
	// transaction did.
	QueryAge, TransactionAge time.Duration
}

// String returns the blocker without the text of its statement, which may hold values.
func (b Blocker) String() string {
	return fmt.Sprintf("pid %d (user %q, application %q, %s, last statement %s ago, transaction %s old) on %s",
		b.PID, b.User, b.Application, b.State, b.QueryAge.Round(time.Millisecond), b.TransactionAge.Round(time.Millisecond), b.Table)
}

// blockersSQL lists the sessions that hold locks on the tables $1, names in lines, which may also
// be indexes.
const blockersSQL = `
WITH t AS (
    SELECT DISTINCT coalesce(i.indrelid, c.oid) AS oid
    FROM unnest(string_to_array($1, E'\n')) n
    JOIN pg_catalog.pg_class c ON c.oid = to_regclass(n)
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
)
SELECT a.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''), coalesce(a.state, ''), min(t.oid::regclass::text),
    coalesce(extract(epoch FROM clock_timestamp() - a.query_start), 0)::float8,
    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8
FROM t
JOIN pg_catalog.pg_locks l ON l.locktype = 'relation' AND l.granted AND l.relation = t.oid
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid AND a.pid <> pg_backend_pid()
GROUP BY a.pid, a.usename, a.application_name, a.state, a.query_start, a.xact_start
ORDER BY a.xact_start NULLS LAST, a.pid`

// blockers returns who holds locks on the tables of a statement. It asks after the statement has
// failed, since a session that waits cannot ask.
func (m *migrator) blockers(ctx context.Context, statement string) ([]Blocker, error) {
	var list []Blocker
	err := readRows(ctx, m.pool, blockersSQL, []any{strings.Join(namesIn(statement), "\n")}, func(rows *sql.Rows) error {
		var b Blocker
		var query, transaction float64
		err := rows.Scan(&b.PID, &b.User, &b.Application, &b.State, &b.Table, &query, &transaction)
		b.QueryAge, b.TransactionAge = seconds(query), seconds(transaction)
		list = append(list, b)
		return err
	})
	return list, err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// readRows calls row for each row of a query.
func readRows(ctx context.Context, q querier, query string, args []any, row func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
