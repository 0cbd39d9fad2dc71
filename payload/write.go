package payload

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Write returns m as a message of a format: its Payload to the byte if it is of that format, or
// else a message made of Role, Content, Calls and Results. Images, files and thoughts are only
// in a payload, so that they do not change from one format to another. A message that is several
// in the format, such as one with two results in Chat Completions, is a JSON list of them.
//
// An unknown format, and a message that says nothing (blank Content, no call, no result, which
// no provider takes), are a *rule.InvalidError.
func Write(f Format, m *message.Message) ([]byte, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, rule.Invalid("message", "is nil")
	}
	if hasPayload(f, m) {
		return bytes.Clone(m.Payload), nil
	}
	all := write(f, m.ID.String(), turnsOf(m, identified(m)))
	switch len(all) {
	case 0:
		return nil, rule.Invalid("content", "is blank, and there are neither calls nor results")
	case 1:
		return all[0], nil
	}
	return encode(all), nil
}

func hasPayload(f Format, m *message.Message) bool {
	return len(m.Payload) > 0 && m.PayloadFormat == string(f)
}

// said are the calls and results of a message, each with an id.
type said struct {
	calls   []Call
	results []Result
}

// identified returns the calls and results of a message on its own. One without an id gets one
// of its name and its place among those of the name, the same for a call and its result.
func identified(m *message.Message) said {
	s := said{calls: Calls(m), results: Results(m)}
	seen := map[string]int{}
	for i := range s.calls {
		if c := &s.calls[i]; c.ID == "" {
			c.ID = ordinalID(seen, c.Name)
		}
	}
	clear(seen)
	for i := range s.results {
		if r := &s.results[i]; r.CallID == "" {
			r.CallID = ordinalID(seen, r.Name)
		}
	}
	return s
}

func ordinalID(seen map[string]int, name string) string {
	seen[name]++
	return "call_" + name + "_" + strconv.Itoa(seen[name])
}

// turn is what one side says: results go before text, calls after it.
type turn struct {
	role    message.Role
	text    string
	calls   []Call
	results []Result
}

// turnsOf cuts a message into turns. An assistant whose calls are answered in the same message,
// as in a UIMessage, calls first and speaks after the results.
func turnsOf(m *message.Message, s said) []turn {
	text := m.Content
	if strings.TrimSpace(text) == "" {
		text = ""
	}
	var turns []turn
	add := func(t turn) {
		if t.text != "" || len(t.calls) > 0 || len(t.results) > 0 {
			turns = append(turns, t)
		}
	}
	switch m.Role {
	case message.RoleAssistant:
		if len(s.results) == 0 {
			add(turn{role: m.Role, text: text, calls: s.calls})
			break
		}
		add(turn{role: m.Role, calls: s.calls})
		add(turn{role: message.RoleTool, results: s.results})
		add(turn{role: m.Role, text: text})
	case message.RoleTool:
		add(turn{role: m.Role, results: s.results})
	case message.RoleSystem, message.RoleDeveloper:
		add(turn{role: m.Role, text: text})
	default:
		add(turn{role: message.RoleUser, text: text, results: s.results})
	}
	return turns
}

func write(f Format, id string, turns []turn) []json.RawMessage {
	var all []json.RawMessage
	for _, t := range turns {
		switch f {
		case ChatCompletions:
			all = append(all, writeChat(t)...)
		case Responses:
			all = append(all, writeResponses(t)...)
		case Anthropic:
			all = append(all, writeAnthropic(t))
		case Gemini:
			all = append(all, writeGemini(t))
		}
	}
	if f == UIMessage && len(turns) > 0 {
		all = append(all, writeUIMessage(id, turns))
	}
	return all
}

