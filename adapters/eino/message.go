package eino

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cloudwego/eino/schema"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/rule"
)

// PayloadFormat is the payload format of a message.
const PayloadFormat = "eino.message"

// ToMessage makes the row of a message: the text that people read and search, without thoughts and
// what tools answered, files by their names, calls and results of tools, and what the model
// reported. A message that is nil, has an unknown role or cannot be JSON is store.ErrInvalid.
func ToMessage(m *schema.Message) (*message.Message, error) {
	if m == nil {
		return nil, fmt.Errorf("eino: %w", rule.Invalid("message", "is nil"))
	}
	doc, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("eino: %w", rule.Invalid("message", "cannot be JSON: %v", err))
	}
	row := &message.Message{Author: clean.String(m.Name)}
	// Eino's JSON is that of Chat Completions, with more in it.
	if err := payload.Set(row, payload.ChatCompletions, doc); err != nil {
		return nil, fmt.Errorf("eino: %w", err)
	}
	row.PayloadFormat = PayloadFormat
	addParts(row, m)
	if r := m.ResponseMeta; r != nil {
		row.FinishReason = clean.String(r.FinishReason)
		if r.Usage != nil {
			row.TokensIn, row.TokensOut = int64(r.Usage.PromptTokens), int64(r.Usage.CompletionTokens)
		}
	}
	return row, nil
}

// addParts adds the texts and the files of a message that has parts, which Eino then takes in the
// place of its Content.
func addParts(row *message.Message, m *schema.Message) {
	var texts []string
	text := func(kind schema.ChatMessagePartType, s string) {
		if kind == schema.ChatMessagePartTypeText && s != "" {
			texts = append(texts, s)
		}
	}
	for _, p := range m.MultiContent { // deprecated, and still what older messages have
		text(p.Type, p.Text)
	}
	for _, p := range m.UserInputMultiContent {
		text(p.Type, p.Text)
		switch {
		case p.Image != nil:
			addFile(row, p.Image.MessagePartCommon, "")
		case p.Audio != nil:
			addFile(row, p.Audio.MessagePartCommon, "")
		case p.Video != nil:
			addFile(row, p.Video.MessagePartCommon, "")
		case p.File != nil:
			addFile(row, p.File.MessagePartCommon, p.File.Name)
		}
	}
	for _, p := range m.AssistantGenMultiContent {
		text(p.Type, p.Text)
		switch {
		case p.Image != nil:
			addFile(row, p.Image.MessagePartCommon, "")
		case p.Audio != nil:
			addFile(row, p.Audio.MessagePartCommon, "")
		case p.Video != nil:
			addFile(row, p.Video.MessagePartCommon, "")
		}
	}
	if len(texts) > 0 && row.Role != message.RoleTool {
		row.Content = clean.String(strings.Join(texts, "\n\n"))
	}
}

// addFile adds a file by what is known of it. Its bytes are in the payload.
func addFile(row *message.Message, p schema.MessagePartCommon, name string) {
	file := message.Attachment{Filename: clean.String(name), ContentType: clean.String(p.MIMEType)}
	if p.URL != nil && !strings.HasPrefix(*p.URL, "data:") {
		file.URL = clean.String(*p.URL)
	}
	if p.Base64Data != nil {
		file.Size = int64(len(*p.Base64Data)) * 3 / 4
	}
	row.Attachments = append(row.Attachments, file)
}

// FromMessage returns the messages of a row: the one that ToMessage was given, with the new text if
// somebody edited the row, or what something else than this package stored, by its role, its
// text, its calls and its results. A row with several results is several messages.
func FromMessage(row *message.Message) ([]*schema.Message, error) {
	if row.PayloadFormat != PayloadFormat {
		return foreign(row), nil
	}
	m := &schema.Message{}
	if err := json.Unmarshal(row.Payload, m); err != nil {
		return nil, fmt.Errorf("eino: message %s: %w", row.ID, err)
	}
	before, err := ToMessage(m)
	if err != nil {
		return nil, fmt.Errorf("eino: message %s: %w", row.ID, err)
	}
	if before.Content != row.Content {
		m.Content = row.Content
		m.MultiContent, m.UserInputMultiContent, m.AssistantGenMultiContent = nil, nil, nil
	}
	return []*schema.Message{m}, nil
}

// foreign makes messages of a row of another format.
func foreign(row *message.Message) (all []*schema.Message) {
	for _, r := range payload.Results(row) {
		all = append(all, &schema.Message{Role: schema.Tool, Content: r.Content, ToolCallID: r.CallID, ToolName: r.Name})
	}
	calls := payload.Calls(row)
	if len(all) > 0 && len(calls) == 0 && (row.Content == "" || row.Role == message.RoleTool) {
		return all
	}
	m := &schema.Message{Role: roles[row.Role], Content: row.Content}
	for _, c := range calls {
		m.ToolCalls = append(m.ToolCalls, schema.ToolCall{
			ID: c.ID, Type: "function", Function: schema.FunctionCall{Name: c.Name, Arguments: arguments(c)},
		})
	}
	return append(all, m)
}

// arguments returns what the model wrote, also where it is no JSON.
func arguments(c payload.Call) string {
	var text string
	if json.Unmarshal(c.Arguments, &text) == nil {
		return text
	}
	return string(c.Arguments)
}

// roles are Eino's roles.
var roles = map[message.Role]schema.RoleType{
	message.RoleUser: schema.User, message.RoleAssistant: schema.Assistant, message.RoleTool: schema.Tool,
	message.RoleSystem: schema.System, message.RoleDeveloper: schema.System,
}
