package payload

import (
	"encoding/json"
	"strings"

	"github.com/convostore/convostore/message"
)

// Call is a tool that a model asks the caller to run. Tools that the provider runs by itself,
// such as its web search, are none.
type Call struct {
	// ID is what the result names, "" where the format has none: calls of Gemini go by name
	// and order then.
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	// Arguments is a JSON document: a JSON string if the model wrote what does not parse, nil
	// if it wrote nothing.
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// Result is what a tool answered.
type Result struct {
	// CallID and Name are those of the call; either may be "" where the format has none.
	CallID string `json:"call_id,omitempty"`
	Name   string `json:"name,omitempty"`
	// Content is the text of the answer, or its JSON document if it is no text. Images and
	// files are only in the payload.
	Content string `json:"content"`
	IsError bool   `json:"is_error,omitempty"`
}

// Calls returns the calls of a message in their order: those in its Payload, whatever
// PayloadFormat says, or else those in its ToolCalls. It understands every format of this
// package, and in ToolCalls also plain objects with an id, a name and arguments. What it does
// not understand it skips; a nil message has none.
func Calls(m *message.Message) []Call {
	if m == nil {
		return nil
	}
	if found := scan(json.RawMessage(m.Payload), false); len(found.calls) > 0 {
		return found.calls
	}
	return scan(json.RawMessage(m.ToolCalls), true).calls
}

// Results returns the results in a message in their order, from its Payload or else from its
// ToolResults, as Calls does. A single result without any content of its own has the message's.
func Results(m *message.Message) []Result {
	if m == nil {
		return nil
	}
	if found := scan(json.RawMessage(m.Payload), false); len(found.results) > 0 {
		return found.results
	}
	found := resultScan(json.RawMessage(m.ToolResults))
	if len(found) == 1 && found[0].Content == "" {
		found[0].Content = m.Content
	}
	return found
}

// finds collects calls and results. plain says whether objects that only look like a call or
// a result count: they do in ToolCalls and ToolResults.
type finds struct {
	calls   []Call
	results []Result
	plain   bool
}

func scan(doc json.RawMessage, plain bool) *finds {
	f := &finds{plain: plain}
	for _, o := range documents(doc) {
		f.message(o)
	}
	return f
}

// documents returns an object, or the objects of a list.
func documents(doc json.RawMessage) []object {
	if o, ok := decodeObject(doc); ok {
		return []object{o}
	}
	return decodeObjects(doc)
}

// message looks into what may be a message or one part of a message.
func (f *finds) message(o object) {
	if f.part(o) {
		return
	}
	id := o.text("tool_call_id")
	if role := o.text("role"); role == "tool" && id != "" || role == "function" && o.has("name") {
		f.results = append(f.results, Result{CallID: id, Name: o.text("name"), Content: contentText(o["content"])})
		return
	}
	for _, call := range o.objects("tool_calls") {
		f.part(call)
	}
	if call := o.object("function_call"); call != nil {
		f.calls = append(f.calls, Call{Name: call.text("name"), Arguments: arguments(call["arguments"])})
	}
	for _, list := range []string{"content", "parts", "output"} {
		for _, part := range o.objects(list) {
			f.part(part)
		}
	}
	if kind := o.text("type"); f.plain && o.has("name") && (kind == "" || kind == "function" || kind == "tool_call") && !o.has("role") {
		f.calls = append(f.calls, plainCall(o))
	}
}

// part looks into one part and reports whether it is a call or a result.
func (f *finds) part(o object) bool {
	before := len(f.calls) + len(f.results)
	kind := o.text("type")
	switch {
	case o.has("functionCall") || o.has("functionResponse"):
		f.gemini(o)
	case o.has("toolCallId"):
		f.aiSDK(o, kind)
	case o.object("function") != nil:
		function := o.object("function")
		f.call(o.text("id"), function.text("name"), function["arguments"])
	case kind == "custom" && o.object("custom") != nil:
		f.call(o.text("id"), o.object("custom").text("name"), o.object("custom")["input"])
	case kind == "tool_use":
		f.call(o.text("id"), o.text("name"), o["input"])
	case kind == "tool_result":
		f.result(Result{CallID: o.text("tool_use_id"), Content: contentText(o["content"]), IsError: o.flag("is_error")})
	default:
		f.responses(o, kind)
	}
	return len(f.calls)+len(f.results) > before
}

func (f *finds) call(id, name string, args json.RawMessage) {
	f.calls = append(f.calls, Call{ID: id, Name: name, Arguments: arguments(args)})
}

func (f *finds) result(r Result) { f.results = append(f.results, r) }

// gemini looks into a part of a Content. The error of a function stands under that key.
func (f *finds) gemini(o object) {
	if call := o.object("functionCall"); call != nil {
		f.call(call.text("id"), call.text("name"), call["args"])
	}
	answer := o.object("functionResponse")
	if answer == nil {
		return
	}
	r := Result{CallID: answer.text("id"), Name: answer.text("name"), Content: string(answer["response"])}
	if response := answer.object("response"); len(response) == 1 {
		r.IsError = response.has("error")
		for _, only := range []string{"output", "result", "error"} {
			if response.has(only) {
				r.Content = contentText(response[only])
			}
		}
	}
	f.result(r)
}

// aiSDK looks into a part of a UIMessage, where a call and its result are one, or of the AI
// SDK's own ModelMessage, where they are two.
func (f *finds) aiSDK(o object, kind string) {
	id, name := o.text("toolCallId"), o.text("toolName")
	if name == "" {
		name = strings.TrimPrefix(kind, "tool-")
	}
	state := o.text("state")
	if kind == "tool-result" && state == "" {
		output := o["output"]
		if inner := o.object("output"); inner.has("value") {
			output = inner["value"]
		}
		f.result(Result{CallID: id, Name: name, Content: contentText(output), IsError: strings.HasPrefix(o.object("output").text("type"), "error")})
		return
	}
	if state == "input-streaming" {
		return
	}
	f.call(id, name, o["input"])
	switch state {
	case "output-available":
		f.result(Result{CallID: id, Name: name, Content: contentText(o["output"])})
	case "output-error":
		f.result(Result{CallID: id, Name: name, Content: o.text("errorText"), IsError: true})
	case "output-denied":
		f.result(Result{CallID: id, Name: name, Content: denial(o), IsError: true})
	}
}

func denial(o object) string {
	if reason := o.object("approval").text("reason"); reason != "" {
		return reason
	}
	return "The call was denied."
}

// responses looks into an item of Responses. Shells, patches, computers and approvals are
// calls of the caller as well, under the name of their kind.
func (f *finds) responses(o object, kind string) {
	id := o.first("call_id", "id")
	switch kind {
	case "function_call":
		f.call(id, o.text("name"), o["arguments"])
	case "custom_tool_call":
		f.call(id, o.text("name"), o["input"])
	case "computer_call", "local_shell_call", "shell_call":
		f.call(id, strings.TrimSuffix(kind, "_call"), firstOf(o, "action", "actions"))
	case "apply_patch_call":
		f.call(id, "apply_patch", o["operation"])
	case "mcp_approval_request":
		f.call(o.text("id"), o.text("name"), o["arguments"])
	case "function_call_output", "custom_tool_call_output", "computer_call_output", "shell_call_output",
		"local_shell_call_output", "apply_patch_call_output":
		f.result(Result{CallID: id, Content: contentText(o["output"]), IsError: o.text("status") == "failed"})
	case "mcp_approval_response":
		f.result(Result{CallID: o.text("approval_request_id"), Content: string(o["approve"])})
	}
}

func firstOf(o object, keys ...string) json.RawMessage {
	for _, key := range keys {
		if o.has(key) {
			return o[key]
		}
	}
	return nil
}

// plainCall reads what only looks like a call, such as this package's own ToolCalls.
func plainCall(o object) Call {
	return Call{
		ID: o.first("id", "call_id", "tool_call_id"), Name: o.text("name"),
		Arguments: arguments(firstOf(o, "arguments", "args", "input", "parameters")),
	}
}

// resultScan reads ToolResults, where every object is a result.
func resultScan(doc json.RawMessage) []Result {
	f := &finds{}
	for _, o := range documents(doc) {
		before := len(f.results)
		if f.message(o); len(f.results) == before {
			f.result(plainResult(o))
		}
	}
	return f.results
}

// plainResult reads an object whose id is a call's. Without a known place for the content, the
// content is the object, unless nothing but names is in it.
func plainResult(o object) Result {
	r := Result{
		CallID: o.first("call_id", "tool_call_id", "tool_use_id", "id"), Name: o.text("name"),
		IsError: o.flag("is_error") || o.flag("isError") || o.has("error"),
	}
	if content := firstOf(o, "content", "output", "result", "error"); content != nil {
		r.Content = contentText(content)
		return r
	}
	for key := range o {
		switch key {
		case "id", "call_id", "tool_call_id", "tool_use_id", "name", "is_error", "isError", "type", "content", "role":
		default:
			r.Content = string(encode(o))
		}
	}
	return r
}

// arguments returns a document of arguments. OpenAI has it as text, which need not parse.
func arguments(raw json.RawMessage) json.RawMessage {
	text, ok := decodeText(raw)
	switch {
	case len(raw) == 0 || string(raw) == "null" || ok && strings.TrimSpace(text) == "":
		return nil
	case ok && json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	return raw
}

// contentText returns the text of a content: a string, the texts of a list of parts, or the
// document itself if it is neither.
func contentText(raw json.RawMessage) string {
	if s, ok := decodeText(raw); ok {
		return s
	}
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	parts := decodeObjects(raw)
	if len(parts) == 0 {
		return string(raw)
	}
	var texts []string
	for _, part := range parts {
		if !part.has("type") {
			return string(raw)
		}
		if s := part.text("text"); s != "" {
			texts = append(texts, s)
		}
	}
	return strings.Join(texts, "\n")
}

// OnlyThinks reports whether a payload of Responses is nothing but reasoning, which OpenAI takes
// back only together with the item that it led to.
func OnlyThinks(m *message.Message) bool {
	if m == nil || m.PayloadFormat != string(Responses) {
		return false
	}
	items := documents(json.RawMessage(m.Payload))
	for _, o := range items {
		if o.text("type") != "reasoning" {
			return false
		}
	}
	return len(items) > 0
}