var portable = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`)

// portableID returns an id that every provider takes: letters, digits, _ and -, and 40 of them
// at most. The same id always gives the same.
func portableID(id string) string {
	if portable.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:12])
}

// inputObject returns arguments as an object, which every provider but OpenAI asks for. What is
// none stands under the key input.
func inputObject(args json.RawMessage) json.RawMessage {
	if len(args) == 0 {
		return json.RawMessage("{}")
	}
	if _, ok := decodeObject(args); ok {
		return args
	}
	return encode(map[string]json.RawMessage{"input": args})
}

// inputText returns arguments as OpenAI has them.
func inputText(args json.RawMessage) string {
	if len(args) == 0 {
		return "{}"
	}
	if text, ok := decodeText(args); ok {
		return text
	}
	return string(args)
}

// orTool is the name of a result whose call is unknown.
func orTool(name string) string {
	if name == "" {
		return "tool"
	}
	return name
}

type functionText struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type chatCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function functionText `json:"function"`
}

func writeChat(t turn) []json.RawMessage {
	var all []json.RawMessage
	for _, r := range t.results {
		all = append(all, encode(struct {
			Role    string `json:"role"`
			CallID  string `json:"tool_call_id"`
			Content string `json:"content"`
		}{"tool", portableID(r.CallID), r.Content}))
	}
	calls := make([]chatCall, len(t.calls))
	for i, c := range t.calls {
		calls[i] = chatCall{portableID(c.ID), "function", functionText{orTool(c.Name), inputText(c.Arguments)}}
	}
	switch {
	case len(calls) > 0 && t.text == "":
		all = append(all, encode(struct {
			Role  string     `json:"role"`
			Calls []chatCall `json:"tool_calls"`
		}{"assistant", calls}))
	case t.text != "":
		all = append(all, encode(struct {
			Role    string     `json:"role"`
			Content string     `json:"content"`
			Calls   []chatCall `json:"tool_calls,omitempty"`
		}{string(t.role), t.text, calls}))
	}
	return all
}

func writeResponses(t turn) []json.RawMessage {
	var all []json.RawMessage
	for _, r := range t.results {
		all = append(all, encode(struct {
			Type   string `json:"type"`
			CallID string `json:"call_id"`
			Output string `json:"output"`
		}{"function_call_output", portableID(r.CallID), r.Content}))
	}
	if t.text != "" {
		all = append(all, encode(struct {
			Type    string `json:"type"`
			Role    string `json:"role"`
			Content string `json:"content"`
		}{"message", string(t.role), t.text}))
	}
	for _, c := range t.calls {
		all = append(all, encode(struct {
			Type   string `json:"type"`
			CallID string `json:"call_id"`
			functionText
		}{"function_call", portableID(c.ID), functionText{orTool(c.Name), inputText(c.Arguments)}}))
	}
	return all
}

type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"`
	Content   []block         `json:"content,omitempty"`
	IsError   bool            `json:"is_error,omitempty"`
}

// writeAnthropic gives a result without text no content, since a block of text must not be
// empty. System messages keep their role; a request has their text elsewhere, see NewPrompt.
func writeAnthropic(t turn) json.RawMessage {
	blocks := []block{}
	for _, r := range t.results {
		b := block{Type: "tool_result", ToolUseID: portableID(r.CallID), IsError: r.IsError}
		if strings.TrimSpace(r.Content) != "" {
			b.Content = []block{{Type: "text", Text: r.Content}}
		}
		blocks = append(blocks, b)
	}
	if t.text != "" {
		blocks = append(blocks, block{Type: "text", Text: t.text})
	}
	for _, c := range t.calls {
		blocks = append(blocks, block{Type: "tool_use", ID: portableID(c.ID), Name: orTool(c.Name), Input: inputObject(c.Arguments)})
	}
	role := string(t.role)
	switch t.role {
	case message.RoleTool:
		role = "user"
	case message.RoleDeveloper:
		role = "system"
	}
	return encode(struct {
		Role    string  `json:"role"`
		Content []block `json:"content"`
	}{role, blocks})
}

