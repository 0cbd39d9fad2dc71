package streams

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func isAbsent(err error) bool { return errors.Is(err, store.ErrNotFound) }

// ending is what decides whether an ended message is somebody's turn.
type ending struct {
	message.Message
	hasText, deleted bool
}

// end ends a message that is streaming and meets a condition, with assignments of which one is the
// state, in a transaction. It returns errAbsent if there is none, and the caller rolls back.
func end(ctx context.Context, sc scope.Scope, id uuid.UUID, assign, condition *query.Query, live bool) error {
	db := query.On(ctx, sc.Writer)
	change, err := markChange(ctx, sc, id, live)
	if err != nil {
		return err
	}
	q := query.New("UPDATE "+sc.Tables.Messages+" SET change_seq = ?, ", change).Append(assign).
		Add(" WHERE id = ? AND user_id = ? AND state = 'streaming'", id, sc.User).Append(condition).
		Add(" RETURNING conversation_id, seq, kind, direction, state, sent_at, created_at, content <> '', deleted_at IS NOT NULL")
	e, err := query.One(db, q, func(e *ending) []any {
		return []any{&e.ConversationID, &e.Seq, &e.Kind, &e.Direction, &e.State, (*record.Instant)(&e.SentAt), (*record.Instant)(&e.CreatedAt), &e.hasText, &e.deleted}
	})
	if err != nil {
		return err
	}
	if err := moveStatus(sc, db, e); err != nil || e.deleted {
		return err
	}
	return threads.SupersedeBy(ctx, sc, &e.Message)
}

// moveStatus gives the conversation the status after the message, as an append does, unless a
// later message has given it one.
func moveStatus(sc scope.Scope, db query.Conn, e *ending) error {
	if e.hasText {
		e.Content = "some"
	}
	next := conversation.Status("").AfterMessage(&e.Message)
	if next == "" || e.deleted {
		return nil
	}
	q := query.New("UPDATE "+sc.Tables.Conversations+" SET status = ?, updated_at = ? WHERE id = ? AND user_id = ? AND deleted_at IS NULL"+
		" AND NOT EXISTS (SELECT 1 FROM "+sc.Tables.Messages+" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq > ?"+
		" AND m.kind = 'message' AND m.direction IS NOT NULL AND "+scope.Said("m.")+")",
		next, sc.Instant(), e.ConversationID, sc.User, e.ConversationID, sc.User, e.Seq)
	_, err := q.Exec(db)
	return err
}

// end flushes and ends the message. An end of which nobody knows whether it took effect may be
// tried again.
func (w *writer) end(ctx context.Context, state message.State, prepare func() error) error {
	if err := w.beginFlushing(ctx); err != nil {
		return err
	}
	defer w.endFlushing()
	w.mu.Lock()
	if w.lost != nil {
		defer w.mu.Unlock()
		return w.lost
	}
	if err := prepare(); err != nil {
		defer w.mu.Unlock()
		return err
	}
	w.text.close()
	c, retried := w.take(), w.unsure
	w.mu.Unlock()
	err := w.write(ctx, &c, func(ctx context.Context, c chunk) (bool, error) {
		done, err := w.endWith(ctx, state, c)
		if !done && err == nil && retried {
			done, err = w.hasEnded(ctx, state, c)
		}
		return done, err
	})
	w.note(c, err)
	if err != nil {
		return query.Wrap("end stream", err)
	}
	_ = w.lose(&store.StreamError{MessageID: w.id, Reason: store.StreamEnded, State: state, HeartbeatAt: new(w.lastSeen())})
	w.sc.Noted(ctx, 1, len(w.Text()))
	return nil
}

func (w *writer) lastSeen() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// endWith ends the message with a chunk, and tells whether the guard let it.
func (w *writer) endWith(ctx context.Context, state message.State, c chunk) (bool, error) {
	err := w.sc.Shared(ctx, func(tx *scope.Store) error {
		in := w.sc.In(tx)
		assign := query.New("state = ?, ", string(state)).Append(c.assign())
		return end(ctx, in, w.id, assign, w.guard(c), true)
	})
	if isAbsent(err) {
		return false, nil
	}
	return err == nil, err
}

// hasEnded tells whether an earlier try has ended the message as it should be.
func (w *writer) hasEnded(ctx context.Context, state message.State, c chunk) (bool, error) {
	now, err := read(ctx, w.sc, w.id)
	return err == nil && now.fence == w.fence && now.state == state && now.bytes == int64(c.end()), err
}
