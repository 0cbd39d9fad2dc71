package heirs

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

type conversations struct {
	store.Conversations
	sc scope.Scope
}

// Conversations returns the conversations of a scope, of which rows are the ones without this knowledge.
func Conversations(sc scope.Scope, rows store.Conversations) store.Conversations {
	return conversations{rows, sc}
}

func (c conversations) Get(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Get(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Thread(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Thread(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Archive(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Archive(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Reopen(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Reopen(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Hold(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Hold(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Release(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Release(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Delete(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Delete(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Restore(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Restore(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Erase(ctx context.Context, id uuid.UUID) (store.Counts, error) {
	got, err := c.Conversations.Erase(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) SetTitle(ctx context.Context, id uuid.UUID, title string) (*conversation.Conversation, error) {
	got, err := c.Conversations.SetTitle(ctx, id, title)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) SetSubject(ctx context.Context, id uuid.UUID, subject string) (*conversation.Conversation, error) {
	got, err := c.Conversations.SetSubject(ctx, id, subject)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) SetLanguage(ctx context.Context, id uuid.UUID, language string) (*conversation.Conversation, error) {
	got, err := c.Conversations.SetLanguage(ctx, id, language)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) SetMetadata(ctx context.Context, id uuid.UUID, doc message.JSON) (*conversation.Conversation, error) {
	got, err := c.Conversations.SetMetadata(ctx, id, doc)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) MergeMetadata(ctx context.Context, id uuid.UUID, patch message.JSON) (*conversation.Conversation, error) {
	got, err := c.Conversations.MergeMetadata(ctx, id, patch)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) MarkRead(ctx context.Context, id uuid.UUID, reader string, seq int64) (*conversation.Read, error) {
	got, err := c.Conversations.MarkRead(ctx, id, reader, seq)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) AddLabels(ctx context.Context, id uuid.UUID, by string, labels []string) (int64, error) {
	got, err := c.Conversations.AddLabels(ctx, id, by, labels)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) RemoveLabels(ctx context.Context, id uuid.UUID, labels []string) (int64, error) {
	got, err := c.Conversations.RemoveLabels(ctx, id, labels)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Assign(ctx context.Context, id uuid.UUID, assignee string, o store.AssignOptions) (*conversation.Conversation, error) {
	got, err := c.Conversations.Assign(ctx, id, assignee, o)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Unassign(ctx context.Context, id uuid.UUID, o store.AssignOptions) (*conversation.Conversation, error) {
	got, err := c.Conversations.Unassign(ctx, id, o)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Snooze(ctx context.Context, id uuid.UUID, until time.Time) (*conversation.Conversation, error) {
	got, err := c.Conversations.Snooze(ctx, id, until)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Unsnooze(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Unsnooze(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Pin(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Pin(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Unpin(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	got, err := c.Conversations.Unpin(ctx, id)
	return got, told(ctx, c.sc, id, err)
}

func (c conversations) Fork(ctx context.Context, conversationID uuid.UUID, o store.ForkOptions) (*conversation.Conversation, error) {
	got, err := c.Conversations.Fork(ctx, conversationID, o)
	return got, told(ctx, c.sc, conversationID, err)
}

func (c conversations) GetByExternalKey(ctx context.Context, key string) (*conversation.Conversation, error) {
	got, err := c.Conversations.GetByExternalKey(ctx, key)
	return got, threads.ToldOfMergedKey(ctx, c.sc, key, err)
}
