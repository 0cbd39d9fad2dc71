package payload_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
)

// callDocuments are calls and results as each SDK writes them: a message, or one element of a list.
var callDocuments = []struct {
	name    string
	doc     string
	calls   []payload.Call
	results []payload.Result
}{
	{
		"chat calls", `{"role":"assistant","content":null,"tool_calls":[
			{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Bergen\"}"}},
			{"id":"call_2","type":"function","function":{"name":"time","arguments":""}},
			{"id":"call_3","type":"function","function":{"name":"bad","arguments":"{\"city\": "}},
			{"id":"call_4","type":"custom","custom":{"name":"sql","input":"SELECT 1"}}]}`,
		[]payload.Call{
			call("call_1", "weather", `{"city": "Bergen"}`), call("call_2", "time", ""), call("call_3", "bad", `"{\"city\": "`), call("call_4", "sql", `"SELECT 1"`),
		},
		nil,
	},
	{"chat result", `{"role":"tool","tool_call_id":"call_1","content":"7 °C"}`, nil, []payload.Result{{CallID: "call_1", Content: "7 °C"}}},
	{
		"chat result in parts", `{"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"7"},{"type":"text","text":"8"}]}`,
		nil,
		[]payload.Result{{CallID: "call_1", Content: "7\n8"}},
	},
	{
		"chat, the old function", `[{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}]`,
		[]payload.Call{call("", "f", "{}")},
		[]payload.Result{{Name: "f", Content: "1"}},
	},
	{"responses call", `{"type":"function_call","id":"fc_9","call_id":"call_1","name":"f","arguments":"{\"n\":1.50}"}`, []payload.Call{call("call_1", "f", `{"n":1.50}`)}, nil},
	{"responses result", `{"type":"function_call_output","call_id":"call_1","output":"x"}`, nil, []payload.Result{{CallID: "call_1", Content: "x"}}},
	{
		"responses result in parts", `{"type":"function_call_output","call_id":"call_1","output":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"u"}]}`,
		nil,
		[]payload.Result{{CallID: "call_1", Content: "x"}},
	},
	{
		"responses, a list of items", `[{"type":"reasoning","id":"rs_1","summary":[]},{"type":"custom_tool_call","call_id":"a","name":"sql","input":"SELECT 1"},
			{"type":"local_shell_call","id":"l","call_id":"b","action":{"type":"exec"}},{"type":"web_search_call","id":"ws","status":"completed"},
			{"type":"custom_tool_call_output","call_id":"a","output":"1"},{"type":"local_shell_call_output","id":"b","output":"ok"}]`,
		[]payload.Call{call("a", "sql", `"SELECT 1"`), call("b", "local_shell", `{"type":"exec"}`)},
		[]payload.Result{{CallID: "a", Content: "1"}, {CallID: "b", Content: "ok"}},
	},
	{
		"anthropic calls", `{"role":"assistant","content":[{"type":"thinking","thinking":"…","signature":"s"},{"type":"text","text":"Let me look."},
			{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Bergen"}},{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}]}`,
		[]payload.Call{call("toolu_1", "weather", `{"city":"Bergen"}`)},
		nil,
	},
	{
		"anthropic results", `{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"7"},
			{"type":"tool_result","tool_use_id":"toolu_2","content":[{"type":"text","text":"no"}],"is_error":true},{"type":"tool_result","tool_use_id":"toolu_3"}]}`,
		nil,
		[]payload.Result{{CallID: "toolu_1", Content: "7"}, {CallID: "toolu_2", Content: "no", IsError: true}, {CallID: "toolu_3"}},
	},
	{
		"gemini calls", `{"role":"model","parts":[{"functionCall":{"name":"weather","args":{"city":"Bergen"}},"thoughtSignature":"AAA="},{"functionCall":{"id":"x","name":"weather"}}]}`,
		[]payload.Call{call("", "weather", `{"city":"Bergen"}`), call("x", "weather", "")},
		nil,
	},
	{
		"gemini results", `{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"output":"7"}}},
			{"functionResponse":{"id":"x","name":"weather","response":{"error":"no"}}},{"functionResponse":{"name":"f","response":{"a":1,"b":2}}}]}`,
		nil,
		[]payload.Result{{Name: "weather", Content: "7"}, {CallID: "x", Name: "weather", Content: "no", IsError: true}, {Name: "f", Content: `{"a":1,"b":2}`}},
	},
	{
		"UIMessage", `{"id":"m","role":"assistant","parts":[{"type":"step-start"},
			{"type":"tool-weather","toolCallId":"c1","state":"output-available","input":{"city":"Bergen"},"output":{"t":7}},
			{"type":"dynamic-tool","toolName":"x","toolCallId":"c2","state":"output-error","input":{},"errorText":"no"},
			{"type":"tool-a","toolCallId":"c3","state":"input-streaming","input":{"q":"half"}},
			{"type":"tool-b","toolCallId":"c4","state":"input-available","input":{}},
			{"type":"tool-c","toolCallId":"c5","state":"output-denied","input":{},"approval":{"id":"a","approved":false,"reason":"too dear"}}]}`,
		[]payload.Call{call("c1", "weather", `{"city":"Bergen"}`), call("c2", "x", "{}"), call("c4", "b", "{}"), call("c5", "c", "{}")},
		[]payload.Result{
			{CallID: "c1", Name: "weather", Content: `{"t":7}`}, {CallID: "c2", Name: "x", Content: "no", IsError: true}, {CallID: "c5", Name: "c", Content: "too dear", IsError: true},
		},
	},
	{
		"ModelMessage of the AI SDK", `[{"role":"assistant","content":[{"type":"tool-call","toolCallId":"c1","toolName":"f","input":{"a":1}}]},
			{"role":"tool","content":[{"type":"tool-result","toolCallId":"c1","toolName":"f","output":{"type":"error-text","value":"no"}}]}]`,
		[]payload.Call{call("c1", "f", `{"a":1}`)},
		[]payload.Result{{CallID: "c1", Name: "f", Content: "no", IsError: true}},
	},
}

