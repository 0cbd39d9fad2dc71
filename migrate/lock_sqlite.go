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
	// busyLimit ends the wait for other writers when ctx has no end.
	busyLimit = time.Minute
	// busyPause is the longest pause between two tries.
	busyPause = 100 * time.Millisecond
)

// lockedSQLite begins by hand: the host's DSN may make transactions deferred, and two of
// those that read before they write cannot both go on. It tries again as a whole while
// the database is busy, since a host's busy_timeout may be 0, and since a reader can
// stand in the way of the commit too.
func lockedSQLite(ctx context.Context, db *sql.DB, fn func(querier) error) error {
	limit := time.Now().Add(busyLimit)
	for pause := time.Millisecond; ; pause = min(2*pause, busyPause) {
		err := onceSQLite(ctx, db, fn)
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

func onceSQLite(ctx context.Context, db *sql.DB, fn func(querier) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("convostore: connect: %w", err)
	}
	defer conn.Close() //nolint:errcheck // gives the connection back to the pool
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

// beginSQLite does not wait, since lockedSQLite does: mattn's driver waits out the busy
// timeout of the host's, whatever ctx says.
func beginSQLite(ctx context.Context, conn *sql.Conn) error {
	var timeout int64
	if err := conn.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&timeout); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	// The host's connection goes back as it was.
	_, restoreErr := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprint("PRAGMA busy_timeout = ", timeout))
	return errors.Join(err, restoreErr)
}

// rollbackSQLite never gives a connection back to the pool inside a transaction. SQLite
// rolls back by itself after some errors, and ROLLBACK then fails: BEGIN shows whether it
// did. Only a connection that is stuck is thrown away, since closing the last one of a
// database in memory would lose the host's rows.
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
