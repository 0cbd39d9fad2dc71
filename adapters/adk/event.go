package adk

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// PayloadFormat is the payload format of an event.
const PayloadFormat = "adk.event"

// toMessage makes the message of an event, and the changes of state that go with it. Keys that
// begin with "temp:" are in neither.
func toMessage(event *session.Event) (*message.Message, store.AppendStates, error) {
	stored := *event
	delta, err := split(event.Actions.StateDelta)
	if err != nil {
		return nil, store.AppendStates{}, err
	}
	if len(temporary(event.Actions.StateDelta)) > 0 {
		stored.Actions.StateDelta = maps.Clone(event.Actions.StateDelta)
		maps.DeleteFunc(stored.Actions.StateDelta, func(k string, _ any) bool { return strings.HasPrefix(k, session.KeyPrefixTemp) })
	}
	payload, err := json.Marshal(&stored)
	if err != nil {
		return nil, store.AppendStates{}, fmt.Errorf("adk: encode event %q: %w", event.ID, err)
	}
	m := &message.Message{
		Role: roleOf(event), Kind: message.KindMessage, Author: event.Author, SentAt: event.Timestamp,
		Payload: payload, PayloadFormat: PayloadFormat, IdempotencyKey: event.ID,
		Model: event.ModelVersion, FinishReason: string(event.FinishReason),
	}
	if u := event.UsageMetadata; u != nil {
		m.TokensIn, m.TokensOut = int64(u.PromptTokenCount), int64(u.CandidatesTokenCount+u.ThoughtsTokenCount)
	}
	if err := fillContent(m, event.Content); err != nil {
		return nil, store.AppendStates{}, fmt.Errorf("adk: encode event %q: %w", event.ID, err)
	}
	return m, store.AppendStates{Conversation: delta.session, User: delta.user, App: delta.app}, nil
}

// roleOf says who speaks in an event. What functions answer is sent in the name of the user.
func roleOf(event *session.Event) message.Role {
	if event.Content != nil {
		for _, p := range event.Content.Parts {
			if p != nil && p.FunctionResponse != nil {
				return message.RoleTool
			}
		}
	}
	if event.Author == "user" || event.Content != nil && event.Content.Role == genai.RoleUser {
		return message.RoleUser
	}
	return message.RoleAssistant
}

// fillContent takes the text of an event for people, and the calls and results of functions. The
// thoughts of a model are in the payload alone. An event with none of them is of the kind event.
func fillContent(m *message.Message, c *genai.Content) error {
	var texts []string
	var calls, results []any
	if c != nil {
		for _, p := range c.Parts {
			switch {
			case p == nil || p.Thought:
			case p.FunctionCall != nil:
				calls = append(calls, p.FunctionCall)
			case p.FunctionResponse != nil:
				results = append(results, p.FunctionResponse)
			case p.Text != "":
				texts = append(texts, p.Text)
			case p.InlineData != nil:
				m.Attachments = append(m.Attachments, message.Attachment{
					Filename: p.InlineData.DisplayName, ContentType: p.InlineData.MIMEType, Size: int64(len(p.InlineData.Data)),
				})
			case p.FileData != nil:
				m.Attachments = append(m.Attachments, message.Attachment{
					Filename: p.FileData.DisplayName, ContentType: p.FileData.MIMEType, URL: p.FileData.FileURI,
				})
			}
		}
	}
	m.Content = clean.String(strings.Join(texts, "\n"))
	if len(texts)+len(calls)+len(results)+len(m.Attachments) == 0 {
		m.Kind = message.KindEvent
	}
	for _, d := range []struct {
		from []any
		to   *message.JSON
	}{{calls, &m.ToolCalls}, {results, &m.ToolResults}} {
		if len(d.from) == 0 {
			continue
		}
		doc, err := message.ToJSON(d.from)
		if err != nil {
			return err
		}
		probe := &message.Message{Role: m.Role, ToolCalls: doc}
		if probe.Normalize(message.Now()); probe.Validate() == nil { // what no database takes is in the payload alone
			*d.to = doc
		}
	}
	return nil
}

// fromMessage returns the event of a message. A message that something else than this service
// appended, such as a note of a person, is an event with its text.
func fromMessage(m *message.Message) (*session.Event, error) {
	if m.PayloadFormat == PayloadFormat {
		event := &session.Event{}
		if err := json.Unmarshal(m.Payload, event); err != nil {
			return nil, fmt.Errorf("decode event %q: %w", m.IdempotencyKey, err)
		}
		return event, nil
	}
	role, author := genai.Role(genai.RoleModel), m.Author
	if m.Role == message.RoleUser {
		role = genai.RoleUser
	}
	if author == "" {
		author = string(m.Role)
	}
	event := &session.Event{ID: m.ID.String(), Author: author, Timestamp: m.SentAt}
	event.Content = genai.NewContentFromText(m.Content, role)
	return event, nil
}

// readEvents reads the events of a session that a request asks for: of those at or after a time
// the most recent ones.
func readEvents(ctx context.Context, sc store.Scope, conversationID uuid.UUID, req *session.GetRequest) ([]*session.Event, error) {
	events := []*session.Event{}
	f := store.MessageFilter{Order: store.ReverseThreadOrder}
	if !req.After.IsZero() {
		f.SentSince = req.After.Truncate(time.Microsecond)
	}
	if req.NumRecentEvents <= 0 {
		f.Order = store.ThreadOrder
	}
	take := func(m *message.Message) error {
		event, err := fromMessage(m)
		if err == nil && (req.After.IsZero() || !event.Timestamp.Before(req.After)) {
			events = append(events, event)
		}
		return err
	}
	if n := req.NumRecentEvents; n > 0 && n <= store.MaxLimit && req.After.IsZero() {
		last, err := sc.Messages().Last(ctx, conversationID, n)
		if err != nil {
			return nil, err
		}
		for _, m := range last {
			if err := take(m); err != nil {
				return nil, err
			}
		}
		if len(last) == n || len(last) == 0 {
			return events, nil
		}
		events = events[:0] // fewer: there are not more, or a page of them takes too many bytes
	}
	for m, err := range sc.Messages().All(ctx, conversationID, f) {
		if err != nil {
			return nil, err
		}
		if err := take(m); err != nil {
			return nil, err
		}
		if req.NumRecentEvents > 0 && len(events) == req.NumRecentEvents {
			break
		}
	}
	if f.Order == store.ReverseThreadOrder {
		slices.Reverse(events)
	}
	return events, nil
}
