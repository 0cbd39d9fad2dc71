package query

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
)

// linger is how long a transaction on PostgreSQL outlives its context, so that a statement can
// still roll it back. pgx closes a connection whose transaction's context has ended.
const linger = time.Second

// Lingering returns a context for the statements that begin and end a transaction or a
// savepoint, and a function that releases it. On PostgreSQL it ends a second after ctx, so
// that the call does not wait for a server that is gone. On SQLite it never ends.
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

// beginLingering begins a transaction under a lingering context, but gives up beginning it
// when ctx ends. It returns a function that releases the transaction's context.
func (h *Handle) beginLingering(ctx context.Context) (gorm.ConnPool, func(), error) {
	if !h.driver.ClosesCancelled() {
		tx, err := h.beginTx(ctx)
		return tx, func() {}, Stopped(ctx, err)
	}
	longer, done := h.Lingering(ctx)
	return h.beginUnder(ctx, longer, done)
}

// beginDetached begins a transaction that ctx cannot end, but gives up beginning it when ctx
// ends. It returns a function that releases the transaction's context. database/sql rolls a
// transaction back as soon as the context ends under which it began.
func (h *Handle) beginDetached(ctx context.Context) (gorm.ConnPool, func(), error) {
	if ctx.Done() == nil {
		tx, err := h.beginTx(ctx)
		return tx, func() {}, err
	}
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return h.beginUnder(ctx, longer, cancel)
}

// beginUnder begins a transaction under longer, which done cancels, and gives up when ctx ends
// before the transaction has begun.
func (h *Handle) beginUnder(ctx, longer context.Context, done func()) (gorm.ConnPool, func(), error) {
	stop := context.AfterFunc(ctx, done)
	tx, err := h.beginTx(longer)
	if ended := !stop(); ended && err == nil {
		_ = tx.(gorm.TxCommitter).Rollback() //nolint:forcetypeassert // a pool returns transactions
		if h.conn != nil {
			_ = h.conn.Close() // back into the pool
		}
		err = ctx.Err()
	}
	if err != nil {
		done()
		return nil, nil, Because(ctx, err)
	}
	return tx, done, nil
}

// Because adds the error of an ended ctx to err, unless err has it already. It is for errors
// under a lingering context, which do not say that the caller's context has ended.
func Because(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return errors.Join(ended, err)
	}
	return err
}

// Stopped adds the error of an ended ctx to the database's error that it stopped a statement, or
// that it is busy and waits no longer, which is all that some drivers return.
func Stopped(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	switch dialect.KindOf(err) {
	case dialect.Stopped, dialect.Retry:
		return Because(ctx, err)
	}
	return err
}
