package window_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/convostore/convostore/payload"
)

// The checkers refuse what the providers' published rules refuse. They know nothing of how a
// window is made, and read only the JSON that would be sent.

type doc = map[string]any

func decoded(raw json.RawMessage) doc {
	var d doc
	if err := json.Unmarshal(raw, &d); err != nil {
		panic(err)
	}
	return d
}

func list(v any) []doc {
	var all []doc
	if l, ok := v.([]any); ok {
		for _, one := range l {
			all = append(all, one.(doc))
		}
	}
	return all
}

func str(v any) string { s, _ := v.(string); return s }

// checkChat: every call has an id of its own; the messages after an assistant's with calls are
// the results of exactly those, each once; no result stands elsewhere; nothing is empty.
func checkChat(p payload.Prompt) error {
	if p.System != nil {
		return fmt.Errorf("chat has no system beside the messages")
	}
	var open map[string]bool
	for i, raw := range p.Messages {
		m := decoded(raw)
		role := str(m["role"])
		if role == "tool" {
			id := str(m["tool_call_id"])
			if !open[id] {
				return fmt.Errorf("messages.%d: tool without a preceding call", i)
			}
			delete(open, id)
			continue
		}
		if len(open) > 0 {
			return fmt.Errorf("messages.%d: calls without results: %v", i, open)
		}
		switch role {
		case "system", "developer", "user":
			if !filled(m["content"]) {
				return fmt.Errorf("messages.%d: empty", i)
			}
		case "assistant":
			calls := list(m["tool_calls"])
			if len(calls) == 0 && !filled(m["content"]) {
				return fmt.Errorf("messages.%d: empty", i)
			}
			open = map[string]bool{}
			for _, c := range calls {
				f, _ := c["function"].(doc)
				if str(c["id"]) == "" || open[str(c["id"])] || str(f["name"]) == "" || !json.Valid([]byte(str(f["arguments"]))) {
					return fmt.Errorf("messages.%d: bad call %v", i, c)
				}
				open[str(c["id"])] = true
			}
		default:
			return fmt.Errorf("messages.%d: role %q", i, role)
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("calls without results at the end: %v", open)
	}
	return nil
}

func filled(content any) bool {
	s, ok := content.(string)
	return ok && s != "" || len(list(content)) > 0
}

// checkResponses: every call has one output after it, and every output a call before it;
// reasoning is followed by an assistant's item.
func checkResponses(p payload.Prompt) error {
	open, thinks := map[string]bool{}, false
	for i, raw := range p.Messages {
		m := decoded(raw)
		kind, id := str(m["type"]), str(m["call_id"])
		if thinks && kind != "function_call" && kind != "reasoning" && (kind != "message" || str(m["role"]) != "assistant") {
			return fmt.Errorf("input.%d: reasoning without what follows", i)
		}
		thinks = kind == "reasoning"
		switch kind {
		case "function_call":
			if id == "" || open[id] {
				return fmt.Errorf("input.%d: bad call", i)
			}
			open[id] = true
		case "function_call_output":
			if !open[id] {
				return fmt.Errorf("input.%d: output without a call", i)
			}
			delete(open, id)
		case "message":
			if !filled(m["content"]) {
				return fmt.Errorf("input.%d: empty", i)
			}
		case "reasoning":
		default:
			return fmt.Errorf("input.%d: type %q", i, kind)
		}
	}
	if len(open) > 0 || thinks {
		return fmt.Errorf("calls without outputs at the end: %v", open)
	}
	return nil
}

// checkAnthropic: the first message is a user's, roles alternate, contents and texts are not
// empty, ids of calls are unique, all results of a message's calls are at the beginning of the
// next message, and no others.
func checkAnthropic(p payload.Prompt) error {
	var open map[string]bool
	ids, before := map[string]bool{}, "assistant"
	for i, raw := range p.Messages {
		m := decoded(raw)
		role, blocks := str(m["role"]), list(m["content"])
		if role == before || role != "user" && role != "assistant" {
			return fmt.Errorf("messages.%d: role %q after %q", i, role, before)
		}
		if before = role; len(blocks) == 0 {
			return fmt.Errorf("messages.%d: empty", i)
		}
		text, calls := false, map[string]bool{}
		for _, b := range blocks {
			switch str(b["type"]) {
			case "text":
				if text = true; strings.TrimSpace(str(b["text"])) == "" {
					return fmt.Errorf("messages.%d: empty text", i)
				}
			case "tool_use":
				id := str(b["id"])
				if _, ok := b["input"].(doc); role != "assistant" || ids[id] || !ok {
					return fmt.Errorf("messages.%d: bad tool_use %v", i, b)
				}
				ids[id], calls[id] = true, true
			case "tool_result":
				id := str(b["tool_use_id"])
				if role != "user" || !open[id] || text {
					return fmt.Errorf("messages.%d: tool_result without tool_use, or after text", i)
				}
				delete(open, id)
			default:
				return fmt.Errorf("messages.%d: block %v", i, b)
			}
		}
		if len(open) > 0 {
			return fmt.Errorf("messages.%d: tool_use without tool_result: %v", i, open)
		}
		open = calls
	}
	if len(open) > 0 {
		return fmt.Errorf("tool_use without tool_result at the end")
	}
	return nil
}

// checkGemini: the first content is a user's, roles alternate, parts are not empty, function
// calls come after a user's content, and the next content has exactly as many responses as there
// were calls, with their names.
func checkGemini(p payload.Prompt) error {
	var open []string
	before := "model"
	for i, raw := range p.Messages {
		m := decoded(raw)
		role, parts := str(m["role"]), list(m["parts"])
		if role == before || role != "user" && role != "model" || len(parts) == 0 {
			return fmt.Errorf("contents.%d: role %q after %q with %d parts", i, role, before, len(parts))
		}
		before = role
		var calls, responses []string
		for _, part := range parts {
			if c, ok := part["functionCall"].(doc); ok {
				calls = append(calls, str(c["name"]))
			}
			if r, ok := part["functionResponse"].(doc); ok {
				if _, ok := r["response"].(doc); !ok {
					return fmt.Errorf("contents.%d: a response that is no object", i)
				}
				responses = append(responses, str(r["name"]))
			}
		}
		if role == "user" && len(calls) > 0 || role == "model" && len(responses) > 0 || len(responses) != len(open) || !sameNames(open, responses) {
			return fmt.Errorf("contents.%d: calls %v, responses %v", i, open, responses)
		}
		open = calls
	}
	if len(open) > 0 {
		return fmt.Errorf("function calls without responses at the end")
	}
	return nil
}

func sameNames(a, b []string) bool {
	n := map[string]int{}
	for _, s := range a {
		n[s]++
	}
	for _, s := range b {
		n[s]--
	}
	for _, k := range n {
		if k != 0 {
			return false
		}
	}
	return true
}
