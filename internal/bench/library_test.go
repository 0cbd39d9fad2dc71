package bench

import (
	"context"

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
	created, err := l.st.ForUser(user).Messages().Append(ctx, conversationID, m)
	if err == nil && !created {
		err = errStored
	}
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

func (l library) appendMany(ctx context.Context, user, conversationID uuid.UUID, ms []*message.Message) error {
	_, err := l.st.ForUser(user).Messages().AppendMany(ctx, conversationID, ms, store.AppendOptions{})
	return err
}

func (l library) importAll(ctx context.Context, user uuid.UUID, n int, made func(i int) *message.Message) error {
	rows := func(yield func(*message.Message, error) bool) {
		for i := range n {
			if !yield(made(i), nil) {
				return
			}
		}
	}
	done, err := l.st.ForUser(user).Messages().Import(ctx, rows, store.ImportOptions{})
	return expect(int(done.Imported), n, err)
}

func (l library) walk(ctx context.Context, user, conversationID uuid.UUID, each func(*message.Message) error) error {
	all := l.st.ForUser(user).Messages().All(ctx, conversationID, store.MessageFilter{})
	if conversationID == uuid.Nil {
		all = l.st.ForUser(user).Messages().AllByUser(ctx, store.MessageFilter{Order: store.ThreadOrder})
	}
	for m, err := range all {
		if err != nil {
			return err
		}
		if err := each(m); err != nil {
			return err
		}
	}
	return nil
}
