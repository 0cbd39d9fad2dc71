package suggestions

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
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
	sc, conversationID, err := s.conversationOf(ctx, id)
	if err != nil {
		return false, query.Wrap("send", err)
	}
	if m.Role == "" && m.Direction == message.DirectionNone {
		m.Role = message.RoleAssistant
	}
	d, err := threads.NewDraft(ctx, sc, conversationID, m)
	if err != nil {
		return false, err
	}
	if m.Direction != message.DirectionOutbound {
		return false, rule.Invalid("direction", "is not outbound; Send appends an outbound message")
	}
	if !threads.Leaves(m.Kind) {
		return false, rule.Invalid("kind", "is %s, which never leaves", m.Kind)
	}
	out, err := threads.NewOutgoing(sc, d, o.Deliver)
	if err != nil {
		return false, err
	}
	s.sc = sc
	var created bool
	var sent threads.Draft
	err = s.where(ctx, id, conversationID, func(tx scope.Scope, conversationID uuid.UUID) (err error) {
		sent = d.Into(conversationID)
		created, err = s.send(ctx, tx, sending{id: id, options: o, draft: sent, out: out})
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

// conversationOf returns the conversation of a suggestion, which is locked before it, and the scope
// of its owner.
func (s suggestions) conversationOf(ctx context.Context, id uuid.UUID) (sc scope.Scope, conversationID uuid.UUID, err error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return s.sc, uuid.Nil, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Suggestions, id)
	if err != nil {
		return s.sc, uuid.Nil, err
	}
	sc = s.sc.As(owner)
	sg, err := getSuggestion(sc, query.On(ctx, sc.Writer), id)
	if err != nil {
		return sc, uuid.Nil, err
	}
	return sc, sg.ConversationID, nil
}

// where runs fn in a transaction with the conversation of a suggestion, which is read before it is
// locked, and again if fn does not find the suggestion there because it was moved meanwhile.
func (s suggestions) where(ctx context.Context, id, conversationID uuid.UUID, fn func(tx scope.Scope, conversationID uuid.UUID) error) error {
	return scope.Settle(func() (done bool, err error) {
		err = s.sc.Shared(ctx, func(tx *scope.Store) error { return fn(s.sc.In(tx), conversationID) })
		if !errors.Is(err, store.ErrNotFound) {
			return true, err
		}
		before := conversationID
		if _, now, gone := s.conversationOf(ctx, id); gone == nil && now != before {
			conversationID = now
			return false, nil
		}
		return true, err
	})
}

// sending is one call of Send.
type sending struct {
	id      uuid.UUID
	options store.SendOptions
	draft   threads.Draft
	out     *threads.Outgoing
}

// send appends the draft as the message of a suggestion and links the two. It holds the lock
// of the conversation throughout, so that the second of two concurrent calls finds the
// message of the first and returns it with false.
func (s suggestions) send(ctx context.Context, sc scope.Scope, call sending) (bool, error) {
	d := call.draft
	sg, err := lockForSend(ctx, sc, d.ConversationID, call.id)
	if err != nil {
		return false, err
	}
	if !sg.Status.Sendable() {
		return false, &store.TransitionError{Of: "suggestion", From: sg.Status.String(), To: "sent"}
	}
	var former *message.Message
	if sg.Sent() {
		var goes bool
		if former, goes, err = readSent(ctx, sc, *sg.SentMessageID); err != nil {
			return false, err
		}
		if goes {
			*d.Message = *former
			return false, call.out.Find(ctx, sc, former)
		}
	}
	if err := sg.refuse(ctx, sc, call.options); err != nil {
		return false, err
	}
	if former != nil {
		if err := withdraw(ctx, sc, former); err != nil {
			return false, err
		}
	}
	if d.Content == "" {
		d.Content = sg.FinalContent()
	}
	if d.Author == "" {
		d.Author = sg.ReviewedBy
	}
	if err := sc.CheckSize("message", d.Size()); err != nil {
		return false, err
	}
	call.out.Mark(d)
	created, err := s.appends.AppendOne(ctx, sc, d)
	if err != nil {
		return false, err
	}
	if err := checkLinkable(d.Message, former, sg.ConversationID); err != nil {
		return false, err
	}
	if err := link(ctx, sc, sg.ID, former, d.ID); err != nil {
		return false, err
	}
	return created, threads.StoreOutgoing(ctx, sc, []*threads.Outgoing{call.out}, []threads.Draft{d}, []bool{created})
}

// link makes a message the one that a suggestion was sent as, in the place of a former one, which
// may be nil.
func link(ctx context.Context, sc scope.Scope, id uuid.UUID, former *message.Message, messageID uuid.UUID) error {
	var was uuid.UUID
	if former != nil {
		was = former.ID
	}
	n, err := query.New("UPDATE "+sc.Tables.Suggestions+" SET sent_message_id = ?, updated_at = ?"+
		" WHERE id = ? AND user_id = ? AND (sent_message_id IS NULL OR sent_message_id = ?)", messageID, sc.Instant(), id, sc.User, was).Exec(query.On(ctx, sc.Writer))
	switch {
	case dialect.KindOf(err) == dialect.Unique:
		err = fmt.Errorf("%w: the message's key belongs to the message of another suggestion", store.ErrConflict)
	case err == nil && n != 1:
		err = fmt.Errorf("%w: the suggestion was sent meanwhile", store.ErrConflict)
	}
	return err
}

// checkLinkable refuses a stored message that a suggestion cannot have become. The append
// returned it because it has a key of the draft.
func checkLinkable(m, former *message.Message, conversationID uuid.UUID) error {
	var holder string
	switch {
	case m.ConversationID != conversationID:
		holder = "a message of another conversation"
	case m.Direction != message.DirectionOutbound:
		holder = "a message that is not outbound"
	case m.Deleted():
		holder = "a deleted message"
	case former != nil && m.ID == former.ID:
		holder = "the message that the suggestion was sent as before"
	default:
		return nil
	}
	return fmt.Errorf("%w: the message's key belongs to %s", store.ErrConflict, holder)
}
