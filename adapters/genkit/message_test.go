package genkit_test

import (
	"encoding/json"
	"testing"

	"github.com/firebase/genkit/go/ai"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/adapters/genkit"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
)

// messages has what a message may hold.
var messages = []*ai.Message{
	ai.NewSystemTextMessage("Be brief."),
	ai.NewUserMessage(ai.NewTextPart("What is \x00 this, "), ai.NewMediaPart("image/png", "data:image/png;base64,iVBORw0="), ai.NewMediaPart("", "https://example.org/a.jpg"), ai.NewTextPart("and where?")),
	ai.NewModelMessage(ai.NewReasoningPart("A tool knows.", []byte{1, 2}),
		ai.NewToolRequestPart(&ai.ToolRequest{Ref: "c1", Name: "find", Input: map[string]any{"q": "Porto", "n": 9007199254740993, "z": "\x00"}}),
		ai.NewToolRequestPart(&ai.ToolRequest{Name: "now"})),
	ai.NewMessage(ai.RoleTool, map[string]any{"trace": "t1"},
		ai.NewToolResponsePart(&ai.ToolResponse{Ref: "c1", Name: "find", Output: map[string]any{"found": 3}}),
		ai.NewToolResponsePart(&ai.ToolResponse{Name: "now", Output: "noon", Content: []*ai.Part{ai.NewTextPart("a clock")}})),
	ai.NewModelMessage(ai.NewJSONPart(`{"a": 1.0}`), ai.NewDataPart("raw"), ai.NewCustomPart(map[string]any{"k": []any{1}}), ai.NewResourcePart("file:///x")),
	{Role: "critic", Content: []*ai.Part{ai.NewTextPart("too short")}},
	{Role: ai.RoleModel},
}

func TestToMessage(t *testing.T) {
	t.Parallel()
	var roles []message.Role
	for _, m := range messages {
		stored, err := genkit.ToMessage(m)
		require.NoError(t, err)
		stored.Normalize(message.Now())
		require.NoError(t, stored.Validate())
		doc, err := json.Marshal(m)
		require.NoError(t, err)
		require.Equal(t, string(doc), string(stored.Payload), "to the byte")
		roles = append(roles, stored.Role)
		again, err := genkit.FromMessage(stored)
		require.NoError(t, err)
		want := &ai.Message{}
		require.NoError(t, json.Unmarshal(doc, want))
		require.Equal(t, want, again)
	}
	require.Equal(t, []message.Role{"system", "user", "assistant", "tool", "assistant", "user", "assistant"}, roles)

	asked, err := genkit.ToMessage(messages[1])
	require.NoError(t, err)
	require.Equal(t, "What is  this, \nand where?", asked.Content)
	require.Equal(t, message.Attachments{{ContentType: "image/png", Size: 5}, {URL: "https://example.org/a.jpg"}}, asked.Attachments)
	called, err := genkit.ToMessage(ai.NewModelMessage(messages[2].Content[0], ai.NewToolRequestPart(&ai.ToolRequest{Ref: "c1", Name: "find", Input: map[string]any{"q": "Porto"}}), messages[2].Content[2]))
	require.NoError(t, err)
	require.Empty(t, called.Content, "thoughts are nobody's")
	require.Equal(t, []payload.Call{{ID: "c1", Name: "find", Arguments: json.RawMessage(`{"q":"Porto"}`)}, {Name: "now"}}, payload.Calls(called))
	odd, err := genkit.ToMessage(messages[2])
	require.NoError(t, err)
	require.Empty(t, odd.ToolCalls, "U+0000 is in the payload alone")
	answered, err := genkit.ToMessage(messages[3])
	require.NoError(t, err)
	require.Equal(t, []payload.Result{{CallID: "c1", Name: "find", Content: `{"found":3}`}, {Name: "now", Content: "noon"}}, payload.Results(answered))

	_, err = genkit.ToMessage(nil)
	require.ErrorContains(t, err, "message: is nil")
	_, err = genkit.FromMessage(nil)
	require.ErrorContains(t, err, "message: is nil")
	_, err = genkit.ToMessage(ai.NewUserMessage(ai.NewToolRequestPart(&ai.ToolRequest{Input: func() {}})))
	require.ErrorContains(t, err, "encode message")
	_, err = genkit.FromMessage(&message.Message{Payload: message.Payload("{"), PayloadFormat: genkit.PayloadFormat, ID: uuid.Max})
	require.ErrorContains(t, err, uuid.Max.String())
}

// TestEdited has messages that somebody edited, and some that something else wrote.
func TestEdited(t *testing.T) {
	t.Parallel()
	now := message.Now()
	for _, c := range []struct {
		name, text string
		edited     bool
		of, want   *ai.Message
	}{
		{"not", "ignored", false, ai.NewUserTextMessage("a"), &ai.Message{Role: ai.RoleUser, Content: []*ai.Part{{Text: "a"}}}},
		{"metadata alone", "a", true, ai.NewUserTextMessage("a"), &ai.Message{Role: ai.RoleUser, Content: []*ai.Part{{Text: "a"}}}},
		{
			"first text", "new", true, ai.NewUserMessage(ai.NewDataPart("x"), ai.NewTextPart("a"), ai.NewDataPart("y"), ai.NewTextPart("b")),
			ai.NewUserMessage(ai.NewDataPart("x"), ai.NewTextPart("new"), ai.NewDataPart("y")),
		},
		{"no text before", "new", true, ai.NewUserMessage(ai.NewDataPart("x")), ai.NewUserMessage(ai.NewTextPart("new"), ai.NewDataPart("x"))},
		{"no text now", "", true, ai.NewUserMessage(ai.NewTextPart("a"), ai.NewDataPart("x")), ai.NewUserMessage(ai.NewDataPart("x"))},
	} {
		stored, err := genkit.ToMessage(c.of)
		require.NoError(t, err)
		if stored.Content = c.text; c.edited {
			stored.EditedAt = &now
		}
		got, err := genkit.FromMessage(stored)
		require.NoError(t, err)
		require.Equal(t, c.want, got, c.name)
	}
	anthropic, err := payload.Read(payload.Anthropic, []byte(`{"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"find","input":{"q":1}}]}`))
	require.NoError(t, err)
	got, err := genkit.FromMessage(anthropic)
	require.NoError(t, err)
	require.Equal(t, ai.NewModelMessage(ai.NewTextPart("I look."), ai.NewToolRequestPart(&ai.ToolRequest{Ref: "t1", Name: "find", Input: map[string]any{"q": 1.}})), got)
	chat, err := payload.Read(payload.ChatCompletions, []byte(`{"role":"tool","tool_call_id":"t1","content":"three"}`))
	require.NoError(t, err)
	got, err = genkit.FromMessage(chat)
	require.NoError(t, err)
	require.Equal(t, ai.NewMessage(ai.RoleTool, nil, ai.NewToolResponsePart(&ai.ToolResponse{Ref: "t1", Output: "three"})), got)
	for role, want := range map[message.Role]ai.Role{message.RoleUser: ai.RoleUser, message.RoleDeveloper: ai.RoleSystem, message.RoleSystem: ai.RoleSystem, message.RoleTool: ai.RoleTool} {
		got, err = genkit.FromMessage(&message.Message{Role: role, Content: "x"})
		require.NoError(t, err)
		require.Equal(t, ai.NewMessage(want, nil, ai.NewTextPart("x")), got)
	}
}
