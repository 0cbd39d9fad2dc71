package payload

import (
	"bytes"
	"encoding/json"
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
