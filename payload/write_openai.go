package payload

import (
	"encoding/json"
)

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
