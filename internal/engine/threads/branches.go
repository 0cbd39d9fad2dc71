package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) Path(ctx context.Context, conversationID uuid.UUID, seq int64, p store.PageRequest) (store.Page[*message.Message], error) {
	var page store.Page[*message.Message]
	if seq < 1 {
		return page, errSeqBelow(1)
	}
	f := store.MessageFilter{Order: store.ThreadOrder}
	l, err := s.sc.Listing(ctx, "path of "+conversationID.String(), seq, p)
	if err != nil {
		return page, err
	}
	owner, err := s.sc.OwnerIn(l.DB, s.sc.Tables.Conversations, conversationID)
	if err != nil {
		return page, query.Wrap("read path", err)
	}
	sc := s.sc.As(owner)
	t := thread{sc: sc, conversation: conversationID, end: seqOf(sc, conversationID, seq)}
	var found []*message.Message
	var more bool
	err = t.read(l.DB, func(t thread) (bool, error) {
		found, more, err = t.page(l.DB, f, l.After, l.Limit+1)
		return len(found) > 0, err
	}, func(t thread) *query.Query { return beyond(t.from("m.id", f), f.Order, l.After) })
	if err == nil && len(found) == 0 {
		err = hasSeq(sc, l.DB, conversationID, seq)
	}
	if err != nil {
		return page, query.Wrap("read path", err)
	}
	return scope.CutPage(found, more, l, func(m *message.Message) scope.Place { return messagePlace(f.Order, m) }), nil
}

func errSeqBelow(least int64) error { return rule.Invalid("seq", "is not %d or more", least) }

// hasSeq returns ErrNotFound if a conversation has no message with a seq, live or deleted. 0 is the
// beginning, which every conversation has.
func hasSeq(sc scope.Scope, db query.Conn, conversationID uuid.UUID, seq int64) error {
	if seq == 0 {
		return nil
	}
	found, err := query.New("SELECT seq FROM "+sc.Tables.Messages+" WHERE conversation_id = ? AND user_id = ? AND seq = ?",
		conversationID, sc.User, seq).Row(db, &seq)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return err
}

func (s messages) GetByKey(ctx context.Context, conversationID uuid.UUID, key string) (*message.Message, error) {
	if s.sc.Clean.Text(&key); key == "" {
		return nil, rule.Invalid("idempotency_key", "is empty")
	}
	if err := check.Key("idempotency_key", key); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT "+record.MessageColumns+" FROM "+s.sc.Tables.Messages+" m WHERE conversation_id = ? AND idempotency_key = ?", conversationID, key)
	s.sc.InLive(scope.Deleted(s.sc.Owned(q, "m."), store.ExcludeDeleted, "m."), "m.").Add(" LIMIT 2")
	m, err := query.One(db, q, record.MessageDest)
	return m, query.Wrap("get message", err)
}

func (s messages) SetHead(ctx context.Context, conversationID uuid.UUID, seq int64) (*conversation.Conversation, error) {
	if seq < 0 {
		return nil, errSeqBelow(0)
	}
	sc, err := OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return nil, query.Wrap("set head", err)
	}
	var c *conversation.Conversation
	err = sc.Shared(ctx, func(tx *scope.Store) (err error) {
		in := sc.In(tx)
		db := query.On(ctx, tx.Writer)
		if c, err = lockWhole(in, db, conversationID); err != nil {
			return err
		}
		if err := hasSeq(in, db, conversationID, seq); err != nil || seq == headSeq(c) {
			return err
		}
		l, err := lockedPath{sc: in, db: db, conversation: c, end: seq}.latest()
		if err != nil {
			return err
		}
		c, err = updateConversation(ctx, in, conversationID, store.ExcludeDeleted, l.assigned(c, moveHead(c, seq)))
		in.Branched.Note(conversationID)
		return err
	})
	if err != nil {
		return nil, query.Wrap("set head", err)
	}
	return c, nil
}

// lockWhole locks a live conversation until the transaction ends and returns its row.
func lockWhole(sc scope.Scope, db query.Conn, id uuid.UUID) (*conversation.Conversation, error) {
	return query.One(db, sc.Lock(record.ConversationColumns, query.New("id = ? AND deleted_at IS NULL", id)), record.ConversationDest)
}

// headSeq is the end of the path of the head.
func headSeq(c *conversation.Conversation) int64 {
	if c.HeadSeq != nil {
		return *c.HeadSeq
	}
	return c.LastSeq
}

// moveHead assigns a head. The last message is the head of a conversation without one, and only
// another head makes branches of a conversation that had none.
func moveHead(c *conversation.Conversation, seq int64) *query.Query {
	if seq == c.LastSeq {
		return query.New("head_seq = NULL")
	}
	return query.New("head_seq = ?, branched = ?", seq, true)
}
