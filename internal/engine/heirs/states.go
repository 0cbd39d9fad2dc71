package heirs

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type states struct {
	store.States
	sc scope.Scope
}

// States returns the states of a scope, of which rows are the ones without this knowledge.
func States(sc scope.Scope, rows store.States) store.States { return states{rows, sc} }

func (s states) Get(ctx context.Context, in store.StatePlace, key string) (*store.State, error) {
	got, err := s.States.Get(ctx, in, key)
	return got, told(ctx, s.sc, in.ConversationID, err)
}

func (s states) List(ctx context.Context, in store.StatePlace, f store.StateFilter) ([]*store.State, error) {
	got, err := s.States.List(ctx, in, f)
	return got, told(ctx, s.sc, in.ConversationID, err)
}

func (s states) OfConversation(ctx context.Context, conversationID uuid.UUID) (store.ConversationStates, error) {
	got, err := s.States.OfConversation(ctx, conversationID)
	return got, told(ctx, s.sc, conversationID, err)
}

func (s states) Merge(ctx context.Context, in store.StatePlace, changes store.StateMap, o store.MergeOptions) (map[string]int64, error) {
	got, err := s.States.Merge(ctx, in, changes, o)
	return got, told(ctx, s.sc, in.ConversationID, err)
}
