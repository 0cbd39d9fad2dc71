package query

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/store"
)

// Handle is what the store makes of a *gorm.DB: where its statements go, and who is told.
//
// Statements go to GORM's connection pool as they are. GORM's own Raw copies a session,
// puts the text together once more and looks at each argument by reflection, which took
// as long as the driver for a statement of two dozen arguments. It is used where the host
// has plugins, which see a statement only there, or a timeout, which is set there.
type Handle struct {
	// gorm is the host's or the backend's, of the pool that a transaction began in.
	gorm *gorm.DB
	pool gorm.ConnPool
	driver dialect.Driver
	log    *StatementLog
	// losable is set in a transaction that the database may roll back by itself.
	losable gorm.ConnPool
	// done lets go of the context of a transaction that this handle began.
	done func()
}

// NewHandle returns the handle of a GORM handle, whose driver behaves as driver says. Without
// a log, the GORM handle's own logger is told of each statement.
func NewHandle(db *gorm.DB, driver dialect.Driver, log *StatementLog) *Handle {
	h := &Handle{gorm: db, pool: db.Statement.ConnPool, driver: driver, log: log}
	h.losable = losable(h.pool, driver)
	return h
}

// begin begins a transaction, as GORM does.
func (h *Handle) begin(ctx context.Context) (*Handle, error) {
	tx, done, err := h.beginLingering(ctx)
	if err != nil {
		return nil, err
	}
	within := *h
	within.pool, within.done = tx, done
	within.losable = losable(tx, h.driver)
	return &within, nil
}

func (h *Handle) beginTx(ctx context.Context) (gorm.ConnPool, error) {
	switch pool := h.pool.(type) {
	case gorm.TxBeginner:
		return pool.BeginTx(ctx, nil)
	case gorm.ConnPoolBeginner:
		return pool.BeginTx(ctx, nil)
	}
	return nil, gorm.ErrInvalidTransaction
}

// end commits, or undoes what was done since begin.
func (h *Handle) end(keep bool) error {
	defer h.done()
	tx, ok := h.pool.(gorm.TxCommitter)
	switch {
	case !ok:
		return gorm.ErrInvalidTransaction
	case keep:
		return tx.Commit()
	}
	return tx.Rollback()
}

// Transaction commits what fn did, or undoes it if fn fails or panics, or if the engine
// has undone it already, whatever fn made of that.
func (h *Handle) Transaction(ctx context.Context, fn func(tx *Handle) error) error {
	tx, err := h.begin(ctx)
	if err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept {
			_ = tx.end(false) // the error that is returned says what was wrong
		}
		if tx.losable != nil {
			lost.forget(tx.losable)
		}
	}()
	err = fn(tx)
	if refusal := tx.refusal(); refusal != nil && !errors.Is(err, store.ErrRolledBack) {
		return errors.Join(refusal, err)
	}
	if err != nil {
		return Stopped(ctx, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = tx.end(true)
	kept = err == nil
	return Stopped(ctx, err)
}

func (h *Handle) InTx() bool {
	_, ok := h.pool.(gorm.TxCommitter)
	return ok
}