func call(id, name, args string) payload.Call {
	c := payload.Call{ID: id, Name: name}
	if args != "" {
		c.Arguments = json.RawMessage(args)
	}
	return c
}

func TestCallsAndResultsOfEveryFormat(t *testing.T) {
	for _, d := range callDocuments {
		for place, m := range map[string]*message.Message{
			"payload":   {Payload: message.Payload(d.doc), PayloadFormat: "the host's own name"},
			"documents": {ToolCalls: message.JSON(d.doc)},
		} {
			t.Run(d.name+" in "+place, func(t *testing.T) {
				assert.Equal(t, d.calls, payload.Calls(m))
			})
		}
		t.Run(d.name+", results", func(t *testing.T) {
			assert.Equal(t, d.results, payload.Results(&message.Message{Payload: message.Payload(d.doc)}))
			if d.results != nil && d.calls == nil {
				assert.Equal(t, d.results, payload.Results(&message.Message{ToolResults: message.JSON(d.doc)}))
			}
		})
	}
}

func TestCallsInDocumentsOfTheHostsOwn(t *testing.T) {
	for doc, want := range map[string][]payload.Call{
		`[{"id":"1","name":"f","arguments":{"a":1}},{"id":"2","name":"g","args":{}}]`: {call("1", "f", `{"a":1}`), call("2", "g", `{}`)},
		`[{"id":"1","name":"f","type":"tool_call","args":{"a":1}}]`:                   {call("1", "f", `{"a":1}`)},
		`{"id":"1","name":"f","input":[1]}`:                                           {call("1", "f", `[1]`)},
		`[{"type":"tool_use","id":"1","name":"f","input":{}}]`:                        {call("1", "f", `{}`)},
		`[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]`:     {call("1", "f", `{}`)},
		`[{"functionCall":{"name":"f"}}]`:                                             {call("", "f", "")},
		`[{"type":"server_tool_use","id":"1","name":"web_search","input":{}}]`:        nil,
		`[1,"a",null,[{"name":"f"}]]`:                                                 nil, `"text"`: nil, `{`: nil, ``: nil,
	} {
		assert.Equal(t, want, payload.Calls(&message.Message{ToolCalls: message.JSON(doc)}), doc)
	}
	for doc, want := range map[string][]payload.Result{
		`[{"id":"1","content":"x"}]`:                                     {{CallID: "1", Content: "x"}},
		`[{"tool_call_id":"1","name":"f","output":{"a":1}}]`:             {{CallID: "1", Name: "f", Content: `{"a":1}`}},
		`[{"id":"1","task":17}]`:                                         {{CallID: "1", Content: `{"id":"1","task":17}`}},
		`[{"call_id":"1","error":"no"}]`:                                 {{CallID: "1", Content: "no", IsError: true}},
		`[{"call_id":"1","content":"a"},{"call_id":"2","content":""}]`:   {{CallID: "1", Content: "a"}, {CallID: "2"}},
		`{"call_id":"1"}`:                                                {{CallID: "1", Content: "what people read"}},
		`[{"type":"tool_result","tool_use_id":"1","is_error":true}]`:     {{CallID: "1", IsError: true, Content: "what people read"}},
		`[{"functionResponse":{"name":"f","response":{"result":"ok"}}}]`: {{Name: "f", Content: "ok"}},
	} {
		assert.Equal(t, want, payload.Results(&message.Message{ToolResults: message.JSON(doc), Content: "what people read"}), doc)
	}
	assert.Nil(t, payload.Calls(nil))
	assert.Nil(t, payload.Results(nil))
}

// The payload goes first, and each of calls and results falls back on its own document.
func TestCallsOfThePayloadGoFirst(t *testing.T) {
	m := &message.Message{
		Payload:     message.Payload(`{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}`),
		ToolCalls:   message.JSON(`[{"id":"b","name":"g"}]`),
		ToolResults: message.JSON(`[{"call_id":"a","content":"1"}]`),
	}
	require.Equal(t, []payload.Call{call("a", "f", "{}")}, payload.Calls(m))
	require.Equal(t, []payload.Result{{CallID: "a", Content: "1"}}, payload.Results(m))
}

func ExampleCalls() {
	m := &message.Message{Payload: message.Payload(`{"role":"assistant","content":[
		{"type":"text","text":"Let me look."},
		{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Bergen"}}]}`)}
	for _, c := range payload.Calls(m) {
		fmt.Println(c.ID, c.Name, string(c.Arguments))
	}
	// Output: toolu_1 weather {"city":"Bergen"}
}
