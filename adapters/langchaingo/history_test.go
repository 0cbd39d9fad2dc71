package langchaingo_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/memory"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/adapters/langchaingo"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// kinds is a message of each type.
var kinds = []llms.ChatMessage{
	llms.SystemChatMessage{Content: "Be brief."},
	llms.HumanChatMessage{Content: "What is the weather in Porto?"},
	llms.AIChatMessage{Content: "", ReasoningContent: "A tool knows.", ToolCalls: []llms.ToolCall{
		{ID: "c1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "weather", Arguments: `{"city": "Porto",  "n": 1.0}`}},
	}},
	llms.ToolChatMessage{ID: "c1", Content: "sunny"},
	llms.AIChatMessage{FunctionCall: &llms.FunctionCall{Name: "old", Arguments: "{}"}},
	llms.FunctionChatMessage{Name: "old", Content: "42"},
	llms.GenericChatMessage{Role: "critic", Name: "Eve", Content: "Too \x00 short."},
	llms.AIChatMessage{Content: "Sunny."},
}

func newHistory(t *testing.T, d bothtest.Database) (*langchaingo.History, store.Scope, uuid.UUID) {
	t.Helper()
	st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
	sc, c := st.ForUser(uuid.New()), &conversation.Conversation{}
	require.NoError(t, sc.Conversations().Create(t.Context(), c))
	return langchaingo.New(sc, c.ID, langchaingo.Options{}), sc, c.ID
}

func TestKinds(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		h, sc, id := newHistory(t, d)
		ctx := t.Context()
		empty, err := h.Messages(ctx)
		require.NoError(t, err)
		require.Empty(t, empty)
		for _, m := range kinds {
			require.NoError(t, h.AddMessage(ctx, m))
		}
		got, err := h.Messages(ctx)
		require.NoError(t, err)
		require.Equal(t, kinds, got)

		thread, err := sc.Conversations().Thread(ctx, id)
		require.NoError(t, err)
		require.Equal(t, "Too  short.", thread.Messages[6].Content)
		require.Contains(t, string(thread.Messages[2].ToolCalls), "weather")

		_, err = sc.Messages().Append(ctx, id, &message.Message{Kind: message.KindNote, Role: message.RoleUser, Content: "a note"})
		require.NoError(t, err)
		_, err = sc.Messages().Update(ctx, thread.Messages[7].ID, store.MessageUpdate{Content: new("Rain.")})
		require.NoError(t, err)
		got, err = h.Messages(ctx)
		require.NoError(t, err)
		require.Equal(t, llms.AIChatMessage{Content: "Rain."}, got[7], "an edit counts")
		require.Len(t, got, 8, "a note does not")
	})
}

func TestSetMessages(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		h, _, _ := newHistory(t, d)
		ctx := t.Context()
		require.NoError(t, h.AddUserMessage(ctx, "old"))
		require.NoError(t, h.SetMessages(ctx, kinds))
		require.NoError(t, h.AddAIMessage(ctx, "new"))
		got, err := h.Messages(ctx)
		require.NoError(t, err)
		require.Equal(t, append(append([]llms.ChatMessage{}, kinds...), llms.AIChatMessage{Content: "new"}), got)
		require.Error(t, h.SetMessages(ctx, []llms.ChatMessage{kinds[0], nil}))
		got, err = h.Messages(ctx)
		require.NoError(t, err)
		require.Len(t, got, len(kinds)+1, "nothing changed")
		require.NoError(t, h.Clear(ctx))
		got, err = h.Messages(ctx)
		require.NoError(t, err)
		require.Empty(t, got)
		require.NoError(t, h.AddUserMessage(ctx, "again"))
		got, err = h.Messages(ctx)
		require.NoError(t, err)
		require.Len(t, got, 1)
	})
}

func TestManyWriters(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		h, _, _ := newHistory(t, d)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for k := range 10 {
					assert.NoError(t, h.AddUserMessage(t.Context(), fmt.Sprint(i, " ", k)))
				}
			})
		}
		wg.Wait()
		got, err := h.Messages(t.Context())
		require.NoError(t, err)
		require.Len(t, got, 80)
	})
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
		h, ctx := langchaingo.New(st.ForUser(uuid.New()), uuid.New(), langchaingo.Options{}), t.Context()
		require.ErrorIs(t, h.AddUserMessage(ctx, "x"), store.ErrNotFound)
		require.ErrorIs(t, h.Clear(ctx), store.ErrNotFound)
		_, err := h.Messages(ctx)
		require.ErrorIs(t, err, store.ErrNotFound)
		require.Error(t, h.AddMessage(ctx, nil))
	})
}

// The memory of a chain is a conversation.
func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	mine, c := st.ForUser(uuid.New()), &conversation.Conversation{Title: "Weather"}
	if err := mine.Conversations().Create(ctx, c); err != nil {
		panic(err)
	}
	buffer := memory.NewConversationBuffer(memory.WithChatHistory(langchaingo.New(mine, c.ID, langchaingo.Options{})))
	err = buffer.SaveContext(ctx, map[string]any{"input": "Is it sunny?"}, map[string]any{"output": "It is."})
	if err != nil {
		panic(err)
	}
	vars, err := buffer.LoadMemoryVariables(ctx, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(vars["history"])
	// Output:
	// Human: Is it sunny?
	// AI: It is.
}

// TestUnread counts nothing of a person's own as unread.
func TestUnread(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		_, sc, id := newHistory(t, d)
		ctx, h := t.Context(), langchaingo.New(sc, id, langchaingo.Options{Author: "ann"})
		require.NoError(t, h.AddUserMessage(ctx, "hello"))
		require.NoError(t, h.AddAIMessage(ctx, "hi"))
		require.NoError(t, h.AddUserMessage(ctx, "how are you?"))
		page, err := sc.Conversations().Overview(ctx, store.ConversationFilter{}, store.OverviewOptions{Reader: "ann"}, store.PageRequest{})
		require.NoError(t, err)
		require.EqualValues(t, 1, page.Items[0].Unread)
	})
}
