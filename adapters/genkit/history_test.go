package genkit_test

import (
	"testing"

	"github.com/firebase/genkit/go/ai"
	firebase "github.com/firebase/genkit/go/genkit"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/adapters/genkit"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

// TestHistory has a flow of four turns, with a tool, documents and instructions for its output.
func TestHistory(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx, st := t.Context(), open(t, d)
		mine, c := st.ForUser(owner), &conversation.Conversation{}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		h, g := genkit.NewHistory(mine, c.ID), newGenkit(ctx)
		empty, err := h.Messages(ctx)
		require.NoError(t, err)
		require.Empty(t, empty)
		require.NoError(t, h.Append(ctx, ai.NewUserTextMessage("same"), ai.NewModelTextMessage("indeed")))
		for _, opts := range [][]ai.GenerateOption{
			{ai.WithPrompt("same"), ai.WithSystem("Be brief.")},
			{ai.WithPrompt("weather"), ai.WithTools(ai.ToolName("weather"))},
			{ai.WithPrompt("look"), ai.WithSystem("Be brief."), ai.WithDocs(ai.DocumentFromText("a document", nil))},
			{ai.WithPrompt("give"), ai.WithOutputFormat(ai.OutputFormatJSON), ai.WithOutputInstructions("as JSON")},
		} {
			given, err := h.Window(ctx, window.Budget{Messages: 100})
			require.NoError(t, err)
			resp, err := firebase.Generate(ctx, g, append(opts, ai.WithModelName("test/echo"), ai.WithMessages(given...))...)
			require.NoError(t, err)
			require.NoError(t, h.AppendResponse(ctx, given, resp))
		}
		got, err := h.Messages(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"same", "indeed", "same", "4 same", "weather", "", "", "It is sunny in Porto", "look", "10 look", "give", `{"n": 1}`}, said(got))
		require.Equal(t, "Porto", got[5].Content[0].ToolRequest.Input.(map[string]any)["city"])
		require.Equal(t, "sunny in Porto", got[6].Content[0].ToolResponse.Output)

		_, err = mine.Messages().Append(ctx, c.ID, &message.Message{Kind: message.KindNote, Role: message.RoleUser, Content: "a note"})
		require.NoError(t, err)
		thread, err := mine.Conversations().Thread(ctx, c.ID)
		require.NoError(t, err)
		last := thread.Messages[11]
		require.Equal(t, []any{int64(7), int64(5), "stop"}, []any{last.TokensIn, last.TokensOut, last.FinishReason})
		again, err := h.Messages(ctx)
		require.NoError(t, err)
		require.Equal(t, got, again, "a note is none")
		for n, want := range map[int][]string{3: {"give", `{"n": 1}`}, 8: {"weather", "", "", "It is sunny in Porto", "look", "10 look", "give", `{"n": 1}`}, 7: {"look", "10 look", "give", `{"n": 1}`}} {
			w, err := h.Window(ctx, window.Budget{Messages: n})
			require.NoError(t, err)
			require.Equal(t, want, said(w), n)
		}
	})
}

// TestBlocked has responses without a message, and without a request.
func TestBlocked(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx, st := t.Context(), open(t, d)
		mine, c := st.ForUser(owner), &conversation.Conversation{}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		h := genkit.NewHistory(mine, c.ID)
		require.NoError(t, h.AppendResponse(ctx, nil, &ai.ModelResponse{Request: &ai.ModelRequest{Messages: []*ai.Message{ai.NewUserTextMessage("asked")}}}))
		require.NoError(t, h.AppendResponse(ctx, nil, &ai.ModelResponse{Message: ai.NewModelTextMessage("said")}))
		require.NoError(t, h.AppendResponse(ctx, nil, &ai.ModelResponse{}))
		got, err := h.Messages(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"asked", "said"}, said(got))

		require.ErrorIs(t, h.AppendResponse(ctx, nil, nil), store.ErrInvalid)
		require.ErrorContains(t, h.Append(ctx, ai.NewUserTextMessage("x"), nil), "message 1")
		require.ErrorIs(t, h.AppendResponse(ctx, []*ai.Message{nil}, &ai.ModelResponse{}), store.ErrInvalid)
		absent := genkit.NewHistory(mine, uuid.New())
		_, err = absent.Messages(ctx)
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = absent.Window(ctx, window.Budget{Messages: 1})
		require.ErrorIs(t, err, store.ErrNotFound)
		require.ErrorIs(t, absent.Append(ctx, ai.NewUserTextMessage("x")), store.ErrNotFound)
		require.ErrorIs(t, absent.AppendResponse(ctx, nil, &ai.ModelResponse{Message: ai.NewModelTextMessage("x")}), store.ErrNotFound)
		got, err = h.Messages(ctx)
		require.NoError(t, err)
		require.Len(t, got, 2, "all or nothing")
	})
}