type geminiPart struct {
	Text     string          `json:"text,omitempty"`
	Call     *geminiCall     `json:"functionCall,omitempty"`
	Response *geminiResponse `json:"functionResponse,omitempty"`
}

type geminiCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

type geminiResponse struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
}

func writeGemini(t turn) json.RawMessage {
	parts := []geminiPart{}
	for _, r := range t.results {
		parts = append(parts, geminiPart{Response: &geminiResponse{portableID(r.CallID), orTool(r.Name), responseObject(r)}})
	}
	if t.text != "" {
		parts = append(parts, geminiPart{Text: t.text})
	}
	for _, c := range t.calls {
		part := geminiPart{Call: &geminiCall{ID: portableID(c.ID), Name: orTool(c.Name)}}
		if args := inputObject(c.Arguments); string(args) != "{}" {
			part.Call.Args = args
		}
		parts = append(parts, part)
	}
	role := "user"
	switch t.role {
	case message.RoleAssistant:
		role = "model"
	case message.RoleSystem, message.RoleDeveloper:
		role = "system"
	}
	return encode(struct {
		Role  string       `json:"role"`
		Parts []geminiPart `json:"parts"`
	}{role, parts})
}

func responseObject(r Result) json.RawMessage {
	if r.IsError {
		return encode(map[string]string{"error": r.Content})
	}
	if o, ok := decodeObject(json.RawMessage(r.Content)); ok && len(o) > 1 {
		return json.RawMessage(r.Content)
	}
	return encode(map[string]string{"output": r.Content})
}

type uiPart struct {
	Type       string          `json:"type"`
	Text       string          `json:"text,omitempty"`
	ToolName   string          `json:"toolName,omitempty"`
	ToolCallID string          `json:"toolCallId,omitempty"`
	State      string          `json:"state,omitempty"`
	Input      json.RawMessage `json:"input,omitempty"`
	Output     json.RawMessage `json:"output,omitempty"`
	ErrorText  *string         `json:"errorText,omitempty"`
}

// writeUIMessage writes a message of any number of turns. A UIMessage has results only where
// the call is: those of a message on its own belong to an assistant whose input is unknown.
func writeUIMessage(id string, turns []turn) json.RawMessage {
	role, parts := "", []uiPart{}
	at := map[string]int{}
	for _, t := range turns {
		for _, r := range t.results {
			i, known := at[r.CallID]
			if !known {
				i, parts = len(parts), append(parts, uiPart{Type: "dynamic-tool", ToolName: orTool(r.Name), ToolCallID: r.CallID, Input: json.RawMessage("{}")})
			}
			parts[i].answer(r)
		}
		if t.text != "" {
			parts = append(parts, uiPart{Type: "text", Text: t.text})
		}
		for _, c := range t.calls {
			at[c.ID] = len(parts)
			parts = append(parts, uiPart{Type: "dynamic-tool", ToolName: orTool(c.Name), ToolCallID: c.ID, State: "input-available", Input: inputObject(c.Arguments)})
		}
		if role == "" {
			role = uiRole(t.role)
		}
	}
	return encode(struct {
		ID    string   `json:"id"`
		Role  string   `json:"role"`
		Parts []uiPart `json:"parts"`
	}{id, role, parts})
}

func uiRole(r message.Role) string {
	switch r {
	case message.RoleTool, message.RoleAssistant:
		return "assistant"
	case message.RoleDeveloper, message.RoleSystem:
		return "system"
	}
	return "user"
}

func (p *uiPart) answer(r Result) {
	if r.IsError {
		p.State, p.ErrorText = "output-error", &r.Content
		return
	}
	p.State, p.Output = "output-available", encode(r.Content)
	if doc := json.RawMessage(r.Content); json.Valid(doc) {
		if _, isObject := decodeObject(doc); isObject || len(decodeObjects(doc)) > 0 {
			p.Output = doc
		}
	}
}
