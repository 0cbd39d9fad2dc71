package genkit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/firebase/genkit/go/ai"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/rule"
)

// PayloadFormat is the payload format of a message: an ai.Message as Genkit encodes it.
const PayloadFormat = "genkit.message"

// ToMessage returns the message to store for one of Genkit's. Its text is what people read and
// search: no thoughts of the model, no data, and no U+0000, which no database keeps in a text.
// Requests of tools are a list of payload.Call, and responses one of payload.Result. What no
// database takes is in the payload alone. A nil message is a *rule.InvalidError.
func ToMessage(m *ai.Message) (*message.Message, error) {
	if m == nil {
		return nil, rule.Invalid("message", "is nil")
	}
	doc, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("genkit: encode message: %w", err)
	}
	stored := &message.Message{Role: roleOf(m), Content: textOf(m), Payload: doc, PayloadFormat: PayloadFormat}
	var calls []payload.Call
	var results []payload.Result
	for _, p := range m.Content {
		switch {
		case p.IsMedia():
			stored.Attachments = append(stored.Attachments, attachment(p))
		case p.IsToolRequest() && p.ToolRequest != nil:
			arguments, err := jsonOf(p.ToolRequest.Input)
			if err != nil {
				return nil, err
			}
			calls = append(calls, payload.Call{ID: p.ToolRequest.Ref, Name: p.ToolRequest.Name, Arguments: arguments})
		case p.IsToolResponse() && p.ToolResponse != nil:
			content, err := answer(p.ToolResponse)
			if err != nil {
				return nil, err
			}
			results = append(results, payload.Result{CallID: p.ToolResponse.Ref, Name: p.ToolResponse.Name, Content: content})
		}
	}
	fill(stored, calls, results)
	return stored, nil
}

// fill sets the calls and results, and takes away what no database takes.
func fill(m *message.Message, calls []payload.Call, results []payload.Result) {
	if len(calls) > 0 && valid(&message.Message{Role: m.Role, ToolCalls: message.MustJSON(calls)}) {
		m.ToolCalls = message.MustJSON(calls)
	}
	if len(results) > 0 && valid(&message.Message{Role: m.Role, ToolResults: message.MustJSON(results)}) {
		m.ToolResults = message.MustJSON(results)
	}
	if !valid(&message.Message{Role: m.Role, Attachments: m.Attachments}) {
		m.Attachments = nil
	}
}

func valid(m *message.Message) bool {
	m.Normalize(message.Now())
	return m.Validate() == nil
}

// jsonOf encodes what a tool was asked, nil if that is nothing.
func jsonOf(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("genkit: encode message: %w", err)
	}
	return doc, nil
}

// answer is the text of a response, or its JSON document if it is no text.
func answer(r *ai.ToolResponse) (string, error) {
	if text, ok := r.Output.(string); ok {
		return text, nil
	}
	if r.Output == nil {
		return textOf(&ai.Message{Content: r.Content}), nil
	}
	doc, err := jsonOf(r.Output)
	return string(doc), err
}

// attachment describes a medium. The bytes of one that is inside of the message are in the payload
// alone.
func attachment(p *ai.Part) message.Attachment {
	a := message.Attachment{ContentType: p.ContentType}
	inside, ok := strings.CutPrefix(p.Text, "data:")
	if !ok {
		a.URL = p.Text
		return a
	}
	kind, data, _ := strings.Cut(inside, ",")
	kind, encoded := strings.CutSuffix(kind, ";base64")
	if a.ContentType == "" {
		a.ContentType = kind
	}
	if a.Size = int64(len(data)); encoded {
		a.Size = int64(base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(data, "="))))
	}
	return a
}

func textOf(m *ai.Message) string {
	var texts []string
	for _, p := range m.Content {
		if p.IsText() && p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return clean.String(strings.Join(texts, "\n"))
}

// roleOf says who speaks. A role that Genkit does not know is a user's, unless tools answer.
func roleOf(m *ai.Message) message.Role {
	switch m.Role {
	case ai.RoleModel:
		return message.RoleAssistant
	case ai.RoleSystem:
		return message.RoleSystem
	case ai.RoleTool:
		return message.RoleTool
	}
	for _, p := range m.Content {
		if p.IsToolResponse() {
			return message.RoleTool
		}
	}
	return message.RoleUser
}

// FromMessage returns a stored message as Genkit has it: the payload, with the text that it has
// now if somebody edited it. A message that something else stored is made of its role, its text,
// and its calls and results in whichever format package payload knows. A nil message is a
// *rule.InvalidError.
func FromMessage(m *message.Message) (*ai.Message, error) {
	if m == nil {
		return nil, rule.Invalid("message", "is nil")
	}
	if m.PayloadFormat != PayloadFormat {
		return foreign(m), nil
	}
	own := &ai.Message{}
	if err := json.Unmarshal(m.Payload, own); err != nil {
		return nil, fmt.Errorf("genkit: decode message %s: %w", m.ID, err)
	}
	if m.EditedAt != nil && m.Content != textOf(own) {
		setText(own, m.Content)
	}
	return own, nil
}

// setText puts a text in the place of the first one, or in front, and takes the others away.
func setText(m *ai.Message, text string) {
	var parts []*ai.Part
	at := -1
	for _, p := range m.Content {
		if !p.IsText() {
			parts = append(parts, p)
		} else if at < 0 {
			at = len(parts)
		}
	}
	if text != "" {
		parts = slices.Insert(parts, max(at, 0), ai.NewTextPart(text))
	}
	m.Content = parts
}

func foreign(m *message.Message) *ai.Message {
	made := &ai.Message{Role: ai.RoleUser}
	switch m.Role {
	case message.RoleAssistant:
		made.Role = ai.RoleModel
	case message.RoleSystem, message.RoleDeveloper:
		made.Role = ai.RoleSystem
	case message.RoleTool:
		made.Role = ai.RoleTool
	}
	results := payload.Results(m)
	if m.Content != "" && (m.Role != message.RoleTool || len(results) == 0) {
		made.Content = append(made.Content, ai.NewTextPart(m.Content))
	}
	for _, c := range payload.Calls(m) {
		var input any
		_ = json.Unmarshal(c.Arguments, &input) // none, if the model wrote nothing
		made.Content = append(made.Content, ai.NewToolRequestPart(&ai.ToolRequest{Ref: c.ID, Name: c.Name, Input: input}))
	}
	for _, r := range results {
		made.Content = append(made.Content, ai.NewToolResponsePart(&ai.ToolResponse{Ref: r.CallID, Name: r.Name, Output: r.Content}))
	}
	return made
}

// canonical is what tells one message from another: as Genkit encodes what it has decoded. Once
// decoded, long numbers and parts without anything in them are not what they were.
func canonical(m *ai.Message) ([]byte, error) {
	doc, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("genkit: encode message: %w", err)
	}
	again := &ai.Message{}
	if err := json.Unmarshal(doc, again); err != nil {
		return nil, fmt.Errorf("genkit: decode message: %w", err)
	}
	return json.Marshal(again)
}

func canonicals(ms []*ai.Message) ([][]byte, error) {
	all := make([][]byte, len(ms))
	for i, m := range ms {
		if m == nil {
			return nil, rule.Invalid(fmt.Sprintf("messages[%d]", i), "is nil")
		}
		var err error
		if all[i], err = canonical(m); err != nil {
			return nil, err
		}
	}
	return all, nil
}
