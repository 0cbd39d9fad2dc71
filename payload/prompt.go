package payload

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Prompt is a conversation as a provider takes it in a request.
type Prompt struct {
	// System is what Anthropic has in system (a list of blocks) and Gemini in
	// systemInstruction (a Content). It is nil if there is none, and with OpenAI, where it is
	// among Messages.
	System json.RawMessage
	// Messages are the messages, items or contents, in order.
	Messages []json.RawMessage
}

// NewPrompt writes messages, such as those of a window, for a provider. It gives each result the
// name and each call the id that the format asks for, joins neighbours of one role where roles
// have to alternate, puts results before text in a turn of Anthropic's, leaves out what a
// provider returns but does not take back, and skips messages that say nothing. It does not drop
// or reorder messages: package window chooses them so that providers accept the result.
//
// UIMessage is no provider's format and a *rule.InvalidError, like an unknown one.
func NewPrompt(f Format, ms []*message.Message) (Prompt, error) {
	if err := f.validate(); err != nil {
		return Prompt{}, err
	}
	if f == UIMessage {
		return Prompt{}, rule.Invalid("payload_format", "is of a user interface, and no provider's")
	}
	var all []object
	for i, s := range identify(ms) {
		all = append(all, objectsOf(f, ms[i], s)...)
	}
	switch f {
	case Anthropic:
		return joinTurns(all, "content", anthropicSystem, anthropicInput), nil
	case Gemini:
		return joinTurns(all, "parts", geminiSystem, geminiInput), nil
	case ChatCompletions:
		all = joinCalls(all)
	}
	p := Prompt{}
	for _, o := range all {
		p.Messages = append(p.Messages, encode(o))
	}
	return p, nil
}

// objectsOf returns the messages of a format that one message is.
func objectsOf(f Format, m *message.Message, s said) []object {
	turns := turnsOf(m, s)
	if !hasPayload(f, m) {
		var all []object
		for _, raw := range write(f, m.ID.String(), turns) {
			all = append(all, documents(raw)...)
		}
		return all
	}
	all := documents(json.RawMessage(m.Payload))
	if len(s.results) > 0 && len(scan(json.RawMessage(m.Payload), false).results) == 0 {
		for _, raw := range write(f, "", []turn{{role: message.RoleTool, results: s.results}}) {
			all = append(all, documents(raw)...)
		}
	}
	return all
}

// identify returns the calls and results of each message. A call without an id gets one that no
// other has. A result without an id is for the first unanswered call of its name, and one
// without a name has that of its call.
func identify(ms []*message.Message) []said {
	all, taken := make([]said, len(ms)), map[string]bool{}
	for i, m := range ms {
		all[i] = said{calls: Calls(m), results: Results(m)}
		for _, c := range all[i].calls {
			taken[c.ID] = true
		}
		for _, r := range all[i].results {
			taken[r.CallID] = true
		}
	}
	next, open := 0, []Call(nil)
	for i := range all {
		for j := range all[i].calls {
			c := &all[i].calls[j]
			for c.ID == "" {
				if next++; !taken["call_"+strconv.Itoa(next)] {
					c.ID = "call_" + strconv.Itoa(next)
				}
			}
			open = append(open, *c)
		}
		for j := range all[i].results {
			open = all[i].results[j].resolve(open)
		}
	}
	return all
}

// resolve finds the call of a result among the open ones and returns the others.
func (r *Result) resolve(open []Call) []Call {
	at := slices.IndexFunc(open, func(c Call) bool {
		if r.CallID != "" {
			return c.ID == r.CallID
		}
		return r.Name == "" || c.Name == r.Name
	})
	if at < 0 {
		if r.CallID == "" {
			r.CallID = "call_" + r.Name
		}
		return open
	}
	r.CallID = open[at].ID
	if r.Name == "" {
		r.Name = open[at].Name
	}
	return slices.Delete(open, at, at+1)
}

