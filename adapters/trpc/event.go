package trpc

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"trpc.group/trpc-go/trpc-agent-go/event"
	"trpc.group/trpc-go/trpc-agent-go/model"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
)

// PayloadFormat is the payload format of an event.
const PayloadFormat = "trpc.event"

// toMessage makes the message of an event. What no column takes, such as U+0000, is in the payload
// alone.
func toMessage(e *event.Event) (*message.Message, error) {
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode event %q: %w", e.ID, err)
	}
	m := &message.Message{
		Role: roleOf(e.Response), Kind: message.KindMessage, Author: e.Author, SentAt: sentAt(e.Timestamp),
		Model: e.Model, Content: textOf(e.Response),
	}
	if u := e.Usage; u != nil {
		m.TokensIn, m.TokensOut = tokens(u.PromptTokens), tokens(u.CompletionTokens)
	}
	if c := e.Choices; len(c) > 0 && c[0].FinishReason != nil {
		m.FinishReason = *c[0].FinishReason
	}
	if err := fillTools(m, e.Response); err != nil {
		return nil, fmt.Errorf("encode event %q: %w", e.ID, err)
	}
	m.Attachments = attachments(e.Response)
	clean.All.Model(m)
	for _, s := range []*string{&m.Author, &m.Model, &m.FinishReason} {
		*s = cut(*s)
	}
	probe := &message.Message{Role: m.Role, ToolCalls: m.ToolCalls, ToolResults: m.ToolResults, Attachments: m.Attachments}
	if probe.Normalize(message.Now()); probe.Validate() != nil {
		m.ToolCalls, m.ToolResults, m.Attachments = nil, nil, nil
	}
	m.Payload, m.PayloadFormat, m.IdempotencyKey = payload, PayloadFormat, idempotencyKey(e.ID)
	return m, nil
}

