package query

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/store"
)

// Handle is a *gorm.DB as the store uses it: a connection pool or a transaction, with the log
// of its statements.
//
// Statements go directly to GORM's connection pool. GORM's own Raw copies a session, builds
// the text once more and inspects each argument by reflection, which took as long as the
// driver itself for a statement of two dozen arguments. It is used only where the host has
// plugins or a timeout, which take effect nowhere else.
type Handle struct {
	// gorm is the handle of the host or the backend. It keeps the pool that a transaction began
	// in, while pool is the transaction itself.
	gorm   *gorm.DB
	pool   gorm.ConnPool
	driver dialect.Driver
	log    *StatementLog
	// closed is set by Close.
	closed *atomic.Bool
	// losable is set in a transaction that the database may roll back by itself.
	losable gorm.ConnPool
	// done releases the context of a transaction that this handle began.
	done func()
	// conn is the connection of a transaction that this handle began and that can copy, and
	// copier how. Both are nil in any other.
	conn   *sql.Conn
	copier copier
}

// NewHandle returns the handle of a GORM handle, whose driver behaves as driver says. Without
// a log, the GORM handle's own logger is told of each statement.
func NewHandle(db *gorm.DB, driver dialect.Driver, log *StatementLog) *Handle {
	h := &Handle{gorm: db, pool: plainPool(db.Statement.ConnPool), driver: driver, log: log, closed: &atomic.Bool{}}
	h.losable = losable(h.pool, driver)
	return h
}

// plainPool returns the pool that a model's statement has put its own around, which a handle
// has that a hook or a plugin of the host passes on.
func plainPool(pool gorm.ConnPool) gorm.ConnPool {
	if around, ok := pool.(interface{ Unwrap() gorm.ConnPool }); ok {
		return around.Unwrap()
	}
	return pool
}

// in returns the handle of a transaction that has begun, whose context done releases. It must
// be ended with end.
func (h *Handle) in(tx gorm.ConnPool, done func()) *Handle {
	inTx := *h
	inTx.pool, inTx.done = tx, done
	inTx.losable = losable(tx, h.driver)
	return &inTx
}

// beginTx begins a transaction and keeps its connection, if it can copy.
func (h *Handle) beginTx(ctx context.Context) (gorm.ConnPool, error) {
	if err := h.Closed(); err != nil {
		return nil, err
	}
	tx, err := h.beginOnPool(ctx)
	return tx, h.closing(err)
}

func (h *Handle) beginOnPool(ctx context.Context) (gorm.ConnPool, error) {
	conn, copies, tx, err := h.beginOnConn(ctx)
	if conn != nil || err != nil {
		h.conn, h.copier = conn, copies
		return tx, err
	}
	switch pool := h.pool.(type) {
	case gorm.TxBeginner:
		return pool.BeginTx(ctx, nil)
	case gorm.ConnPoolBeginner:
		return pool.BeginTx(ctx, nil)
	}
	return nil, gorm.ErrInvalidTransaction
}

// end commits a transaction, or rolls it back.
func (h *Handle) end(commit bool) error {
	defer h.release()
	tx, ok := h.pool.(gorm.TxCommitter)
	switch {
	case !ok:
		return gorm.ErrInvalidTransaction
	case commit:
		return tx.Commit()
	}
	return tx.Rollback()
}

// release gives back what the transaction had.
func (h *Handle) release() {
	h.done()
	if h.conn != nil {
		_ = h.conn.Close() // back into the pool
	}
}

// Transaction runs fn in a new transaction. It commits, or rolls back if fn fails or panics, or
// if ctx has ended. If the database has rolled the transaction back by itself it returns
// ErrRolledBack, even if fn returns nil.
func (h *Handle) Transaction(ctx context.Context, fn func(tx *Handle) error) error {
	begun := *h // which gets the connection
	tx, done, err := begun.beginLingering(ctx)
	if err != nil {
		return err
	}
	return begun.in(tx, done).finish(ctx, func(tx *Handle) error {
		if err := fn(tx); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// Detached is Transaction for work of several callers: ctx is only that of the one who begins
// it. When ctx ends after that, the transaction goes on and commits.
func (h *Handle) Detached(ctx context.Context, fn func(tx *Handle) error) error {
	begun := *h
	tx, done, err := begun.beginDetached(ctx)
	if err != nil {
		return err
	}
	return begun.in(tx, done).finish(ctx, fn)
}

// finish runs fn in a transaction and ends it.
func (h *Handle) finish(ctx context.Context, fn func(tx *Handle) error) (err error) {
	committed := false
	defer func() {
		if !committed {
			_ = h.end(false) // the returned error says what went wrong
		}
		if h.losable != nil {
			lost.forget(h.losable)
		}
	}()
	err = fn(h)
	if lostErr := h.Lost(); lostErr != nil && !errors.Is(err, store.ErrRolledBack) {
		return errors.Join(lostErr, err)
	}
	if err != nil {
		return Stopped(ctx, err)
	}
	err = h.end(true)
	committed = err == nil
	return Stopped(ctx, err)
}

// InTx tells whether the handle is in a transaction, the store's own or the host's.
func (h *Handle) InTx() bool {
	_, ok := h.pool.(gorm.TxCommitter)
	return ok
}
