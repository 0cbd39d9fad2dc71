package textindex

import (
	"context"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// Forget removes the words of what was erased in the scope from the segments. It runs in the
// transaction that erased it, so that the words are gone with the rows, and keeps others from
// changing segments until that ends.
func Forget(ctx context.Context, sc scope.Scope) error {
	c, err := change(ctx, sc)
	if err != nil {
		return err
	}
	f, err := sc.SchemaFeatures(c.db)
	if err != nil || !f.FullText {
		return err
	}
	for more := true; more; {
		gone, err := c.takeGone(maxGone, sc.Owned(query.New("erased"), ""))
		if err != nil || len(gone) == 0 {
			return err
		}
		more = len(gone) == maxGone
		if err := c.backend.lock(c.db, c.t); err != nil {
			return err
		}
		if err := c.readSegments(); err != nil {
			return Damaged(err)
		}
		if err := c.removeGone(gone); err != nil {
			return Damaged(err)
		}
	}
	return nil
}
