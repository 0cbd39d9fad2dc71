package payload

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Read returns a new message with what Set fills in.
func Read(f Format, doc []byte) (*message.Message, error) {
	m := &message.Message{}
	if err := Set(m, f, doc); err != nil {
		return nil, err
	}
	return m, nil
}

// Set fills in the Role, Content, ToolCalls and ToolResults of m from a message of an SDK, and
// keeps a copy of that message as its Payload. Everything else of m stays as it is.
//
// Content is the text that people read and search: neither thoughts nor what tools answered,
// and no U+0000, which no database keeps in a text. ToolCalls is a list of Call and ToolResults
// one of Result, each null if there is none; arguments that a database would refuse are only in
// the payload. A message that only answers calls has the role tool. What is not understood is in
// the payload and nothing else, and never an error.
//
// A document that is empty, larger than MaxBytes, no JSON or neither a message nor a list of
// messages is a *rule.InvalidError for payload, a role that is missing or unknown one for
// payload.role, and then m is unchanged.
func Set(m *message.Message, f Format, doc []byte) error {
	if err := f.validate(); err != nil {
		return err
	}
	parts, err := parse(f, doc)
	if err != nil {
		return err
	}
	role := joinRoles(parts)
	found := scan(doc, false)
	var texts []string
	for _, p := range parts {
		if p.text != "" {
			texts = append(texts, p.text)
		}
	}
	m.Role, m.Content = role, clean.String(strings.Join(texts, "\n\n"))
	if role == message.RoleUser && m.Content == "" && len(found.results) > 0 {
		m.Role = message.RoleTool
	}
	m.ToolCalls, m.ToolResults = callDocument(found.calls), resultDocument(found.results)
	m.Payload, m.PayloadFormat = bytes.Clone(doc), string(f)
	return nil
}

// spoken is what one message of a payload says.
type spoken struct {
	role message.Role
	text string
}

func parse(f Format, doc []byte) ([]spoken, error) {
	switch {
	case len(doc) == 0:
		return nil, rule.Invalid("payload", "is empty")
	case len(doc) > MaxBytes:
		return nil, rule.Invalid("payload", "has %d bytes, the most is %d", len(doc), MaxBytes)
	case !json.Valid(doc):
		return nil, rule.Invalid("payload", "is not a JSON document")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(doc, &list); err != nil {
		list = []json.RawMessage{doc}
	}
	if len(list) == 0 {
		return nil, rule.Invalid("payload", "is a list without messages")
	}
	all := make([]spoken, 0, len(list))
	for _, one := range list {
		o, ok := decodeObject(one)
		if !ok {
			return nil, rule.Invalid("payload", "is neither a message nor a list of messages")
		}
		name, text := readers[f](o)
		p := spoken{text: text}
		if err := p.role.UnmarshalText([]byte(name)); err != nil || name == "" {
			return nil, rule.Invalid("payload.role", "is not a role of %s", f)
		}
		all = append(all, p)
	}
	return all, nil
}

// joinRoles returns the role of a turn: that of all messages, or else the assistant's if it
// speaks, or the user's.
func joinRoles(parts []spoken) message.Role {
	has := map[message.Role]bool{}
	for _, p := range parts {
		has[p.role] = true
	}
	if len(has) == 1 {
		return parts[0].role
	}
	for _, r := range []message.Role{message.RoleAssistant, message.RoleUser, message.RoleTool} {
		if has[r] {
			return r
		}
	}
	return parts[0].role
}

// readers return the role and the text of one message of each format.
var readers = map[Format]func(object) (role, text string){
	ChatCompletions: readChat,
	Responses:       readResponses,
	Anthropic:       readAnthropic,
	Gemini:          readGemini,
	UIMessage:       readUIMessage,
}

func readChat(o object) (role, text string) {
	role = o.text("role")
	if role == string(message.RoleTool) || role == "function" {
		return role, ""
	}
	text = cmp.Or(joinTexts(o["content"], "\n", textPart), o.text("refusal"), o.object("audio").text("transcript"))
	return role, text
}

func readResponses(o object) (role, text string) {
	switch kind := o.text("type"); {
	case kind == "message" || kind == "" && o.has("role"):
		return o.text("role"), joinTexts(o["content"], "", textPart)
	case kind == "":
		return "", ""
	case strings.HasSuffix(kind, "_output") || kind == "mcp_approval_response":
		return string(message.RoleTool), ""
	}
	return string(message.RoleAssistant), ""
}

// readAnthropic joins blocks of text as they stand if the provider cut them for its citations.
func readAnthropic(o object) (role, text string) {
	glue := "\n"
	for _, block := range o.objects("content") {
		if block.has("citations") {
			glue = ""
		}
	}
	return o.text("role"), joinTexts(o["content"], glue, textPart)
}

func readGemini(o object) (role, text string) {
	role = cmp.Or(o.text("role"), string(message.RoleUser))
	if role == "model" {
		role = string(message.RoleAssistant)
	}
	return role, joinTexts(o["parts"], "", func(part object) string {
		if part.flag("thought") {
			return ""
		}
		return part.text("text")
	})
}

func readUIMessage(o object) (role, text string) {
	if text = joinTexts(o["parts"], "\n", textPart); text == "" {
		text = o.text("content") // of versions before 5
	}
	return o.text("role"), text
}

// textPart returns the text of a part that people read.
func textPart(part object) string {
	switch part.text("type") {
	case "text", "input_text", "output_text":
		return part.text("text")
	case "refusal":
		return part.text("refusal")
	}
	return ""
}

// joinTexts returns a content that is text, or the texts of its parts: parts that follow each
// other with glue between them, others on a line of their own.
func joinTexts(content json.RawMessage, glue string, of func(object) string) string {
	if text, ok := decodeText(content); ok {
		return text
	}
	var b strings.Builder
	between := ""
	for _, part := range decodeObjects(content) {
		text := of(part)
		if text == "" {
			between = "\n"
			continue
		}
		if b.Len() > 0 {
			b.WriteString(between)
		}
		b.WriteString(text)
		between = glue
	}
	return b.String()
}

// callDocument returns the calls as a document that every database takes.
func callDocument(calls []Call) message.JSON {
	if len(calls) == 0 {
		return nil
	}
	kept := make([]Call, len(calls))
	for i, c := range calls {
		kept[i] = Call{ID: clean.String(c.ID), Name: clean.String(c.Name), Arguments: c.Arguments}
		if check.JSON("arguments", c.Arguments) != nil {
			kept[i].Arguments = nil
		}
	}
	return document(kept)
}

func resultDocument(results []Result) message.JSON {
	if len(results) == 0 {
		return nil
	}
	kept := make([]Result, len(results))
	for i, r := range results {
		kept[i] = Result{CallID: clean.String(r.CallID), Name: clean.String(r.Name), Content: clean.String(r.Content), IsError: r.IsError}
	}
	return document(kept)
}

// document encodes calls or results, nothing if the list is longer than a database takes.
func document(list any) message.JSON {
	doc := message.JSON(encode(list))
	if check.JSON("document", doc) != nil {
		return nil
	}
	return doc
}
