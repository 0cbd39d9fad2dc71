// Package langchaingo keeps the chat history of LangChainGo in convostore: a
// [schema.ChatMessageHistory] on SQLite and PostgreSQL.
//
//	history := langchaingo.New(st.ForUser(userID), conversationID, langchaingo.Options{Author: "ann"})
//	chain := chains.NewConversation(llm, memory.NewConversationBuffer(memory.WithChatHistory(history)))
//
// Messages of all six types come back as they were given, with their calls of tools: the message
// is the payload, whole, and its text what people read and search.
//
// Human messages have the Author of the options, which is the Reader of [store.OverviewOptions] and
// the reader of a read mark: without one, what a person wrote counts as unread by that person.
package langchaingo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// PayloadFormat is the payload format of a message: an object with its type and itself.
const PayloadFormat = "langchaingo"

// Options are the options of New. The zero value works.
type Options struct {
	// Author is the Author of human messages, the name of who writes here.
	Author string
}

// History is the history of one conversation. It is safe for concurrent use.
type History struct {
	messages     store.Messages
	conversation uuid.UUID
	author       string
}

var _ schema.ChatMessageHistory = (*History)(nil)

// New returns the history of a conversation of a scope, which the caller has created. Every
// method returns store.ErrNotFound if there is no such conversation.
func New(sc store.Scope, conversationID uuid.UUID, o Options) *History {
	return &History{messages: sc.Messages(), conversation: conversationID, author: o.Author}
}

// AddMessage appends a message of one of the types of package llms.
func (h *History) AddMessage(ctx context.Context, m llms.ChatMessage) error {
	stored, err := h.toMessage(m)
	if err != nil {
		return err
	}
	if _, err := h.messages.Append(ctx, h.conversation, stored); err != nil {
		return fmt.Errorf("langchaingo: add message: %w", err)
	}
	return nil
}

// AddUserMessage appends a text of the user.
func (h *History) AddUserMessage(ctx context.Context, text string) error {
	return h.AddMessage(ctx, llms.HumanChatMessage{Content: text})
}

// AddAIMessage appends a text of the model.
func (h *History) AddAIMessage(ctx context.Context, text string) error {
	return h.AddMessage(ctx, llms.AIChatMessage{Content: text})
}

// Clear hides all messages (soft delete).
func (h *History) Clear(ctx context.Context) error { return h.SetMessages(ctx, nil) }

