package query

import (
	"errors"
	"fmt"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// ErrManyOwners refuses to pick one of several users' rows.
var ErrManyOwners = fmt.Errorf("%w: more than one user has a row of this id or key; use ForUser", store.ErrConflict)

// Wrap gives an error of the database the name of what was done, and the errors of this
// package as they are.
func Wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	var (
		invalid    *store.InvalidError
		transition *store.TransitionError
		seq        *store.SeqConflictError
		batch      *store.BatchError
		embed      *store.EmbedError
	)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrNotEmbedded), errors.Is(err, store.ErrSchema), errors.Is(err, store.ErrUnsupported),
		errors.As(err, &invalid), errors.As(err, &transition), errors.As(err, &seq), errors.As(err, &batch), errors.As(err, &embed):
		return err
	case errors.Is(err, store.ErrConflict):
		return err
	case dialect.KindOf(err) == dialect.ForeignKey:
		return fmt.Errorf("%w (%w)", rule.Invalid("user_id or lead_id", "names no row of the host's table"), err)
	}
	return fmt.Errorf("convostore: %s: %w", doing, err)
}
