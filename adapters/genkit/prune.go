package genkit

import (
	"context"
	"errors"

	"github.com/convostore/convostore/store"
)

// prune removes the snapshots that are too far up the chain of a new one: their states with a
// change, and the events that mark them.
func (w *writer[State]) prune(ctx context.Context, sc store.Scope, parentID string, ch *change) error {
	if w.s.o.MaxChain == 0 {
		return nil
	}
	seen := map[string]bool{w.id: true}
	for kept := 1; parentID != "" && !seen[parentID]; kept++ {
		f, err := w.s.load(ctx, sc, ch.conversation, parentID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if kept >= w.s.o.MaxChain {
			if _, err := sc.Messages().Delete(ctx, f.event); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			ch.states[snapshotPrefix+parentID] = nil
		}
		seen[parentID] = true
		parentID = f.doc.Snapshot.ParentID
	}
	return nil
}
