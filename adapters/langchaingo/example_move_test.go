package langchaingo_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/memory"
	"github.com/tmc/langchaingo/schema"

	"github.com/convostore/convostore/adapters/langchaingo"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// move copies a history, such as one of memory/sqlite3, into a conversation that is named after its
// session. A second run puts what the history has then in the place of what it had.
func move(ctx context.Context, from schema.ChatMessageHistory, mine store.Scope, session string) error {
	c := &conversation.Conversation{ExternalKey: "langchaingo:" + session}
	if _, err := mine.Conversations().GetOrCreate(ctx, c); err != nil {
		return err
	}
	ms, err := from.Messages(ctx)
	if err != nil {
		return err
	}
	return langchaingo.New(mine, c.ID, langchaingo.Options{}).SetMessages(ctx, ms)
}

func Example_move() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	mine := st.ForUser(uuid.New())
	from := memory.NewChatMessageHistory(memory.WithPreviousMessages([]llms.ChatMessage{
		llms.HumanChatMessage{Content: "Warm in March?"}, llms.AIChatMessage{Content: "In Seville."},
	}))
	for range 2 {
		if err := move(ctx, from, mine, "s1"); err != nil {
			panic(err)
		}
	}
	c, err := mine.Conversations().GetByExternalKey(ctx, "langchaingo:s1")
	if err != nil {
		panic(err)
	}
	thread, err := mine.Conversations().Thread(ctx, c.ID)
	if err != nil {
		panic(err)
	}
	for _, m := range thread.Messages {
		fmt.Println(m.Role, m.Content)
	}
	// Output:
	// user Warm in March?
	// assistant In Seville.
}
