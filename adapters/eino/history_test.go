package eino_test

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/cloudwego/eino/schema"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/adapters/eino"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

// kinds has a message of each kind, with every field that an Eino message has.
var kinds = []*schema.Message{
	schema.SystemMessage("Be brief."),
	{Role: schema.User, Name: "ann", Content: "What is \x00 the weather in Porto <now>?", Extra: map[string]any{"n": 1.5}},
	{Role: schema.User, UserInputMultiContent: []schema.MessageInputPart{
		{Type: schema.ChatMessagePartTypeText, Text: "And here?"},
		{Type: schema.ChatMessagePartTypeImageURL, Image: &schema.MessageInputImage{
			MessagePartCommon: schema.MessagePartCommon{URL: new("https://example.com/a.png"), MIMEType: "image/png"}, Detail: schema.ImageURLDetailHigh,
		}},
		{Type: schema.ChatMessagePartTypeFileURL, File: &schema.MessageInputFile{
			MessagePartCommon: schema.MessagePartCommon{Base64Data: new("AAECAwQF"), MIMEType: "application/pdf"}, Name: "a.pdf",
		}},
	}},
	{
		Role: schema.Assistant, ReasoningContent: "A tool knows.",
		ToolCalls: []schema.ToolCall{
			{Index: new(0), ID: "c1", Type: "function", Function: schema.FunctionCall{Name: "weather", Arguments: `{"city": "Porto",  "n": 1.0}`}},
			{ID: "c2", Type: "function", Function: schema.FunctionCall{Name: "place", Arguments: `{not JSON`}},
		},
		ResponseMeta: &schema.ResponseMeta{FinishReason: "tool_calls", Usage: &schema.TokenUsage{PromptTokens: 9, CompletionTokens: 4, TotalTokens: 13}},
	},
	schema.ToolMessage("sunny", "c1", schema.WithToolName("weather")),
	schema.ToolMessage("a \x00 park", "c2"),
	{Role: schema.Assistant, Content: "Sunny.", AssistantGenMultiContent: []schema.MessageOutputPart{
		{Type: schema.ChatMessagePartTypeReasoning, Reasoning: &schema.MessageOutputReasoning{Text: "hm", Signature: "s"}},
		{Type: schema.ChatMessagePartTypeText, Text: "It is sunny."},
		{Type: schema.ChatMessagePartTypeImageURL, Image: &schema.MessageOutputImage{MessagePartCommon: schema.MessagePartCommon{Base64Data: new("AAEC")}}},
	}},
}

func newHistory(t *testing.T, d bothtest.Database) (*eino.History, store.Scope, uuid.UUID) {
	t.Helper()
	sc, id := newConversation(t, open(t, d))
	return eino.NewHistory(sc, id), sc, id
}

func messages(t *testing.T, h *eino.History) []*schema.Message {
	t.Helper()
	got, err := h.Messages(t.Context())
	require.NoError(t, err)
	return got
}

func TestKinds(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		h, sc, id := newHistory(t, d)
		ctx := t.Context()
		require.Empty(t, messages(t, h))
		require.NoError(t, h.Append(ctx, kinds[:3]...))
		require.NoError(t, h.Append(ctx, kinds[3:]...))
		require.NoError(t, h.Append(ctx))
		require.Equal(t, kinds, messages(t, h))

		thread, err := sc.Conversations().Thread(ctx, id)
		require.NoError(t, err)
		var lines []string
		for i, m := range thread.Messages {
			want, err := json.Marshal(kinds[i])
			require.NoError(t, err)
			require.Equal(t, string(want), string(m.Payload), "to the byte")
			lines = append(lines, fmt.Sprint(m.Role, " ", m.Author, " ", m.Content, " ", len(m.Attachments), " ", len(payload.Calls(m)), len(payload.Results(m))))
		}
		require.Equal(t, []string{
			"system  Be brief. 0 0 0", "user ann What is  the weather in Porto <now>? 0 0 0", "user  And here? 2 0 0",
			"assistant   0 2 0", "tool   0 0 1", "tool   0 0 1", "assistant  It is sunny. 1 0 0",
		}, lines)
		require.Contains(t, string(thread.Messages[3].ToolCalls), "Porto")
		require.EqualValues(t, 9, thread.Messages[3].TokensIn)
		require.EqualValues(t, 4, thread.Messages[3].TokensOut)
		require.Equal(t, "tool_calls", thread.Messages[3].FinishReason)
		require.Equal(t, "https://example.com/a.png", thread.Messages[2].Attachments[0].URL)
		require.EqualValues(t, 6, thread.Messages[2].Attachments[1].Size)
	})
}