// joinCalls joins an assistant's message with calls and the assistant's next one: the results
// have to follow the calls at once. It leaves out what only an answer of the provider has.
func joinCalls(all []object) []object {
	var joined []object
	for _, o := range all {
		if o = chatInput(o); len(o) == 1 && o.has("role") {
			continue
		}
		last := len(joined) - 1
		if last < 0 || o.text("role") != "assistant" || joined[last].text("role") != "assistant" || !joined[last].has("tool_calls") {
			joined = append(joined, o)
			continue
		}
		before := maps.Clone(joined[last])
		text := joinLines(joinTexts(before["content"], "\n", textPart), joinTexts(o["content"], "\n", textPart))
		if delete(before, "content"); text != "" {
			before["content"] = encode(text)
		}
		before["tool_calls"] = encode(slices.Concat(rawList(before["tool_calls"]), rawList(o["tool_calls"])))
		joined[last] = before
	}
	return joined
}

func joinLines(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "\n")
}

// chatInput leaves out of a message what Chat Completions returns and does not take.
func chatInput(o object) object {
	o = maps.Clone(o)
	delete(o, "annotations")
	maps.DeleteFunc(o, func(_ string, raw json.RawMessage) bool { return string(raw) == "null" })
	if audio := o.object("audio"); o.text("role") == "assistant" && audio != nil {
		o["audio"] = encode(map[string]string{"id": audio.text("id")})
	}
	if len(rawList(o["tool_calls"])) == 0 {
		delete(o, "tool_calls")
	}
	if o.text("role") == "assistant" && !o.has("content") && !o.has("tool_calls") && !o.has("function_call") && o.has("refusal") {
		o["content"] = encode([]map[string]string{{"type": "refusal", "refusal": o.text("refusal")}})
		delete(o, "refusal")
	}
	return o
}

func rawList(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	_ = json.Unmarshal(raw, &list) // what is no list is empty
	return list
}

// joinTurns makes messages of two roles that alternate, each with a list of parts under a key,
// and puts what the system says apart. part returns a part as the provider takes it, nil to
// leave it out, and whether it is a result, which goes before the rest of its turn.
func joinTurns(all []object, key string, system func([]json.RawMessage) json.RawMessage, part func(json.RawMessage) (taken json.RawMessage, result bool)) Prompt {
	type side struct {
		role           string
		results, parts []json.RawMessage
	}
	var sides []side
	var instructions []json.RawMessage
	for _, o := range all {
		role := o.text("role")
		if role == "" || role == "function" {
			role = "user"
		}
		next := side{role: role}
		for _, raw := range partsOf(o[key]) {
			switch taken, result := part(raw); {
			case taken == nil:
			case result:
				next.results = append(next.results, taken)
			default:
				next.parts = append(next.parts, taken)
			}
		}
		last := len(sides) - 1
		switch {
		case role == "system":
			instructions = append(instructions, next.parts...)
		case len(next.results)+len(next.parts) == 0:
		case last >= 0 && sides[last].role == role:
			sides[last].results = append(sides[last].results, next.results...)
			sides[last].parts = append(sides[last].parts, next.parts...)
		default:
			sides = append(sides, next)
		}
	}
	var p Prompt
	if len(instructions) > 0 {
		p.System = system(instructions)
	}
	for _, s := range sides {
		p.Messages = append(p.Messages, encode(object{"role": encode(s.role), key: encode(slices.Concat(s.results, s.parts))}))
	}
	return p
}

// partsOf returns the parts of a content, one of text if it is a string.
func partsOf(content json.RawMessage) []json.RawMessage {
	if text, ok := decodeText(content); ok {
		return []json.RawMessage{encode(block{Type: "text", Text: text})}
	}
	return rawList(content)
}

func anthropicSystem(blocks []json.RawMessage) json.RawMessage { return encode(blocks) }

func geminiSystem(parts []json.RawMessage) json.RawMessage {
	return encode(map[string][]json.RawMessage{"parts": parts})
}

// anthropicInput leaves out blank blocks of text, which Anthropic refuses.
func anthropicInput(raw json.RawMessage) (json.RawMessage, bool) {
	o, ok := decodeObject(raw)
	if !ok || o.text("type") == "text" && strings.TrimSpace(o.text("text")) == "" {
		return nil, false
	}
	return raw, o.text("type") == "tool_result"
}

func geminiInput(raw json.RawMessage) (json.RawMessage, bool) {
	o, ok := decodeObject(raw)
	if !ok || len(o) == 0 {
		return nil, false
	}
	return raw, o.has("functionResponse")
}
