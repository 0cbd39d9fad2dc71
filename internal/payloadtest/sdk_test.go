// Package payloadtest checks packages payload and window against the SDKs of the providers and
// against real tokenizers. It is a module of its own, so that no host builds those.
package payloadtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genai"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
)

// through decodes a document as the SDK's own type and encodes it again.
func through(t *testing.T, f payload.Format, doc []byte) []byte {
	t.Helper()
	var v any
	switch f {
	case payload.ChatCompletions:
		v = &openai.ChatCompletionMessageParamUnion{}
	case payload.Responses:
		v = &responses.ResponseInputItemUnionParam{}
	case payload.Anthropic:
		v = &anthropic.MessageParam{}
	case payload.Gemini:
		v = &genai.Content{}
	}
	require.NoError(t, json.Unmarshal(doc, v), "%s", doc)
	again, err := json.Marshal(v)
	require.NoError(t, err)
	return again
}

var formats = []payload.Format{payload.ChatCompletions, payload.Responses, payload.Anthropic, payload.Gemini}

// elements returns the messages of a document that may be a list of them.
func elements(t *testing.T, doc []byte) []json.RawMessage {
	t.Helper()
	if doc = bytes.TrimSpace(doc); doc[0] != '[' {
		return []json.RawMessage{doc}
	}
	var all []json.RawMessage
	require.NoError(t, json.Unmarshal(doc, &all))
	return all
}

// What Write makes, the SDK decodes, and encodes with the same meaning.
func TestSDKsReadWhatIsWritten(t *testing.T) {
	calls := message.MustJSON([]payload.Call{{ID: "call_1", Name: "f", Arguments: json.RawMessage(`{"a":1.5}`)}, {ID: "call_2", Name: "g"}})
	results := message.MustJSON([]payload.Result{{CallID: "call_1", Name: "f", Content: "one"}, {CallID: "call_2", Name: "g", Content: "no", IsError: true}})
	for name, m := range map[string]*message.Message{
		"system":         {Role: message.RoleSystem, Content: "Be kind."},
		"developer":      {Role: message.RoleDeveloper, Content: "Be brief."},
		"user":           {Role: message.RoleUser, Content: "Hi <b> & \u2028"},
		"assistant":      {Role: message.RoleAssistant, Content: "Hello"},
		"calls":          {Role: message.RoleAssistant, Content: "Let me look.", ToolCalls: calls},
		"calls alone":    {Role: message.RoleAssistant, ToolCalls: calls},
		"results":        {Role: message.RoleTool, ToolResults: results},
		"results, text":  {Role: message.RoleUser, Content: "And now?", ToolResults: results},
		"in one message": {Role: message.RoleAssistant, Content: "Done.", ToolCalls: calls, ToolResults: results},
	} {
		for _, f := range formats {
			t.Run(name+" as "+f.String(), func(t *testing.T) {
				doc, err := payload.Write(f, m)
				require.NoError(t, err)
				for _, one := range elements(t, doc) {
					assert.JSONEq(t, string(one), string(through(t, f, one)), "the SDK has a place for all of it")
				}
			})
		}
	}
}

// What an SDK encodes of the stored messages reads the same as the messages themselves.
func TestReadWhatSDKsWrite(t *testing.T) {
	for _, f := range formats {
		names, err := filepath.Glob("../../payload/testdata/" + f.String() + "/*.json")
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			if filepath.Base(name) == "response.json" {
				continue // of a response, see below
			}
			t.Run(f.String()+" "+filepath.Base(name), func(t *testing.T) {
				doc, err := os.ReadFile(name)
				require.NoError(t, err)
				for _, one := range elements(t, doc) {
					want, err := payload.Read(f, one)
					require.NoError(t, err)
					got, err := payload.Read(f, through(t, f, one))
					require.NoError(t, err)
					assert.Equal(t, want.Role, got.Role)
					assert.Equal(t, want.Content, got.Content)
					assertDocument(t, want.ToolCalls, got.ToolCalls)
					assertDocument(t, want.ToolResults, got.ToolResults)
				}
			})
		}
	}
}

func assertDocument(t *testing.T, want, got message.JSON) {
	t.Helper()
	assert.JSONEq(t, want.String(), got.String())
}