// SetMessages puts messages in the place of all that there are, all or nothing. Those are hidden
// (soft delete).
func (h *History) SetMessages(ctx context.Context, ms []llms.ChatMessage) error {
	stored := make([]*message.Message, len(ms))
	for i, m := range ms {
		var err error
		if stored[i], err = h.toMessage(m); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	if _, err := h.messages.Replace(ctx, h.conversation, stored, store.ReplaceOptions{}); err != nil {
		return fmt.Errorf("langchaingo: set messages: %w", err)
	}
	return nil
}

// Messages returns all messages in their order. Notes, and what only happened in the conversation,
// are left out.
func (h *History) Messages(ctx context.Context) ([]llms.ChatMessage, error) {
	all := []llms.ChatMessage{}
	for m, err := range h.messages.All(ctx, h.conversation, store.MessageFilter{}) {
		if err != nil {
			return nil, fmt.Errorf("langchaingo: read messages: %w", err)
		}
		if m.Kind == message.KindNote || m.Kind == message.KindEvent {
			continue
		}
		c, err := fromMessage(m)
		if err != nil {
			return nil, fmt.Errorf("langchaingo: message %s: %w", m.ID, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// payload is how a message is kept.
type payload struct {
	Type    llms.ChatMessageType `json:"type"`
	Message json.RawMessage      `json:"message"`
}

func (h *History) toMessage(m llms.ChatMessage) (*message.Message, error) {
	if m == nil {
		return nil, errors.New("langchaingo: message is nil")
	}
	role, ok := roles[m.GetType()]
	if !ok {
		return nil, fmt.Errorf("langchaingo: message of type %q: %w", m.GetType(), llms.ErrUnexpectedChatMessageType)
	}
	inner, err := json.Marshal(encodable(m))
	if err != nil {
		return nil, fmt.Errorf("langchaingo: encode message: %w", err)
	}
	doc, err := json.Marshal(payload{m.GetType(), inner})
	if err != nil {
		return nil, fmt.Errorf("langchaingo: encode message: %w", err)
	}
	stored := &message.Message{
		Role: role, Content: clean.String(m.GetContent()),
		Payload: doc, PayloadFormat: PayloadFormat,
	}
	switch m := m.(type) {
	case llms.HumanChatMessage:
		stored.Author = h.author
	case llms.AIChatMessage:
		if len(m.ToolCalls) > 0 {
			stored.ToolCalls, err = message.ToJSON(encodable(m).(aiMessage).ToolCalls)
		} else if m.FunctionCall != nil {
			stored.ToolCalls, err = message.ToJSON([]any{m.FunctionCall})
		}
	case llms.ToolChatMessage:
		stored.ToolResults, err = message.ToJSON([]any{m})
	case llms.FunctionChatMessage:
		stored.Author = m.Name
	case llms.GenericChatMessage:
		stored.Author = m.Name
	}
	if err != nil {
		return nil, fmt.Errorf("langchaingo: encode message: %w", err)
	}
	return stored, nil
}

// aiMessage is llms.AIChatMessage with calls of tools that read back as they were written, which
// llms.ToolCall's own JSON does not.
type aiMessage struct {
	Content          string             `json:"content,omitempty"`
	FunctionCall     *llms.FunctionCall `json:"function_call,omitempty"`
	ToolCalls        []toolCall         `json:"tool_calls,omitempty"`
	ReasoningContent string             `json:"reasoning_content,omitempty"`
}

type toolCall struct {
	ID           string             `json:"id"`
	Type         string             `json:"type"`
	FunctionCall *llms.FunctionCall `json:"function,omitempty"`
}

// encodable is what is encoded of a message.
func encodable(m llms.ChatMessage) any {
	ai, ok := m.(llms.AIChatMessage)
	if !ok {
		return m
	}
	own := aiMessage{Content: ai.Content, FunctionCall: ai.FunctionCall, ReasoningContent: ai.ReasoningContent}
	for _, c := range ai.ToolCalls {
		own.ToolCalls = append(own.ToolCalls, toolCall{c.ID, c.Type, c.FunctionCall})
	}
	return own
}

func decodeAI(p payload) (llms.ChatMessage, error) {
	var own aiMessage
	if err := json.Unmarshal(p.Message, &own); err != nil {
		return nil, err
	}
	ai := llms.AIChatMessage{Content: own.Content, FunctionCall: own.FunctionCall, ReasoningContent: own.ReasoningContent}
	for _, c := range own.ToolCalls {
		ai.ToolCalls = append(ai.ToolCalls, llms.ToolCall{ID: c.ID, Type: c.Type, FunctionCall: c.FunctionCall})
	}
	return ai, nil
}

// roles are the roles of the types. A generic message is somebody's, so a user's.
var roles = map[llms.ChatMessageType]message.Role{
	llms.ChatMessageTypeAI: message.RoleAssistant, llms.ChatMessageTypeHuman: message.RoleUser, llms.ChatMessageTypeSystem: message.RoleSystem,
	llms.ChatMessageTypeGeneric: message.RoleUser, llms.ChatMessageTypeFunction: message.RoleTool, llms.ChatMessageTypeTool: message.RoleTool,
}

// fromMessage returns the message of a row: the payload, unless the row was edited or something
// else wrote it. A message of an unknown type comes back by its role and its text.
func fromMessage(m *message.Message) (llms.ChatMessage, error) {
	if m.PayloadFormat == PayloadFormat && m.EditedAt == nil {
		var p payload
		if err := json.Unmarshal(m.Payload, &p); err != nil {
			return nil, err
		}
		return decode(p)
	}
	switch m.Role {
	case message.RoleAssistant:
		return llms.AIChatMessage{Content: m.Content}, nil
	case message.RoleSystem, message.RoleDeveloper:
		return llms.SystemChatMessage{Content: m.Content}, nil
	case message.RoleTool:
		return llms.ToolChatMessage{Content: m.Content}, nil
	}
	return llms.HumanChatMessage{Content: m.Content}, nil
}

func decode(p payload) (llms.ChatMessage, error) {
	switch p.Type {
	case llms.ChatMessageTypeAI:
		return decodeAI(p)
	case llms.ChatMessageTypeHuman:
		return decoded[llms.HumanChatMessage](p)
	case llms.ChatMessageTypeSystem:
		return decoded[llms.SystemChatMessage](p)
	case llms.ChatMessageTypeGeneric:
		return decoded[llms.GenericChatMessage](p)
	case llms.ChatMessageTypeFunction:
		return decoded[llms.FunctionChatMessage](p)
	case llms.ChatMessageTypeTool:
		return decoded[llms.ToolChatMessage](p)
	}
	return nil, fmt.Errorf("type %q: %w", p.Type, llms.ErrUnexpectedChatMessageType)
}

func decoded[T llms.ChatMessage](p payload) (llms.ChatMessage, error) {
	var m T
	err := json.Unmarshal(p.Message, &m)
	return m, err
}
