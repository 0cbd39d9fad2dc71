package bench

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// side is one way to do the work: by hand or with the library. Both read the same
// columns into the same types and leave the same rows.
type side interface {
	appendMessage(ctx context.Context, user, conversation uuid.UUID, m *message.Message) error
	last(ctx context.Context, user, conversation uuid.UUID, n int) ([]*message.Message, error)
	list(ctx context.Context, user uuid.UUID, n int) ([]*conversation.Conversation, error)
	overview(ctx context.Context, user uuid.UUID, n int) ([]*store.ConversationOverview, error)
	thread(ctx context.Context, user, conversation uuid.UUID) (*conversation.Conversation, error)
	get(ctx context.Context, user, message uuid.UUID) (*message.Message, error)
	approve(ctx context.Context, user, suggestion uuid.UUID, r suggestion.Review) (*suggestion.Suggestion, error)
	// appendStates appends a message and sets a key of the conversation, of the user and of the app.
	appendStates(ctx context.Context, user, conversation uuid.UUID, m *message.Message, key string, value []byte) error
	// appendMany appends messages to one conversation, all or nothing.
	appendMany(ctx context.Context, user, conversation uuid.UUID, ms []*message.Message) error
	// importAll adds n messages to conversations of a user, each as it is made.
	importAll(ctx context.Context, user uuid.UUID, n int, made func(i int) *message.Message) error
	// walk hands out the messages of a conversation by seq, or all of a user's, oldest
	// first, where there is no conversation.
	walk(ctx context.Context, user, conversation uuid.UUID, each func(*message.Message) error) error
	close() error
}
