package heirs

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

type summaries struct {
	store.Summaries
	sc scope.Scope
}

// Summaries returns the summaries of a scope, of which rows are the ones without this knowledge.
func Summaries(sc scope.Scope, rows store.Summaries) store.Summaries { return summaries{rows, sc} }

func (s summaries) Cover(ctx context.Context, conversationID uuid.UUID, fromSeq int64, toSeq int64) (string, error) {
	got, err := s.Summaries.Cover(ctx, conversationID, fromSeq, toSeq)
	return got, told(ctx, s.sc, conversationID, err)
}

func (s summaries) List(ctx context.Context, conversationID uuid.UUID) ([]*conversation.Summary, error) {
	got, err := s.Summaries.List(ctx, conversationID)
	return got, told(ctx, s.sc, conversationID, err)
}

func (s summaries) Create(ctx context.Context, sum *conversation.Summary) error {
	err := s.Summaries.Create(ctx, sum)
	if sum == nil {
		return err
	}
	return told(ctx, s.sc, sum.ConversationID, err)
}
