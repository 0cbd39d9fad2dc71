package transfer

import (
	"context"
	"errors"

	"github.com/convostore/convostore/store"
)

// headerKey is the key of the state in which a conversation keeps what the file says of it beside
// its messages.
func headerKey(f Format) string { return "transfer." + string(f) }

// keepHeader stores what the file says of the conversation.
func (w *writer) keepHeader(ctx context.Context, f Format) error {
	if w.thread.header == nil {
		return nil
	}
	changes := store.StateMap{headerKey(f): w.thread.header}
	_, err := w.sc.States().Merge(ctx, store.ConversationState(w.id), changes, store.MergeOptions{})
	return err
}

// readHeader reads what keepHeader stored.
func (x *exporter) readHeader(ctx context.Context, s *stored) error {
	state, err := x.sc.States().Get(ctx, store.ConversationState(s.conversation.ID), headerKey(x.format))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s.kept = state.Value
	return nil
}
