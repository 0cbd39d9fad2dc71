package heirs

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

type messages struct {
	store.Messages
	sc scope.Scope
}

// Messages returns the messages of a scope, of which rows are the ones without this knowledge.
func Messages(sc scope.Scope, rows store.Messages) store.Messages { return messages{rows, sc} }

func (h messages) GetByKey(ctx context.Context, conversationID uuid.UUID, key string) (*message.Message, error) {
	got, err := h.Messages.GetByKey(ctx, conversationID, key)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) List(ctx context.Context, conversationID uuid.UUID, f store.MessageFilter, p store.PageRequest) (store.Page[*message.Message], error) {
	got, err := h.Messages.List(ctx, conversationID, f, p)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) ListNumbered(ctx context.Context, conversationID uuid.UUID, f store.MessageFilter, n store.NumberRequest) (store.NumberedPage[*message.Message], error) {
	got, err := h.Messages.ListNumbered(ctx, conversationID, f, n)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) All(ctx context.Context, conversationID uuid.UUID, f store.MessageFilter) iter.Seq2[*message.Message, error] {
	return each(ctx, h.sc, conversationID, h.Messages.All(ctx, conversationID, f))
}

func (h messages) Last(ctx context.Context, conversationID uuid.UUID, n int) ([]*message.Message, error) {
	got, err := h.Messages.Last(ctx, conversationID, n)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) Around(ctx context.Context, conversationID uuid.UUID, seq int64, n int) ([]*message.Message, error) {
	got, err := h.Messages.Around(ctx, conversationID, seq, n)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) Append(ctx context.Context, conversationID uuid.UUID, m *message.Message) (bool, error) {
	got, err := h.Messages.Append(ctx, conversationID, m)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) AppendMany(ctx context.Context, conversationID uuid.UUID, ms []*message.Message, o store.AppendOptions) ([]bool, error) {
	got, err := h.Messages.AppendMany(ctx, conversationID, ms, o)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) RestoreAll(ctx context.Context, conversationID uuid.UUID) (int64, error) {
	got, err := h.Messages.RestoreAll(ctx, conversationID)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) Context(ctx context.Context, conversationID uuid.UUID, b window.Budget) (window.Window, error) {
	got, err := h.Messages.Context(ctx, conversationID, b)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) Path(ctx context.Context, conversationID uuid.UUID, seq int64, p store.PageRequest) (store.Page[*message.Message], error) {
	got, err := h.Messages.Path(ctx, conversationID, seq, p)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) Branches(ctx context.Context, conversationID uuid.UUID, seq int64) ([]store.Branch, error) {
	got, err := h.Messages.Branches(ctx, conversationID, seq)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) SetHead(ctx context.Context, conversationID uuid.UUID, seq int64) (*conversation.Conversation, error) {
	got, err := h.Messages.SetHead(ctx, conversationID, seq)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) TruncateAfter(ctx context.Context, conversationID uuid.UUID, seq int64, o store.TruncateOptions) (int64, error) {
	got, err := h.Messages.TruncateAfter(ctx, conversationID, seq, o)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) Replace(ctx context.Context, conversationID uuid.UUID, ms []*message.Message, o store.ReplaceOptions) (int64, error) {
	got, err := h.Messages.Replace(ctx, conversationID, ms, o)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) Stream(ctx context.Context, conversationID uuid.UUID, first *message.Message, o store.StreamOptions) (store.MessageStream, error) {
	got, err := h.Messages.Stream(ctx, conversationID, first, o)
	return got, told(ctx, h.sc, conversationID, err)
}

func (h messages) Tail(ctx context.Context, conversationID uuid.UUID, from store.Position, o store.TailOptions) iter.Seq2[store.Change, error] {
	return each(ctx, h.sc, conversationID, h.Messages.Tail(ctx, conversationID, from, o))
}
