package eino

import (
	"context"
	"fmt"

	"github.com/cloudwego/eino/schema"
	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/window"
)

// History is the history of one conversation. It is safe for concurrent use.
type History struct {
	messages     store.Messages
	conversation uuid.UUID
}

// NewHistory returns the history of a conversation of a scope, which the caller has created. Every
// method returns store.ErrNotFound if there is no such conversation.
func NewHistory(sc store.Scope, conversationID uuid.UUID) *History {
	return &History{messages: sc.Messages(), conversation: conversationID}
}

// Append appends messages in their order, all or nothing. A message that is nil or has an unknown
// role is store.ErrInvalid. To give keys, times or states of agents with them, append what
// ToMessage returns.
func (h *History) Append(ctx context.Context, ms ...*schema.Message) error {
	rows, err := toMessages(ms)
	if err != nil {
		return err
	}
	if _, err := h.messages.AppendMany(ctx, h.conversation, rows, store.AppendOptions{}); err != nil {
		return fmt.Errorf("eino: append: %w", err)
	}
	return nil
}

// Replace puts messages in the place of all that there are, all or nothing. Those are hidden (soft
// delete).
func (h *History) Replace(ctx context.Context, ms ...*schema.Message) error {
	rows, err := toMessages(ms)
	if err != nil {
		return err
	}
	if _, err := h.messages.Replace(ctx, h.conversation, rows, store.ReplaceOptions{}); err != nil {
		return fmt.Errorf("eino: replace: %w", err)
	}
	return nil
}

// Messages returns all messages in their order, those of the path of the head if the conversation
// has branches. Notes, what only happened in the conversation, and replies that are not finished
// or failed are left out.
func (h *History) Messages(ctx context.Context) ([]*schema.Message, error) {
	all := []*schema.Message{}
	for m, err := range h.messages.All(ctx, h.conversation, store.MessageFilter{}) {
		if err != nil {
			return nil, fmt.Errorf("eino: read messages: %w", err)
		}
		if m.Kind == message.KindNote || m.Kind == message.KindEvent ||
			m.State != message.StateComplete && m.State != message.StateInterrupted {
			continue
		}
		said, err := FromMessage(m)
		if err != nil {
			return nil, err
		}
		all = append(all, said...)
	}
	return all, nil
}

// Window returns what of the conversation a budget has room for, as MessageWindower.Context chooses
// it: calls of tools together with their results, and summaries, as messages of the user's, in the
// place of what they cover.
func (h *History) Window(ctx context.Context, b window.Budget) ([]*schema.Message, error) {
	w, err := h.messages.Context(ctx, h.conversation, b)
	if err != nil {
		return nil, fmt.Errorf("eino: window: %w", err)
	}
	all := []*schema.Message{}
	for _, m := range w.Messages() {
		said, err := FromMessage(m)
		if err != nil {
			return nil, err
		}
		all = append(all, said...)
	}
	return all, nil
}

func toMessages(ms []*schema.Message) ([]*message.Message, error) {
	rows := make([]*message.Message, len(ms))
	for i, m := range ms {
		var err error
		if rows[i], err = ToMessage(m); err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
	}
	return rows, nil
}
