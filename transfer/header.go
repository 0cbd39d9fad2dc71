package transfer

import (
	"context"
	"errors"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// headerKey is the key of the state in which a conversation keeps what the file says of it beside
// its messages.
func headerKey(f Format) string { return "transfer." + string(f) }

// keepHeader stores what the file says of the conversation, and the states of JSONL.
func (w *writer) keepHeader(ctx context.Context, f Format) error {
	changes := store.StateMap{}
	if w.thread.header != nil {
		changes[headerKey(f)] = w.thread.header
	}
	for _, s := range w.thread.states {
		if s != nil {
			changes[s.Key] = s.Value
		}
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := w.sc.States().Merge(ctx, store.ConversationState(w.id), changes, store.MergeOptions{})
	return err
}

// readKept reads what keepHeader stored, and all states for JSONL.
func (x *exporter) readKept(ctx context.Context, s *stored) error {
	in := store.ConversationState(s.conversation.ID)
	if x.format == JSONL {
		return x.readStates(ctx, s)
	}
	state, err := x.sc.States().Get(ctx, in, headerKey(x.format))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s.kept = state.Value
	return nil
}

func (x *exporter) readStates(ctx context.Context, s *stored) error {
	after := ""
	for {
		page, err := x.sc.States().List(ctx, store.ConversationState(s.conversation.ID), store.StateFilter{After: after})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, st := range page {
			s.conversation.States = append(s.conversation.States, &conversation.State{
				ConversationID: s.conversation.ID, UserID: s.conversation.UserID,
				Key: st.Key, Value: st.Value, Version: st.Version, UpdatedAt: st.UpdatedAt,
			})
		}
		after = page[len(page)-1].Key
	}
}
