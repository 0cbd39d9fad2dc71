package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/store"
)

// Close makes every statement and every transaction that begins from now on fail with
// store.ErrClosed. A transaction that has begun goes on. It closes no connection.
func (h *Handle) Close() { h.closed.Store(true) }

// ClosedWith makes a handle one that Close of other closes, and returns it.
func (h *Handle) ClosedWith(other *Handle) *Handle {
	h.closed = other.closed
	return h
}

// Closed is store.ErrClosed after Close, unless the handle is in a transaction.
func (h *Handle) Closed() error {
	if h.closed.Load() && !h.InTx() {
		return store.ErrClosed
	}
	return nil
}

// refused is the error of a statement that is not to be sent.
func (h *Handle) refused() error {
	if err := h.Closed(); err != nil {
		return err
	}
	return h.Lost()
}

// closing adds store.ErrClosed to the error of what Close has met on its way to the database, which
// database/sql gives no name.
func (h *Handle) closing(err error) error {
	if err == nil || !h.closed.Load() || errors.Is(err, store.ErrClosed) || dialect.CodeOf(err) != "" || !strings.Contains(err.Error(), "is closed") {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrClosed, err)
}
