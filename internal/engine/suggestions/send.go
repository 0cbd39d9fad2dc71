package suggestions

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s suggestions) Send(ctx context.Context, id uuid.UUID, m *message.Message) (bool, error) {
	if m == nil {
		return false, scope.ErrNil("message")
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return false, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Suggestions, id)
	if err != nil {
		return false, query.Wrap("send", err)
	}
	sc := s.sc.As(owner)
	// The conversation is read first because its lock comes before the suggestion's.
	sg, err := getSuggestion(sc, query.On(ctx, sc.Writer), id)
	if err != nil {
		return false, query.Wrap("send", err)
	}
	if m.Role == "" && m.Direction == message.DirectionNone {
		m.Role = message.RoleAssistant
	}
	d, err := threads.NewDraft(ctx, sc, sg.ConversationID, m)
	if err != nil {
		return false, err
	}
	if m.Direction != message.DirectionOutbound {
		return false, rule.Invalid("direction", "is not outbound, which what is sent is")
	}
	var created bool
	var sent message.Message
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		sent = *d.Message
		created, err = s.send(ctx, sc.In(tx), sg.ID, threads.Draft{Message: &sent, Keys: d.Keys})
		return err
	})
	if err != nil {
		return false, query.Wrap("send", err)
	}
	*m = sent
	return created, nil
}

// send holds the conversation's lock throughout, so that of two calls the second finds
// the link of the first.
func (s suggestions) send(ctx context.Context, sc scope.Scope, id uuid.UUID, d threads.Draft) (bool, error) {
	conversationID := d.ConversationID
	if err := threads.LockConversation(ctx, sc, conversationID); err != nil {
		return false, err
	}
	db := query.On(ctx, sc.Writer)
	sg, err := getSuggestion(sc, db, id)
	if err != nil {
		return false, err
	}
	if !sg.Status.Sendable() {
		return false, &store.TransitionError{Of: "suggestion", From: sg.Status.String(), To: "sent"}
	}
	if sg.Sent() {
		return false, readSent(ctx, sc, *sg.SentMessageID, d.Message)
	}
	if d.Content == "" {
		d.Content = sg.FinalContent()
	}
	created, err := s.appends.AppendOne(ctx, sc, d)
	if err != nil {
		return false, err
	}
	if err := linkable(d.Message, conversationID); err != nil {
		return false, err
	}
	n, err := query.New("UPDATE "+sc.Tables.Suggestions+" SET sent_message_id = ?, updated_at = ?"+
		" WHERE id = ? AND user_id = ? AND sent_message_id IS NULL", d.ID, sc.Instant(), sg.ID, sc.User).Exec(db)
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		err = fmt.Errorf("%w: the message's key belongs to the message of another suggestion", store.ErrConflict)
	case err == nil && n != 1:
		err = fmt.Errorf("%w: the suggestion was sent meanwhile", store.ErrConflict)
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
	return fmt.Errorf("%w: the message's key belongs to %s", store.ErrConflict, belongs)
}

// readSent reads the message that a suggestion became, even a deleted one: sending it
// again would be worse than showing it.
func readSent(ctx context.Context, sc scope.Scope, id uuid.UUID, m *message.Message) error {
	q := query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" WHERE id = ? AND user_id = ?", id, sc.User)
	sent, err := query.One(query.On(ctx, sc.Writer), q, record.MessageDest)
	if err == nil {
		*m = *sent
	}
	return err
}