// TestOutside has what somebody does to the conversation, and messages of other formats.
func TestOutside(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		h, sc, id := newHistory(t, d)
		ctx := t.Context()
		require.NoError(t, h.Append(ctx, kinds...))
		thread, err := sc.Conversations().Thread(ctx, id)
		require.NoError(t, err)
		for i, m := range thread.Messages {
			_, err = sc.Messages().MergeMetadata(ctx, m.ID, message.JSON(`{"seen":true}`))
			require.NoError(t, err, i)
		}
		require.Equal(t, kinds, messages(t, h), "metadata of the host change nothing")
		for _, i := range []int{3, 6} {
			_, err = sc.Messages().Update(ctx, thread.Messages[i].ID, store.MessageUpdate{Content: new("edited")})
			require.NoError(t, err)
		}
		_, err = sc.Messages().Delete(ctx, thread.Messages[1].ID)
		require.NoError(t, err)
		got := messages(t, h)
		require.Len(t, got, len(kinds)-1)
		require.Equal(t, "edited", got[2].Content)
		require.Equal(t, kinds[3].ToolCalls, got[2].ToolCalls)
		require.Equal(t, &schema.Message{Role: schema.Assistant, Content: "edited"}, got[5], "the parts said something else")

		require.NoError(t, h.Replace(ctx))
		foreign := []*message.Message{
			{Kind: message.KindNote, Role: message.RoleUser, Content: "a note"},
			{State: message.StateFailed, Role: message.RoleAssistant, Content: "half"},
			{Role: message.RoleDeveloper, Content: "Rules."},
			{
				Role: message.RoleAssistant, PayloadFormat: string(payload.Anthropic),
				Payload: message.Payload(`{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"a":1}},{"type":"tool_use","id":"t2","name":"g","input":{}}]}`),
			},
			{
				Role: message.RoleTool, PayloadFormat: string(payload.Anthropic),
				Payload: message.Payload(`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"one"},{"type":"tool_result","tool_use_id":"t2","content":"two"}]}`),
			},
			{Role: message.RoleAssistant, ToolCalls: message.JSON(`[{"id":"t3","name":"h","arguments":"{broken"}]`)},
		}
		_, err = sc.Messages().AppendMany(ctx, id, foreign, store.AppendOptions{})
		require.NoError(t, err)
		require.Equal(t, []*schema.Message{
			schema.SystemMessage("Rules."),
			{Role: schema.Assistant, ToolCalls: []schema.ToolCall{
				{ID: "t1", Type: "function", Function: schema.FunctionCall{Name: "f", Arguments: `{"a":1}`}},
				{ID: "t2", Type: "function", Function: schema.FunctionCall{Name: "g", Arguments: `{}`}},
			}},
			schema.ToolMessage("one", "t1"), schema.ToolMessage("two", "t2"),
			{Role: schema.Assistant, ToolCalls: []schema.ToolCall{{ID: "t3", Type: "function", Function: schema.FunctionCall{Name: "h", Arguments: `{broken`}}}},
		}, messages(t, h))
	})
}

