package streams

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func isAbsent(err error) bool { return errors.Is(err, store.ErrNotFound) }

// ending is what decides whether an ended message counts.
type ending struct {
	message.Message
	hasText bool
	deleted *time.Time
}

// end ends a message that is streaming and meets a condition, with assignments of which one is the
// state, in a transaction, and moves status and activity. It returns errAbsent if there is none, and
// the caller rolls back.
func end(ctx context.Context, sc scope.Scope, id uuid.UUID, assign, condition *query.Query, live bool) error {
	db := query.On(ctx, sc.Writer)
	change, _, err := markChange(ctx, sc, id, live)
	if err != nil {
		return err
	}
	q := query.New("UPDATE "+sc.Tables.Messages+" SET change_seq = ?, ", change).Append(assign).
		Add(" WHERE id = ? AND user_id = ? AND state = 'streaming'", id, sc.User).Append(condition).
		Add(" RETURNING conversation_id, seq, kind, direction, state, delivery, sent_at, created_at, updated_at, content <> '', deleted_at")
	e, err := query.One(db, q, func(e *ending) []any {
		return []any{
			&e.ConversationID, &e.Seq, &e.Kind, &e.Direction, &e.State, &e.Delivery,
			(*record.Instant)(&e.SentAt), (*record.Instant)(&e.CreatedAt), (*record.Instant)(&e.UpdatedAt), &e.hasText,
			record.NullInstant{Dest: &e.deleted},
		}
	})
	if err != nil || e.deleted != nil {
		return err
	}
	if e.hasText {
		e.Content = "some"
	}
	if !e.Counts() {
		return nil
	}
	if err := threads.Appeared(ctx, sc, &e.Message, false); err != nil {
		return err
	}
	if err := threads.SupersedeBy(ctx, sc, &e.Message); err != nil || !e.Asks() {
		return err
	}
	_, err = query.New("UPDATE "+sc.Tables.Conversations+" SET snoozed_until = NULL WHERE id = ? AND user_id = ? AND snoozed_until IS NOT NULL",
		e.ConversationID, sc.User).Exec(db)
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
