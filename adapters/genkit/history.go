package genkit

import (
	"context"
	"fmt"

	"github.com/firebase/genkit/go/ai"
	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

// History is the history of one conversation, for flows that call a model by themselves:
//
//	given, err := history.Window(ctx, window.Budget{Tokens: 100_000})
//	…
//	resp, err := genkit.Generate(ctx, g, ai.WithMessages(given...), ai.WithPrompt("And tomorrow?"))
//	…
//	err = history.AppendResponse(ctx, given, resp)
//
// It is safe for concurrent use.
type History struct {
	messages     store.Messages
	conversation uuid.UUID
}

// NewHistory returns the history of a conversation of a scope, which the caller has created. Every
// method returns store.ErrNotFound if there is no such conversation.
func NewHistory(sc store.Scope, conversationID uuid.UUID) *History {
	return &History{messages: sc.Messages(), conversation: conversationID}
}

// Messages returns all messages in their order. Notes, and what only happened in the conversation,
// are left out.
func (h *History) Messages(ctx context.Context) ([]*ai.Message, error) {
	all := []*ai.Message{}
	for m, err := range h.messages.All(ctx, h.conversation, store.MessageFilter{}) {
		if err != nil {
			return nil, fmt.Errorf("genkit: read messages: %w", err)
		}
		if m.Kind == message.KindNote || m.Kind == message.KindEvent {
			continue
		}
		own, err := FromMessage(m)
		if err != nil {
			return nil, err
		}
		all = append(all, own)
	}
	return all, nil
}

// Window returns what of the conversation a model is to be sent: the newest messages that a budget
// has room for, requests of tools only together with their responses, and summaries in the place
// of what they cover. store.MessageWindower and package window say what holds for it.
func (h *History) Window(ctx context.Context, b window.Budget) ([]*ai.Message, error) {
	w, err := h.messages.Context(ctx, h.conversation, b)
	if err != nil {
		return nil, fmt.Errorf("genkit: read window: %w", err)
	}
	chosen := make([]*ai.Message, 0, len(w.Entries))
	for _, m := range w.Messages() {
		own, err := FromMessage(m)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, own)
	}
	return chosen, nil
}

// Append appends messages in their order, all or nothing.
func (h *History) Append(ctx context.Context, ms ...*ai.Message) error {
	stored, err := toMessages(ms)
	if err != nil {
		return err
	}
	return h.append(ctx, stored)
}

func (h *History) append(ctx context.Context, stored []*message.Message) error {
	if _, err := h.messages.AppendMany(ctx, h.conversation, stored, store.AppendOptions{}); err != nil {
		return fmt.Errorf("genkit: append messages: %w", err)
	}
	return nil
}

func toMessages(ms []*ai.Message) ([]*message.Message, error) {
	stored := make([]*message.Message, len(ms))
	for i, m := range ms {
		var err error
		if stored[i], err = ToMessage(m); err != nil {
			return nil, fmt.Errorf("genkit: message %d: %w", i, err)
		}
	}
	return stored, nil
}

// AppendResponse appends what a call of Generate has added to the messages that it was given: the
// prompt, what tools were asked and answered, and the answer, which also gets the tokens and the
// finish reason that the model reported. Messages of the system are left out, since a prompt
// renders them each time, and so are instructions and documents that Genkit puts into a message for
// one call.
//
// A response without a message, such as one that was blocked, appends what was asked.
func (h *History) AppendResponse(ctx context.Context, given []*ai.Message, resp *ai.ModelResponse) error {
	if resp == nil {
		return fmt.Errorf("genkit: append response: %w", errEmpty("response"))
	}
	added, err := additions(given, resp)
	if err != nil {
		return err
	}
	stored, err := toMessages(added)
	if err != nil {
		return err
	}
	if resp.Message != nil {
		report(stored[len(stored)-1], resp)
	}
	return h.append(ctx, stored)
}

// report adds what the model reported with its answer.
func report(m *message.Message, resp *ai.ModelResponse) {
	m.FinishReason = string(resp.FinishReason)
	if u := resp.Usage; u != nil {
		m.TokensIn, m.TokensOut = int64(u.InputTokens), int64(u.OutputTokens+u.ThoughtsTokens)
	}
}

// additions returns what of the messages of a request is new, and the answer to it. Of equal
// messages the first ones are those that were given.
func additions(given []*ai.Message, resp *ai.ModelResponse) ([]*ai.Message, error) {
	known := map[string]int{}
	for _, m := range given {
		key, _, err := forOneCall(m)
		if err != nil {
			return nil, err
		}
		known[key]++
	}
	var added []*ai.Message
	if resp.Request != nil {
		for _, m := range resp.Request.Messages {
			key, bare, err := forOneCall(m)
			if err != nil {
				return nil, err
			}
			if known[key] > 0 {
				known[key]--
			} else if m.Role != ai.RoleSystem {
				added = append(added, bare)
			}
		}
	}
	if resp.Message != nil {
		added = append(added, resp.Message)
	}
	return added, nil
}

// forOneCall returns a message without the parts that Genkit adds to a request, and what tells it
// from others.
func forOneCall(m *ai.Message) (string, *ai.Message, error) {
	all, err := canonicals([]*ai.Message{m})
	if err != nil {
		return "", nil, err
	}
	bare := *m
	bare.Content = nil
	for _, p := range m.Content {
		if p != nil && (p.Metadata["purpose"] == "output" || p.Metadata["purpose"] == "context") {
			continue
		}
		bare.Content = append(bare.Content, p)
	}
	if len(bare.Content) == len(m.Content) {
		return string(all[0]), m, nil
	}
	key, err := canonical(&bare)
	return string(key), &bare, err
}