// idempotencyKey is the id of an event, or a hash of one that is no key. An event without an id has
// none.
func idempotencyKey(id string) string {
	if check.Key("id", id) == nil {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// cut shortens a name to what a column takes.
func cut(s string) string {
	if len(s) <= check.MaxKey {
		return s
	}
	return strings.ToValidUTF8(s[:check.MaxKey], "")
}

func tokens(n int) int64 {
	if check.Tokens("tokens", int64(n)) != nil {
		return 0
	}
	return int64(n)
}

// roleOf says who speaks in an event: the user if one of the choices is a user's.
func roleOf(r *model.Response) message.Role {
	if r.IsUserMessage() {
		return message.RoleUser
	}
	for _, m := range said(r) {
		switch {
		case m.ToolID != "" || m.Role == model.RoleTool:
			return message.RoleTool
		case m.Role == model.RoleSystem:
			return message.RoleSystem
		}
	}
	return message.RoleAssistant
}

// said are the messages of the choices, which are in Delta where an answer was streamed.
func said(r *model.Response) []*model.Message {
	all := make([]*model.Message, 0, len(r.Choices))
	for i := range r.Choices {
		c := &r.Choices[i]
		if m := &c.Message; model.HasPayload(*m) || len(m.ToolCalls) > 0 || m.ToolID != "" || m.Role != "" {
			all = append(all, m)
		} else {
			all = append(all, &c.Delta)
		}
	}
	return all
}

// textOf is the text of an event for people. What a model thought is in the payload alone.
func textOf(r *model.Response) string {
	var texts []string
	for _, m := range said(r) {
		if m.Content != "" {
			texts = append(texts, m.Content)
		}
		for _, p := range m.ContentParts {
			if p.Text != nil && *p.Text != "" {
				texts = append(texts, *p.Text)
			}
		}
	}
	return strings.Join(texts, "\n")
}

// toolResult is the answer of a tool as package payload reads it.
type toolResult struct {
	CallID  string `json:"tool_call_id"`
	Name    string `json:"name,omitempty"`
	Content string `json:"content"`
}

func fillTools(m *message.Message, r *model.Response) (err error) {
	var calls []model.ToolCall
	var results []toolResult
	for _, s := range said(r) {
		calls = append(calls, s.ToolCalls...)
		if s.ToolID != "" {
			results = append(results, toolResult{s.ToolID, s.ToolName, s.Content})
		}
	}
	if len(calls) > 0 {
		if m.ToolCalls, err = message.ToJSON(calls); err != nil {
			return err
		}
	}
	if len(results) > 0 {
		m.ToolResults, err = message.ToJSON(results)
	}
	return err
}

// attachments are the files of an event. Their bytes are in the payload.
func attachments(r *model.Response) (all message.Attachments) {
	for _, m := range said(r) {
		for _, p := range m.ContentParts {
			switch {
			case p.Image != nil:
				all = append(all, file("image", p.Image.Format, p.Image.URL, p.Image.Data))
			case p.Audio != nil:
				all = append(all, file("audio", p.Audio.Format, p.Audio.URL, p.Audio.Data))
			case p.Video != nil:
				all = append(all, file("video", p.Video.Format, p.Video.URL, p.Video.Data))
			case p.File != nil:
				a := file("", p.File.MimeType, p.File.URL, p.File.Data)
				a.Filename = p.File.Name
				all = append(all, a)
			}
		}
	}
	return all
}

func file(family, format, address string, data []byte) message.Attachment {
	if family != "" && !strings.Contains(format, "/") {
		format = strings.TrimSuffix(family+"/"+format, "/")
	}
	return message.Attachment{ContentType: format, URL: address, Size: int64(len(data))}
}

// fromMessage returns the event of a message. One that something else than this service appended,
// such as the answer of a person, is an event with its text. An edited text replaces that of the
// event.
func fromMessage(m *message.Message) (event.Event, error) {
	if m.PayloadFormat != PayloadFormat {
		return plain(m), nil
	}
	var e event.Event
	if err := json.Unmarshal(m.Payload, &e); err != nil {
		return e, fmt.Errorf("decode event %q: %w", m.IdempotencyKey, err)
	}
	if m.EditedAt == nil || e.Response == nil {
		return e, nil
	}
	text := textOf(e.Response)
	if clean.All.Text(&text); text != m.Content {
		edit(e.Response, m.Content)
	}
	return e, nil
}

// edit makes text the only text of a response.
func edit(r *model.Response, text string) {
	for i, m := range said(r) {
		m.Content = ""
		if i == 0 {
			m.Content = text
		}
		parts := m.ContentParts[:0]
		for _, p := range m.ContentParts {
			if p.Text == nil {
				parts = append(parts, p)
			}
		}
		m.ContentParts = parts
	}
}

func plain(m *message.Message) event.Event {
	role, ok := map[message.Role]model.Role{
		message.RoleUser: model.RoleUser, message.RoleTool: model.RoleTool,
		message.RoleSystem: model.RoleSystem, message.RoleDeveloper: model.RoleSystem,
	}[m.Role]
	if !ok {
		role = model.RoleAssistant
	}
	e := event.Event{
		ID: m.ID.String(), Author: m.Author, Timestamp: m.SentAt, Version: event.CurrentVersion,
		Response: &model.Response{
			Object: model.ObjectTypeChatCompletion, Created: m.SentAt.Unix(), Model: m.Model, Timestamp: m.SentAt, Done: true,
			Choices: []model.Choice{{Message: model.Message{Role: role, Content: m.Content}}},
		},
	}
	if e.Author == "" {
		e.Author = string(role)
	}
	return e
}

// shown tells whether a message is for the agent.
func shown(m *message.Message) bool {
	return m.Kind != message.KindNote && m.Kind != message.KindEvent
}

// sentAt returns the time of an event as the row has it, for what is sorted and filtered by it.
func sentAt(t time.Time) time.Time {
	if check.Time("sent_at", t) != nil {
		return time.Time{}
	}
	return t
}