// TestReplace has a history that is written anew, and what is refused.
func TestReplace(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		h, sc, _ := newHistory(t, d)
		ctx := t.Context()
		require.NoError(t, h.Append(ctx, schema.UserMessage("old")))
		require.NoError(t, h.Replace(ctx, kinds...))
		require.Equal(t, kinds, messages(t, h))
		for name, bad := range map[string]*schema.Message{
			"nil": nil, "no role": {Content: "x"}, "role": {Role: "critic", Content: "x"},
			"NaN": {Role: schema.User, Extra: map[string]any{"n": math.NaN()}},
		} {
			require.ErrorIs(t, h.Append(ctx, kinds[0], bad), store.ErrInvalid, name)
			require.ErrorIs(t, h.Replace(ctx, kinds[0], bad), store.ErrInvalid, name)
		}
		require.Equal(t, kinds, messages(t, h), "nothing changed")
		absent := eino.NewHistory(sc, uuid.New())
		require.ErrorIs(t, absent.Append(ctx, kinds[0]), store.ErrNotFound)
		require.ErrorIs(t, absent.Replace(ctx), store.ErrNotFound)
		_, err := absent.Messages(ctx)
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = absent.Window(ctx, window.Budget{Messages: 3})
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

// TestWindow has calls that stay with their results, and a summary.
func TestWindow(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		h, sc, id := newHistory(t, d)
		ctx := t.Context()
		require.NoError(t, h.Append(ctx, kinds...))
		got, err := h.Window(ctx, window.Budget{Messages: 100})
		require.NoError(t, err)
		require.Equal(t, kinds, got)
		got, err = h.Window(ctx, window.Budget{Messages: 4})
		require.NoError(t, err)
		require.Equal(t, []*schema.Message{kinds[0], kinds[2], kinds[6]}, got, "the step of three does not fit")
		_, err = h.Window(ctx, window.Budget{})
		require.ErrorIs(t, err, store.ErrInvalid)

		hash, err := sc.Summaries().Cover(ctx, id, 2, 6)
		require.NoError(t, err)
		require.NoError(t, sc.Summaries().Create(ctx, &conversation.Summary{
			ConversationID: id, FromSeq: 2, ToSeq: 6, Content: "Asked for the weather.", CoveredHash: hash,
		}))
		require.NoError(t, h.Append(ctx, schema.UserMessage("Thanks."), &schema.Message{Role: schema.Assistant, ToolCalls: kinds[3].ToolCalls[:1]}))
		got, err = h.Window(ctx, window.Budget{Messages: 100, Missing: window.AddResult})
		require.NoError(t, err)
		require.Equal(t, []schema.RoleType{schema.System, schema.User, schema.Assistant, schema.User, schema.Assistant, schema.Tool}, rolesOf(got))
		require.Equal(t, "Asked for the weather.", got[1].Content)
		require.Equal(t, "c1", got[5].ToolCallID)
		require.Equal(t, window.NoResult, got[5].Content)
	})
}

func rolesOf(ms []*schema.Message) (all []schema.RoleType) {
	for _, m := range ms {
		all = append(all, m.Role)
	}
	return all
}

// TestLong reads more messages than a page has, of which sixteen appended at once.
func TestLong(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		const n, writers = 2000, 16
		h, _, _ := newHistory(t, d)
		ctx := t.Context()
		ms := make([]*schema.Message, n)
		for i := range ms {
			ms[i] = schema.UserMessage(fmt.Sprint(i))
		}
		require.NoError(t, h.Append(ctx, ms...))
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				assert.NoError(t, h.Append(ctx, schema.UserMessage("late"), schema.AssistantMessage("reply", nil)))
			})
		}
		wg.Wait()
		got := messages(t, h)
		require.Len(t, got, n+2*writers)
		require.Equal(t, ms, got[:n])
		for i := n; i < len(got); i += 2 {
			require.Equal(t, []string{"late", "reply"}, []string{got[i].Content, got[i+1].Content}, "an append is one piece")
		}
	})
}
