package health

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/convostore/convostore/store"
)

// maxLooked is how many connections of a host's pool are looked at.
const maxLooked = 4

// checkConns looks at several connections of a host's pool at once, a new one among them: a
// PRAGMA that the host ran through the pool has set the one that it happened to get. It also
// looks how a transaction begins, and whether the connections share a database. It waits for no
// writer, and for no connection but the first.
func (p sqliteProbe) checkConns(ctx context.Context, pool *sql.DB) (checked bool, err error) {
	var held []*hostConn
	defer func() {
		for _, c := range held {
			err = errors.Join(err, c.Close())
		}
	}()
	for isNew := false; len(held) == 0 || !isNew && len(held) < maxLooked && another(pool); {
		open := pool.Stats().OpenConnections
		conn, err := pool.Conn(ctx)
		if err != nil {
			return true, err
		}
		isNew = pool.Stats().OpenConnections > open
		held = append(held, &hostConn{Conn: conn})
		if fault, err := held[len(held)-1].look(ctx); fault != nil || err != nil {
			return true, errors.Join(fault, err)
		}
		isNew = isNew && (len(held) > 1 || !held[0].memory)
	}
	return true, checkHeld(ctx, held, pool.Stats().MaxOpenConnections == 1)
}

// another tells whether the pool has one more connection for the taking.
func another(pool *sql.DB) bool {
	s := pool.Stats()
	return s.MaxOpenConnections == 0 || s.InUse < s.MaxOpenConnections
}

// checkHeld is what the connections are asked after their settings.
func checkHeld(ctx context.Context, held []*hostConn, single bool) error {
	first := held[0]
	if first.queryOnly || first.memory && single {
		return nil
	}
	for _, other := range held[1:] {
		if first.memory && first.pages != other.pages {
			return &store.SettingError{
				Setting: "database", Value: ":memory:", Want: "a file, or one connection",
				Why: "each connection has a database of its own; call SetMaxOpenConns(1) on the pool",
			}
		}
	}
	return checkBegin(ctx, first)
}

// hostConn is a connection of a host's pool.
type hostConn struct {
	*sql.Conn
	timeout           int64
	memory, queryOnly bool
	// pages is how many pages the database has.
	pages int64
}

// look reads the settings of the connection.
func (c *hostConn) look(ctx context.Context) (fault, err error) {
	const own = "(SELECT timeout FROM pragma_busy_timeout)"
	const memory = "(SELECT file = '' FROM pragma_database_list WHERE name = 'main')"
	const queryOnly = "(SELECT query_only FROM pragma_query_only)"
	const pages = "(SELECT page_count FROM pragma_page_count)"
	values, dest := destinations(len(sqliteSettings))
	dest = append([]any{&c.timeout, &c.memory, &c.queryOnly, &c.pages}, dest...)
	if err := c.QueryRowContext(ctx, sqliteSettings.text(own, memory, queryOnly, pages)).Scan(dest...); err != nil {
		return nil, err
	}
	return sqliteSettings.faults(values, !c.queryOnly), nil
}

// impatient runs fn with a busy timeout of 0, and gives the connection its own one back.
func (c *hostConn) impatient(ctx context.Context, fn func() error) error {
	if _, err := c.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	err := fn()
	_, restored := c.ExecContext(context.WithoutCancel(ctx), fmt.Sprint("PRAGMA busy_timeout = ", c.timeout))
	return errors.Join(err, restored)
}

// checkBegin begins a transaction in the host's way. An IMMEDIATE one takes the lock of every
// attached database at once, so that a further one, in memory and attached for this, cannot be
// detached. That asks no second connection, and waits for nobody: a database that is busy shows
// as well that the transaction is not deferred.
func checkBegin(ctx context.Context, c *hostConn) error {
	if _, err := c.ExecContext(ctx, "ATTACH ':memory:' AS convostore_probe"); err != nil {
		return ctx.Err() // as many as SQLite allows are attached, or the host forbids it
	}
	const detach = "DETACH convostore_probe"
	deferred := false
	err := c.impatient(ctx, func() error {
		tx, err := c.BeginTx(ctx, nil)
		if err != nil {
			return ctx.Err() // busy, or read-only: not deferred
		}
		_, err = tx.ExecContext(ctx, detach)
		deferred = err == nil
		return errors.Join(ctx.Err(), tx.Rollback())
	})
	if !deferred {
		_, detached := c.ExecContext(context.WithoutCancel(ctx), detach)
		return errors.Join(err, detached)
	}
	return errors.Join(err, &store.SettingError{
		Setting: "txlock", Value: "deferred", Want: "immediate",
		Why: "a transaction that reads and then writes fails when another one has written in between, whatever the busy timeout is",
	})
}
