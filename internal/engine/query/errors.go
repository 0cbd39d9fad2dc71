package query

import (
	"errors"
	"fmt"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// ErrManyOwners says that an id or a key is that of several users' rows, of which none is
// picked by guess.
var ErrManyOwners = fmt.Errorf("%w: more than one user has a row of this id or key; use ForUser", store.ErrConflict)

// Wrap returns an error of the database with the name of the operation, such as "append
// message". The contract's own errors are returned as they are, and a violated foreign key to
// a host's table as ErrInvalid.
func Wrap(operation string, err error) error {
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
		errors.Is(err, store.ErrSetting), errors.Is(err, store.ErrClosed),
		errors.As(err, &invalid), errors.As(err, &transition), errors.As(err, &seq), errors.As(err, &batch), errors.As(err, &embed):
		return err
	case errors.Is(err, store.ErrConflict):
		return err
	case dialect.KindOf(err) == dialect.ForeignKey:
		return fmt.Errorf("%w (%w)", rule.Invalid("user_id or lead_id", "names no row of the host's table"), err)
	}
	return fmt.Errorf("convostore: %s: %w", operation, err)
}
