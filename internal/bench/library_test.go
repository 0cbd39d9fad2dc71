package bench

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// library is convostore, as a host calls it.
type library struct{ st store.Store }

var _ side = library{}

func (l library) close() error { return l.st.Close() }

func (l library) appendMessage(ctx context.Context, user, conversationID uuid.UUID, m *message.Message) error {
	_, err := l.st.ForUser(user).Messages().Append(ctx, conversationID, m)
	return err
}

func (l library) last(ctx context.Context, user, conversationID uuid.UUID, n int) ([]*message.Message, error) {
	return l.st.ForUser(user).Messages().Last(ctx, conversationID, n)
}

func (l library) list(ctx context.Context, user uuid.UUID, n int) ([]*conversation.Conversation, error) {
	page, err := l.st.ForUser(user).Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{Limit: n})
	return page.Items, err
}

func (l library) thread(ctx context.Context, user, conversationID uuid.UUID) (*conversation.Conversation, error) {
	return l.st.ForUser(user).Conversations().Thread(ctx, conversationID)
}

func (l library) get(ctx context.Context, user, messageID uuid.UUID) (*message.Message, error) {
	return l.st.ForUser(user).Messages().Get(ctx, messageID)
}

func (l library) approve(ctx context.Context, user, suggestionID uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error) {
	return l.st.ForUser(user).Suggestions().Approve(ctx, suggestionID, r)
}

func (l library) importAll(ctx context.Context, user uuid.UUID, ms []*message.Message) error {
	_, err := l.st.ForUser(user).Messages().Import(ctx, withoutErrors(ms), store.ImportOptions{})
	return err
}

func withoutErrors(ms []*message.Message) func(yield func(*message.Message, error) bool) {
	return func(yield func(*message.Message, error) bool) {
		for m := range slices.Values(ms) {
			if !yield(m, nil) {
				return
			}
		}
	}
}
