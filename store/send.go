package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

func (s suggestions) Send(ctx context.Context, id uuid.UUID, m *message.Message) (bool, error) {
	if m == nil {
		return false, errNil("message")
	}
	if _, err := s.writing(ctx); err != nil {
		return false, err
	}
	owner, err := s.owner(ctx, s.tables.suggestions, id)
	if err != nil {
		return false, fail("send", err)
	}
	sc := s.as(owner)
	// The conversation is read first because its lock comes before the suggestion's.
	sg, err := sc.getSuggestion(session(ctx, sc.writer), id)
	if err != nil {
		return false, fail("send", err)
	}
	if m.Role == "" && m.Direction == message.DirectionNone {
		m.Role = message.RoleAssistant
	}
	d, err := sc.draft(ctx, sg.ConversationID, m)
	if err != nil {
		return false, err
	}
	if m.Direction != message.DirectionOutbound {
		return false, rule.Invalid("direction", "is not outbound, which what is sent is")
	}
	var created bool
	var sent message.Message
	err = sc.transaction(ctx, func(tx *store) (err error) {
		sent = *d.Message
		created, err = s.send(ctx, sc.in(tx), sg.ID, draft{&sent, d.keys})
		return err
	})
	if err != nil {
		return false, fail("send", err)
	}
	*m = sent
	return created, nil
}

// send holds the conversation's lock throughout, so that of two calls the second finds
// the link of the first.
func (s suggestions) send(ctx context.Context, sc scope, id uuid.UUID, d draft) (bool, error) {
	conversationID := d.ConversationID
	if err := sc.lockConversation(ctx, conversationID); err != nil {
		return false, err
	}
	db := session(ctx, sc.writer)
	sg, err := sc.getSuggestion(db, id)
	if err != nil {
		return false, err
	}
	if !sg.Status.Sendable() {
		return false, &TransitionError{Of: "suggestion", From: sg.Status.String(), To: "sent"}
	}
	if sg.Sent() {
		return false, sc.readSent(ctx, *sg.SentMessageID, d.Message)
	}
	if d.Content == "" {
		d.Content = sg.FinalContent()
	}
	created, err := s.appends.appendOne(ctx, sc, d)
	if err != nil {
		return false, err
	}
	if err := linkable(d.Message, conversationID); err != nil {
		return false, err
	}
	n, err := newQuery("UPDATE "+sc.tables.suggestions+" SET sent_message_id = ?, updated_at = ?"+
		" WHERE id = ? AND user_id = ? AND sent_message_id IS NULL", d.ID, sc.instant(), sg.ID, sc.user).exec(db)
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		err = fmt.Errorf("%w: the message's key belongs to the message of another suggestion", ErrConflict)
	case err == nil && n != 1:
		err = fmt.Errorf("%w: the suggestion was sent meanwhile", ErrConflict)
	}
	return created && err == nil, err
}

// linkable refuses a stored message that a suggestion cannot have become.
func linkable(m *message.Message, conversationID uuid.UUID) error {
	belongs := ""
	switch {
	case m.ConversationID != conversationID:
		belongs = "a message of another conversation"
	case m.Direction != message.DirectionOutbound:
		belongs = "a message that is not outbound"
	case m.Deleted():
		belongs = "a deleted message"
	default:
		return nil
	}
	return fmt.Errorf("%w: the message's key belongs to %s", ErrConflict, belongs)
}

// readSent reads the message that a suggestion became, even a deleted one: sending it
// again would be worse than showing it.
func (sc scope) readSent(ctx context.Context, id uuid.UUID, m *message.Message) error {
	q := newQuery("SELECT "+messageColumns+" FROM "+sc.tables.messages+" WHERE id = ? AND user_id = ?", id, sc.user)
	sent, err := one(session(ctx, sc.writer), q, messageDest)
	if err == nil {
		*m = *sent
	}
	return err
}
