package a2a

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/a2aproject/a2a-go/v2/a2a"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
)

// PayloadFormat is the payload format of a message.
const PayloadFormat = "a2a.message"

// taskKey is the key of the metadata with the id of a message's task.
const taskKey = "a2a_task"

// toMessage makes the row of a message: its text for people, and its files by their names.
func toMessage(id a2a.TaskID, e *entry) (*message.Message, error) {
	owner, err := message.ToJSON(map[string]string{taskKey: string(id)})
	if err != nil {
		return nil, err
	}
	m := &message.Message{
		Role: message.RoleUser, Kind: message.KindMessage,
		Payload: e.payload, PayloadFormat: PayloadFormat, Metadata: owner,
	}
	if e.message.Role == a2a.MessageRoleAgent {
		m.Role = message.RoleAssistant
	}
	for _, p := range e.message.Parts {
		file := message.Attachment{Filename: clean.String(p.Filename), ContentType: clean.String(p.MediaType)}
		switch c := p.Content.(type) {
		case a2a.Raw:
			file.Size = int64(len(c))
		case a2a.URL:
			file.URL = clean.String(string(c))
		default:
			continue // texts are the content, and data is in the payload alone
		}
		m.Attachments = append(m.Attachments, file)
	}
	m.Content = textOf(e.message.Parts)
	if m.Content == "" && len(m.Attachments) == 0 {
		m.Kind = message.KindEvent
	}
	return m, nil
}

// textOf returns the texts of a message, one a line.
func textOf(parts a2a.ContentParts) string {
	var texts []string
	for _, p := range parts {
		if text := p.Text(); text != "" {
			texts = append(texts, text)
		}
	}
	return clean.String(strings.Join(texts, "\n"))
}

// fromMessage returns the message of a row. One that somebody edited has the new text in the place
// of its parts.
func fromMessage(m *message.Message) (*a2a.Message, error) {
	got := &a2a.Message{}
	if err := json.Unmarshal(m.Payload, got); err != nil {
		return nil, fmt.Errorf("message %d: %w", m.Seq, err)
	}
	if textOf(got.Parts) != m.Content {
		got.Parts = a2a.ContentParts{a2a.NewTextPart(m.Content)}
	}
	return got, nil
}
