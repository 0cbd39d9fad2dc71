package query

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
)

// linger is how long a transaction on PostgreSQL is kept after its context has ended, to be
// rolled back by a statement. A rollback under an ended context closes the connection.
const linger = time.Second

// Lingering returns a context for what begins and ends a transaction or a savepoint, and a
// function that lets go of it. On PostgreSQL it ends a moment after ctx, so that a server
// that is gone is not waited for, and on SQLite not at all.
func (h *Handle) Lingering(ctx context.Context) (context.Context, func()) {
	if !h.driver.ClosesCancelled() {
		return context.WithoutCancel(ctx), func() {}
	}
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(linger, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

// beginLingering begins a transaction that outlives ctx for a moment, but waits no longer
// than ctx to begin. It returns what lets go of its context.
func (h *Handle) beginLingering(ctx context.Context) (gorm.ConnPool, func(), error) {
	if !h.driver.ClosesCancelled() {
		tx, err := h.beginTx(ctx)
		return tx, func() {}, err
	}
	longer, done := h.Lingering(ctx)
	stop := context.AfterFunc(ctx, done)
	tx, err := h.beginTx(longer)
	if ended := !stop(); ended && err == nil {
		_ = tx.(gorm.TxCommitter).Rollback() //nolint:forcetypeassert // what begins a transaction ends it
		err = ctx.Err()
	}
	if err != nil {
		done()
		return nil, nil, Because(ctx, err)
	}
	return tx, done, nil
}

// Because adds to an error that the caller's context has ended, which a context of lingering
// does not say.
func Because(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return errors.Join(ended, err)
	}
	return err
}

// Stopped adds to the server's word that it stopped a statement, which is all that the driver
// returns, that the caller's context has ended.
func Stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && dialect.KindOf(err) == dialect.Stopped {
		return Because(ctx, err)
	}
	return err
}
