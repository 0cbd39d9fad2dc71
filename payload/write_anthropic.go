package payload

import (
	"encoding/json"
	"strings"

	"github.com/convostore/convostore/message"
)

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
