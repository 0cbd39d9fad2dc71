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

func (s suggestions) Send(ctx context.Context, id uuid.UUID, m *message.Message, o store.SendOptions) (bool, error) {
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
	// The suggestion is read without a lock to find its conversation, which is locked first.
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
		return false, rule.Invalid("direction", "is not outbound; Send appends an outbound message")
	}
	out, err := threads.NewOutgoing(sc, d, o.Deliver)
	if err != nil {
		return false, err
	}
	var created bool
	var sent threads.Draft
	err = sc.Shared(ctx, func(tx *scope.Store) (err error) {
		sent = d.Copy()
		created, err = s.send(ctx, sc.In(tx), sg.ID, sent, out)
		return err
	})
	if err != nil {
		return false, query.Wrap("send", err)
	}
	*m = *sent.Message
	out.Fill()
	sc.Noted(ctx, 1, len(m.Content))
	return created, nil
}

// send appends the draft as the message of a suggestion and links the two. It holds the lock
// of the conversation throughout, so that the second of two concurrent calls finds the
// message of the first and returns it with false.
func (s suggestions) send(ctx context.Context, sc scope.Scope, id uuid.UUID, d threads.Draft, out *threads.Outgoing) (bool, error) {
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
		if err := readSentMessage(ctx, sc, *sg.SentMessageID, d.Message); err != nil {
			return false, err
		}
		return false, out.Find(ctx, sc, d.Message)
	}
	if d.Content == "" {
		d.Content = sg.FinalContent()
	}
	if err := sc.CheckSize("message", d.Size()); err != nil {
		return false, err
	}
	out.Mark(d)
	created, err := s.appends.AppendOne(ctx, sc, d)
	if err != nil {
		return false, err
	}
	if err := checkLinkable(d.Message, conversationID); err != nil {
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
	if err != nil {
		return false, err
	}
	return created, threads.StoreOutgoing(ctx, sc, []*threads.Outgoing{out}, []threads.Draft{d}, []bool{created})
}

// checkLinkable refuses a stored message that a suggestion cannot have become. The append
// returned it because it has a key of the draft.
func checkLinkable(m *message.Message, conversationID uuid.UUID) error {
	var holder string
	switch {
	case m.ConversationID != conversationID:
		holder = "a message of another conversation"
	case m.Direction != message.DirectionOutbound:
		holder = "a message that is not outbound"
	case m.Deleted():
		holder = "a deleted message"
	default:
		return nil
	}
	return fmt.Errorf("%w: the message's key belongs to %s", store.ErrConflict, holder)
}

// readSentMessage reads the message that a suggestion became into m. It also reads a
// soft-deleted message: to send the suggestion again would be worse than to return it.
func readSentMessage(ctx context.Context, sc scope.Scope, id uuid.UUID, m *message.Message) error {
	q := query.New("SELECT "+record.MessageColumns+" FROM "+sc.Tables.Messages+" WHERE id = ? AND user_id = ?", id, sc.User)
	sent, err := query.One(query.On(ctx, sc.Writer), q, record.MessageDest)
	if err == nil {
		*m = *sent
	}
	return err
}
