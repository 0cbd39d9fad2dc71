package heirs

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

type suggestions struct {
	store.Suggestions
	sc scope.Scope
}

// Suggestions returns the suggestions of a scope, of which rows are the ones without this knowledge.
func Suggestions(sc scope.Scope, rows store.Suggestions) store.Suggestions {
	return suggestions{rows, sc}
}

func (s suggestions) ListByConversation(ctx context.Context, conversationID uuid.UUID, p store.PageRequest) (store.Page[*suggestion.Suggestion], error) {
	got, err := s.Suggestions.ListByConversation(ctx, conversationID, p)
	return got, told(ctx, s.sc, conversationID, err)
}

func (s suggestions) ListByConversationNumbered(ctx context.Context, conversationID uuid.UUID, n store.NumberRequest) (store.NumberedPage[*suggestion.Suggestion], error) {
	got, err := s.Suggestions.ListByConversationNumbered(ctx, conversationID, n)
	return got, told(ctx, s.sc, conversationID, err)
}

func (s suggestions) Create(ctx context.Context, sg *suggestion.Suggestion) error {
	err := s.Suggestions.Create(ctx, sg)
	if sg == nil {
		return err
	}
	return told(ctx, s.sc, sg.ConversationID, err)
}
