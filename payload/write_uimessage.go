package payload

import (
	"encoding/json"

	"github.com/convostore/convostore/message"
)

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
