package migrate

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/convostore/convostore/internal/dialect"
)

const (
	// busyLimit is the longest wait for other writers, if ctx does not end before.
	busyLimit = time.Minute
	// busyPause is the longest backoff between two tries.
	busyPause = 100 * time.Millisecond
)

// lockedSQLite runs fn in an IMMEDIATE transaction. It does not use the host's BeginTx, because
// the host's DSN may make transactions deferred, and of two deferred transactions that read
// before they write one fails. While the database is busy it retries the whole transaction: the
// host's busy_timeout may be 0, and a reader can block the commit too.
func lockedSQLite(ctx context.Context, db *sql.DB, fn func(querier) error) error {
	return retrySQLite(ctx, func() error { return onceSQLite(ctx, db, fn) })
}

// retrySQLite runs try again while the database is busy.
func retrySQLite(ctx context.Context, try func() error) error {
	limit := time.Now().Add(busyLimit)
	for pause := time.Millisecond; ; pause = min(2*pause, busyPause) {
		err := try()
		if !busy(err) || time.Now().After(limit) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("convostore: waiting for other writers: %w", errors.Join(ctx.Err(), err))
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// onceSQLite is lockedSQLite without the retry.
func onceSQLite(ctx context.Context, db *sql.DB, fn func(querier) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("convostore: connect: %w", err)
	}
	defer conn.Close() //nolint:errcheck // gives the connection back to the pool
	return onConnSQLite(ctx, conn, fn)
}

// onConnSQLite runs fn in an IMMEDIATE transaction on a connection.
func onConnSQLite(ctx context.Context, conn *sql.Conn, fn func(querier) error) error {
	if err := beginSQLite(ctx, conn); err != nil {
		return fmt.Errorf("convostore: begin: %w", err)
	}
	if err := fn(conn); err != nil {
		rollbackSQLite(ctx, conn)
		return err
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		rollbackSQLite(ctx, conn)
		return fmt.Errorf("convostore: commit: %w", err)
	}
	return nil
}

// beginSQLite fails at once if the database is busy, and lockedSQLite retries. With the host's
// busy timeout, mattn's driver would wait for all of it even after ctx has ended.
func beginSQLite(ctx context.Context, conn *sql.Conn) error {
	var timeout int64
	if err := conn.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&timeout); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	// The host gets its connection back with its own timeout.
	_, restoreErr := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprint("PRAGMA busy_timeout = ", timeout))
	return errors.Join(err, restoreErr)
}

// rollbackSQLite rolls back, so that the connection never returns to the pool inside a
// transaction. After some errors SQLite has already rolled back by itself, and ROLLBACK fails;
// BEGIN shows whether that is so. Only a connection that is still inside a transaction is
// closed, because closing the last one of a database in memory would lose the host's rows.
func rollbackSQLite(ctx context.Context, conn *sql.Conn) {
	ctx = context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err == nil {
		return
	}
	if _, err := conn.ExecContext(ctx, "BEGIN"); err == nil {
		if _, err = conn.ExecContext(ctx, "ROLLBACK"); err == nil {
			return
		}
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

func busy(err error) bool { return dialect.KindOf(err) == dialect.Retry }