// Messages that the constructors of the SDKs make.
func TestReadWhatConstructorsMake(t *testing.T) {
	call := openai.ChatCompletionMessageToolCallUnionParam{OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
		ID: "call_1", Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: "f", Arguments: `{"a":1}`},
	}}
	for _, c := range []struct {
		format  payload.Format
		message any
		role    message.Role
		content string
		calls   []payload.Call
		results []payload.Result
	}{
		{payload.ChatCompletions, openai.SystemMessage("s"), message.RoleSystem, "s", nil, nil},
		{payload.ChatCompletions, openai.DeveloperMessage("d"), message.RoleDeveloper, "d", nil, nil},
		{payload.ChatCompletions, openai.UserMessage("u"), message.RoleUser, "u", nil, nil},
		{
			payload.ChatCompletions,
			openai.ChatCompletionMessageParamUnion{OfAssistant: &openai.ChatCompletionAssistantMessageParam{ToolCalls: []openai.ChatCompletionMessageToolCallUnionParam{call}}},
			message.RoleAssistant, "",
			[]payload.Call{{ID: "call_1", Name: "f", Arguments: json.RawMessage(`{"a":1}`)}},
			nil,
		},
		{payload.ChatCompletions, openai.ToolMessage("r", "call_1"), message.RoleTool, "", nil, []payload.Result{{CallID: "call_1", Content: "r"}}},
		{payload.Responses, responses.ResponseInputItemParamOfMessage("u", responses.EasyInputMessageRoleUser), message.RoleUser, "u", nil, nil},
		{payload.Responses, responses.ResponseInputItemParamOfFunctionCall(`{"a":1}`, "call_1", "f"), message.RoleAssistant, "", []payload.Call{{ID: "call_1", Name: "f", Arguments: json.RawMessage(`{"a":1}`)}}, nil},
		{payload.Anthropic, anthropic.NewUserMessage(anthropic.NewTextBlock("u")), message.RoleUser, "u", nil, nil},
		{
			payload.Anthropic, anthropic.NewAssistantMessage(anthropic.NewThinkingBlock("sig", "hm"), anthropic.NewToolUseBlock("toolu_1", map[string]any{"a": 1}, "f")),
			message.RoleAssistant, "",
			[]payload.Call{{ID: "toolu_1", Name: "f", Arguments: json.RawMessage(`{"a":1}`)}},
			nil,
		},
		{payload.Anthropic, anthropic.NewUserMessage(anthropic.NewToolResultBlock("toolu_1", "no", true)), message.RoleTool, "", nil, []payload.Result{{CallID: "toolu_1", Content: "no", IsError: true}}},
		{payload.Gemini, genai.NewContentFromText("m", genai.RoleModel), message.RoleAssistant, "m", nil, nil},
		{payload.Gemini, genai.NewContentFromFunctionCall("f", map[string]any{"a": 1}, genai.RoleModel), message.RoleAssistant, "", []payload.Call{{Name: "f", Arguments: json.RawMessage(`{"a":1}`)}}, nil},
		{payload.Gemini, genai.NewContentFromFunctionResponse("f", map[string]any{"output": "x"}, genai.RoleUser), message.RoleTool, "", nil, []payload.Result{{Name: "f", Content: "x"}}},
	} {
		doc, err := json.Marshal(c.message)
		require.NoError(t, err)
		m, err := payload.Read(c.format, doc)
		require.NoError(t, err, "%s", doc)
		assert.Equal(t, c.role, m.Role, "%s", doc)
		assert.Equal(t, c.content, m.Content, "%s", doc)
		assert.Equal(t, c.calls, payload.Calls(m), "%s", doc)
		assert.Equal(t, c.results, payload.Results(m), "%s", doc)
	}
}

// A response of Anthropic's has fields that a request does not take; a prompt leaves them out,
// and the SDK's own way from one to the other gives the same.
func TestPromptOfResponse(t *testing.T) {
	doc, err := os.ReadFile("../../payload/testdata/anthropic.messages/response.json")
	require.NoError(t, err)
	m, err := payload.Read(payload.Anthropic, doc)
	require.NoError(t, err)
	p, err := payload.NewPrompt(payload.Anthropic, []*message.Message{m})
	require.NoError(t, err)
	require.Len(t, p.Messages, 1)
	var answer anthropic.Message
	require.NoError(t, json.Unmarshal(doc, &answer))
	want, err := json.Marshal(answer.ToParam())
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(through(t, payload.Anthropic, p.Messages[0])))
}
