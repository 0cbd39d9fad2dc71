package payload

import (
	"encoding/json"

	"github.com/convostore/convostore/message"
)

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
