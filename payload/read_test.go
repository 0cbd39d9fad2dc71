package payload_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/rule"
)

// stored returns the messages of testdata: a folder for each format.
func stored(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*/*.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(names), 18)
	all := map[string][]byte{}
	for _, name := range names {
		doc, err := os.ReadFile(name)
		require.NoError(t, err)
		all[strings.TrimSuffix(strings.TrimPrefix(name, "testdata/"), ".json")] = doc
	}
	return all
}

func formatOf(name string) payload.Format { return payload.Format(filepath.Dir(name)) }

type reading struct {
	role           message.Role
	content        string
	calls, results string
}

var readings = map[string]reading{
	"openai.chat/user":           {role: "user", content: "Wie warm ist es in Bergen? å 🙂"},
	"openai.chat/user-parts":     {role: "user", content: "What is this?\nAnd this?"},
	"openai.chat/developer":      {role: "developer", content: "Answer in Norwegian."},
	"openai.chat/parallel-calls": {role: "assistant", calls: `[{"id":"call_a","name":"weather","arguments":{"city":"Bergen","n":1.50}},{"id":"call_b","name":"weather","arguments":{"city":"Oslo"}},{"id":"call_c","name":"sql","arguments":"SELECT 1"}]`},
	"openai.chat/tool":           {role: "tool", results: `[{"call_id":"call_a","content":"{\"t\":7.10}"}]`},
	"openai.chat/refusal":        {role: "assistant", content: "I cannot help with that."},

	"openai.responses/user":       {role: "user", content: "What is in the file?"},
	"openai.responses/reasoning":  {role: "assistant"},
	"openai.responses/turn":       {role: "assistant", content: "It is 7 °C in Bergen.", calls: `[{"id":"call_1","name":"book","arguments":{}}]`},
	"openai.responses/result":     {role: "tool", results: `[{"call_id":"call_1","content":"booked"}]`},
	"openai.responses/web-search": {role: "assistant"},

	"anthropic.messages/thinking-and-calls": {role: "assistant", content: "Let me look.", calls: `[{"id":"toolu_1","name":"weather","arguments":{"city":"Bergen","days":12345678901234567890}},{"id":"toolu_2","name":"weather","arguments":{"city":"Oslo"}}]`},
	"anthropic.messages/results":            {role: "tool", results: `[{"call_id":"toolu_1","content":"7 °C"},{"call_id":"toolu_2","content":"no such city","is_error":true}]`},
	"anthropic.messages/document":           {role: "user", content: "What colour is the grass?"},
	"anthropic.messages/response":           {role: "assistant", content: "The grass is green."},
	"anthropic.messages/server-tool":        {role: "assistant", content: "It rains."},

	"gemini.content/user":    {role: "user", content: "What is this?"},
	"gemini.content/calls":   {role: "assistant", content: "One moment.", calls: `[{"name":"weather","arguments":{"city":"Bergen"}},{"name":"weather","arguments":{"city":"Oslo"}}]`},
	"gemini.content/results": {role: "tool", results: `[{"name":"weather","content":"7 °C"},{"name":"weather","content":"no such city","is_error":true}]`},
	"gemini.content/code":    {role: "assistant", content: "One."},

	"aisdk.uimessage/user": {role: "user", content: "Hi"},
	"aisdk.uimessage/assistant": {
		role: "assistant", content: "It is 7 °C.\nBye.",
		calls:   `[{"id":"c1","name":"weather","arguments":{"city":"Bergen"}},{"id":"c2","name":"mail","arguments":{}}]`,
		results: `[{"call_id":"c1","name":"weather","content":"{\"t\":7.10}"},{"call_id":"c2","name":"mail","content":"no","is_error":true}]`,
	},
	"aisdk.uimessage/approval": {role: "assistant", calls: `[{"id":"c3","name":"pay","arguments":{"eur":10}}]`},
}

func TestRead(t *testing.T) {
	all := stored(t)
	require.Len(t, all, len(readings))
	for name, doc := range all {
		t.Run(name, func(t *testing.T) {
			want, ok := readings[name]
			require.True(t, ok)
			m, err := payload.Read(formatOf(name), doc)
			require.NoError(t, err)
			got := reading{role: m.Role, content: m.Content, calls: string(m.ToolCalls), results: string(m.ToolResults)}
			assert.Equal(t, want, got)
			assert.Equal(t, doc, []byte(m.Payload))
			assert.Equal(t, string(formatOf(name)), m.PayloadFormat)

			m.Normalize(time.Now())
			require.NoError(t, m.Validate(), "every database takes it")
			back, err := payload.Write(formatOf(name), m)
			require.NoError(t, err)
			assert.Equal(t, doc, back)
			if len(back) > 0 {
				back[0] = '!'
				assert.Equal(t, doc, []byte(m.Payload), "what Write returns is the caller's own")
			}
		})
	}
}

func TestReadBadInput(t *testing.T) {
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for _, c := range []struct {
		format     payload.Format
		doc        string
		field, why string
	}{
		{"openai", `{}`, "payload_format", "is not one of the formats of package payload"},
		{payload.ChatCompletions, ``, "payload", "is empty"},
		{payload.ChatCompletions, `{`, "payload", "is not a JSON document"},
		{payload.ChatCompletions, deep, "payload", "is not a JSON document"},
		{payload.ChatCompletions, `[]`, "payload", "is a list without messages"},
		{payload.ChatCompletions, `"hello"`, "payload", "is neither a message nor a list of messages"},
		{payload.ChatCompletions, `[{"role":"user"},1]`, "payload", "is neither a message nor a list of messages"},
		{payload.ChatCompletions, `{}`, "payload.role", "is not a role of openai.chat"},
		{payload.ChatCompletions, `{"role":7}`, "payload.role", "is not a role of openai.chat"},
		{payload.Anthropic, `{"role":"narrator","content":"x"}`, "payload.role", "is not a role of anthropic.messages"},
		{payload.Responses, `{"content":"x"}`, "payload.role", "is not a role of openai.responses"},
		{payload.Gemini, `{"role":"narrator"}`, "payload.role", "is not a role of gemini.content"},
		{payload.UIMessage, `{"role":"data"}`, "payload.role", "is not a role of aisdk.uimessage"},
		{payload.UIMessage, `"` + strings.Repeat("a", payload.MaxBytes) + `"`, "payload", "has 67108866 bytes, the most is 67108864"},
	} {
		m := message.Message{Content: "before"}
		err := payload.Set(&m, c.format, []byte(c.doc))
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, c.why)
		assert.Equal(t, c.field, invalid.Field)
		assert.Equal(t, c.why, invalid.Rule)
		assert.Equal(t, message.Message{Content: "before"}, m, "unchanged")
	}
}

// Whatever a provider adds is kept and no error: parts and kinds that are unknown, and known
// fields of another type.
func TestReadUnknownParts(t *testing.T) {
	for f, doc := range map[payload.Format]string{
		payload.ChatCompletions: `{"role":"assistant","content":[{"type":"hologram","text":{"x":1}},{"type":"text","text":"Hi"},7],"tool_calls":{"a":1}}`,
		payload.Responses:       `[{"type":"hologram_call","id":"h"},{"type":"message","role":"assistant","content":[{"type":"hologram"},{"type":"output_text","text":"Hi"}]}]`,
		payload.Anthropic:       `{"role":"assistant","content":[{"type":"hologram"},{"type":"text","text":"Hi"},{"type":"text","text":null}]}`,
		payload.Gemini:          `{"role":"model","parts":[{"hologram":{}},{"text":"Hi"},{"functionCall":"f"}]}`,
		payload.UIMessage:       `{"role":"assistant","parts":[{"type":"hologram"},{"type":"text","text":"Hi"}],"parts2":1}`,
	} {
		m, err := payload.Read(f, []byte(doc))
		require.NoError(t, err, f)
		assert.Equal(t, "Hi", m.Content, f)
		assert.Nil(t, m.ToolCalls, f)
		assert.Equal(t, doc, string(m.Payload))
	}
}

// Arguments that a database would refuse are in the payload alone.
func TestReadWhatNoDatabaseTakes(t *testing.T) {
	doc := `{"role":"assistant","content":"a\u0000b","tool_calls":[{"id":"c\u0000","type":"function","function":{"name":"f","arguments":"{\"n\":1e9999}"}},
		{"id":"d","type":"function","function":{"name":"g","arguments":"{\"s\":\"\\u0000\"}"}}]}`
	m, err := payload.Read(payload.ChatCompletions, []byte(doc))
	require.NoError(t, err)
	assert.Equal(t, "ab", m.Content)
	assert.JSONEq(t, `[{"id":"c","name":"f"},{"id":"d","name":"g"}]`, string(m.ToolCalls))
	assert.Equal(t, `{"n":1e9999}`, string(payload.Calls(m)[0].Arguments))
	m.Normalize(time.Now())
	require.NoError(t, m.Validate())
}

// What Write makes of the fields, Read reads as the same fields.
func TestWriteThenRead(t *testing.T) {
	calls := message.MustJSON([]payload.Call{{ID: "call_1", Name: "f", Arguments: json.RawMessage(`{"a":1}`)}, {ID: "call_2", Name: "g", Arguments: json.RawMessage(`{"x":[]}`)}})
	results := message.MustJSON([]payload.Result{{CallID: "call_1", Name: "f", Content: "one"}, {CallID: "call_2", Name: "g", Content: `{"b":2,"c":3}`, IsError: false}})
	failed := message.MustJSON([]payload.Result{{CallID: "call_1", Name: "f", Content: "no", IsError: true}})
	for name, m := range map[string]*message.Message{
		"user":        {Role: message.RoleUser, Content: "Hi <b>"},
		"assistant":   {Role: message.RoleAssistant, Content: "Hello"},
		"calls":       {Role: message.RoleAssistant, Content: "Let me look.", ToolCalls: calls},
		"calls alone": {Role: message.RoleAssistant, ToolCalls: calls},
		"results":     {Role: message.RoleTool, ToolResults: results},
		"failed":      {Role: message.RoleTool, ToolResults: failed},
		"system":      {Role: message.RoleSystem, Content: "Be kind."},
		"one message": {Role: message.RoleAssistant, Content: "Done.", ToolCalls: calls, ToolResults: results},
	} {
		for _, f := range payload.Formats() {
			t.Run(name+" as "+f.String(), func(t *testing.T) {
				doc, err := payload.Write(f, m)
				require.NoError(t, err)
				back, err := payload.Read(f, doc)
				require.NoError(t, err)
				if f != payload.UIMessage || name != "results" && name != "failed" { // there results stand with the assistant
					assert.Equal(t, m.Role, back.Role)
					assert.Equal(t, payload.Calls(m), payload.Calls(back))
				}
				assert.Equal(t, m.Content, back.Content)
				want := payload.Results(m)
				for i, got := range payload.Results(back) {
					if got.Name == "" { // OpenAI and Anthropic have only the id
						want[i].Name = ""
					}
					if f == payload.ChatCompletions || f == payload.Responses {
						want[i].IsError = false // which they have no field for
					}
				}
				assert.Equal(t, want, payload.Results(back))
			})
		}
	}
}

func TestWriteBadInput(t *testing.T) {
	for _, f := range payload.Formats() {
		for name, m := range map[string]*message.Message{
			"blank": {Role: message.RoleUser, Content: " \n"}, "no results": {Role: message.RoleTool, Content: "x"}, "nil": nil,
		} {
			_, err := payload.Write(f, m)
			require.ErrorIs(t, err, rule.ErrInvalid, name)
		}
	}
	_, err := payload.Write("x", &message.Message{Content: "a"})
	require.ErrorIs(t, err, rule.ErrInvalid)
}

// Ids that a provider refuses are replaced, the same for a call and for its result; a call
// without an id finds its result by name and order.
func TestWriteIDs(t *testing.T) {
	long := strings.Repeat("long:", 20)
	call := &message.Message{Role: message.RoleAssistant, ToolCalls: message.MustJSON([]payload.Call{{ID: long, Name: "f"}})}
	result := &message.Message{Role: message.RoleTool, ToolResults: message.MustJSON([]payload.Result{{CallID: long, Content: "x"}})}
	gemini := map[string]*message.Message{}
	for name, doc := range stored(t) {
		if formatOf(name) == payload.Gemini {
			m, err := payload.Read(payload.Gemini, doc)
			require.NoError(t, err)
			gemini[filepath.Base(name)] = m
		}
	}
	for _, pair := range [][2]*message.Message{{call, result}, {gemini["calls"], gemini["results"]}} {
		for _, f := range []payload.Format{payload.ChatCompletions, payload.Responses, payload.Anthropic} {
			var ids [2][]string
			for i, m := range pair {
				doc, err := payload.Write(f, m)
				require.NoError(t, err)
				back, err := payload.Read(f, doc)
				require.NoError(t, err)
				for _, c := range payload.Calls(back) {
					ids[i] = append(ids[i], c.ID)
				}
				for _, r := range payload.Results(back) {
					ids[i] = append(ids[i], r.CallID)
				}
			}
			require.NotEmpty(t, ids[0])
			assert.Equal(t, ids[0], ids[1])
			for _, id := range ids[0] {
				assert.Regexp(t, `^[a-zA-Z0-9_-]{1,40}$`, id)
			}
		}
	}
}

// FuzzRead asks that no document makes a reader panic, that what it reads every database takes,
// and that the payload is kept.
func FuzzRead(f *testing.F) {
	for _, doc := range stored(f) {
		f.Add(doc)
	}
	for _, d := range callDocuments {
		f.Add([]byte(d.doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, format := range payload.Formats() {
			m, err := payload.Read(format, doc)
			if err != nil {
				require.ErrorIs(t, err, rule.ErrInvalid)
				continue
			}
			require.Equal(t, doc, []byte(m.Payload))
			m.Normalize(time.Now())
			if err := m.Validate(); err != nil {
				t.Fatalf("%s reads what no database takes: %v", format, err)
			}
			for _, to := range payload.Formats() {
				written, err := payload.Write(to, m)
				if err != nil {
					require.ErrorIs(t, err, rule.ErrInvalid)
					continue
				}
				_, err = payload.Read(to, written)
				require.NoError(t, err)
			}
			if _, err := payload.NewPrompt(payload.Anthropic, []*message.Message{m}); err != nil {
				t.Fatal(err)
			}
		}
		payload.Calls(&message.Message{ToolCalls: doc})
		payload.Results(&message.Message{ToolResults: doc})
	})
}
