package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s messages) TruncateAfter(ctx context.Context, conversationID uuid.UUID, seq int64, o store.TruncateOptions) (hidden int64, err error) {
	if seq < 0 {
		return 0, errSeqBelow(0)
	}
	sc, err := OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return 0, query.Wrap("truncate", err)
	}
	err = sc.Transaction(ctx, func(tx *scope.Store) (err error) {
		_, hidden, err = truncate(ctx, sc.In(tx), conversationID, seq, o.FreeKeys)
		return err
	})
	if err != nil {
		return 0, query.Wrap("truncate", err)
	}
	sc.Noted(ctx, int(hidden), 0)
	return hidden, nil
}

// truncate hides what follows a seq on the path of the head, and returns the conversation as it is
// then, locked.
func truncate(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, seq int64, freeKeys bool) (*conversation.Conversation, int64, error) {
	db := query.On(ctx, sc.Writer)
	c, err := lockWhole(sc, db, conversationID)
	if err != nil {
		return nil, 0, err
	}
	p := lockedPath{sc: sc, db: db, conversation: c, end: headSeq(c)}
	if err := p.has(seq); err != nil {
		return nil, 0, err
	}
	var next int64
	if follows, err := p.rows("m.seq").Add(" AND m.seq > ? ORDER BY m.seq LIMIT 1", seq).Row(db, &next); err != nil || !follows {
		return c, 0, err
	}
	hidden, err := p.hideAfter(ctx, seq, freeKeys)
	if err != nil {
		return nil, 0, err
	}
	p.end = seq
	l, err := p.latest()
	if err != nil {
		return nil, 0, err
	}
	c, err = updateConversation(ctx, sc, conversationID, store.ExcludeDeleted,
		moveHead(c, seq).Add(", status = ?, last_message_at = ?", string(l.kept(c)), l.at))
	return c, hidden, err
}

// lockedPath is a path of a conversation that the transaction has locked.
type lockedPath struct {
	sc           scope.Scope
	db           query.Conn
	conversation *conversation.Conversation
	end          int64
}

// rows selects columns of the messages of the path, live or deleted.
func (p lockedPath) rows(columns string) *query.Query {
	end := query.New("SELECT "+p.sc.Dialect.Param("bigint")+" AS head", p.end)
	return path{p.sc, p.conversation.ID, end}.rows(columns)
}

// has returns ErrNotFound if no message has the seq, and ErrInvalid if it is on another branch.
func (p lockedPath) has(seq int64) error {
	if err := hasSeq(p.sc, p.db, p.conversation.ID, seq); err != nil || seq == 0 {
		return err
	}
	found, err := p.rows("m.seq").Add(" AND m.seq = ?", seq).Row(p.db, &seq)
	if err == nil && !found {
		err = rule.Invalid("seq", "is not on the path of the head")
	}
	return err
}

// hideAfter deletes softly what follows a seq, and returns how many messages it hid.
func (p lockedPath) hideAfter(ctx context.Context, seq int64, freeKeys bool) (int64, error) {
	change := func(assign *query.Query, condition string) (int64, error) {
		after := query.New(" AND " + condition + " AND seq IN ").Bracketed(p.rows("m.seq").Add(" AND m.seq > ?", seq))
		return changeMany(ctx, p.sc, p.conversation.ID, assign, after)
	}
	hidden, err := change(query.New("deleted_at = ?", p.sc.Instant()), "deleted_at IS NULL")
	if err != nil || !freeKeys {
		return hidden, err
	}
	_, err = change(query.New("idempotency_key = NULL, postmark_message_id = NULL, gmail_message_id = NULL"),
		"COALESCE(idempotency_key, postmark_message_id, gmail_message_id) IS NOT NULL")
	return hidden, err
}

func (s messages) Replace(ctx context.Context, conversationID uuid.UUID, ms []*message.Message, o store.ReplaceOptions) (hidden int64, err error) {
	sc, err := OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return 0, query.Wrap("replace", err)
	}
	drafts, err := newDrafts(ctx, sc, conversationID, ms)
	if err != nil {
		return 0, err
	}
	for i := range drafts {
		drafts[i].parent = nil
	}
	err = unlessCopyRefused(func() error {
		return sc.Transaction(ctx, func(tx *scope.Store) (err error) {
			hidden, err = replace(ctx, sc.In(tx), conversationID, drafts, o.FreeKeys)
			return err
		})
	})
	if dialect.KindOf(err) == dialect.Unique {
		err = errTaken
	}
	if err != nil {
		return 0, query.Wrap("replace", err)
	}
	sc.Noted(ctx, int(hidden)+len(ms), 0)
	return hidden, nil
}

// replace hides the path of the head and appends drafts as another one.
func replace(ctx context.Context, sc scope.Scope, conversationID uuid.UUID, drafts []Draft, freeKeys bool) (int64, error) {
	c, hidden, err := truncate(ctx, sc, conversationID, 0, freeKeys)
	if err != nil || len(drafts) == 0 {
		return hidden, err
	}
	thread := newThreadState(c)
	thread.clear()
	thread.waiting = true
	batch, err := appendBatch(ctx, sc, drafts, map[uuid.UUID]*threadState{conversationID: thread}, batchOptions{})
	if err != nil {
		return 0, err
	}
	for i, created := range batch.created {
		if !created {
			return 0, &store.BatchError{Index: i, Err: errTaken}
		}
	}
	return hidden, nil
}
