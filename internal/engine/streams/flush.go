package streams

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// chunk is what one flush writes: the text from byte from on, and parts of the row.
type chunk struct {
	text string
	from int
	// all says that the text replaces that of the row, whatever is there. It is for a flush after
	// one of which nobody knows whether it took effect, and may be repeated.
	all   bool
	parts parts
	row   message.Message
	// at is when it was taken, and beat says that the heartbeat is due. Most flushes spare the
	// index of heartbeats.
	at   time.Time
	beat bool
}

func (c chunk) end() int { return c.from + len(c.text) }

// assign are the assignments of a chunk.
func (c chunk) assign() *query.Query {
	q := query.New("updated_at = ?, revision = revision + 1", c.at)
	if c.beat {
		q.Add(", heartbeat_at = ?", c.at)
	}
	switch {
	case c.all:
		q.Add(", content = ?", c.text)
	case c.text != "":
		q.Add(", content = content || ?", c.text)
	}
	m := &c.row
	if c.parts&toolCalls != 0 {
		q.Add(", tool_calls = ?", m.ToolCalls)
	}
	if c.parts&toolResults != 0 {
		q.Add(", tool_results = ?", m.ToolResults)
	}
	if c.parts&payload != 0 {
		q.Add(", payload = ?, payload_format = ?", m.Payload, record.Null(m.PayloadFormat))
	}
	if c.parts&usage != 0 {
		q.Add(", model = ?, tokens_in = ?, tokens_out = ?, cost = ?, finish_reason = ?", record.Null(m.Model),
			record.NullNumber(m.TokensIn), record.NullNumber(m.TokensOut), record.NullMoney(m.Cost), record.Null(m.FinishReason))
	}
	return q
}

// guard is the condition of every write of the writer beside the message's key.
func (w *writer) guard(c chunk) *query.Query {
	q := query.New(" AND fence = ? AND deleted_at IS NULL", w.fence)
	if !c.all {
		// Without it a flush that was repeated by somebody below us would add its text twice.
		q.Add(" AND octet_length(content) = ?", c.from)
	}
	return q
}

// take returns what waits. The caller has mu.
func (w *writer) take() chunk {
	c := chunk{from: w.stored, all: w.unsure, parts: w.waiting, row: w.row, at: w.sc.Instant()}
	if c.all {
		c.from = 0
	}
	c.beat = w.beats(c.at)
	c.text = string(w.text.bytes[c.from:w.text.whole])
	w.waiting, w.tried = 0, c.at
	return c
}

// note says that a chunk was written, or that it is not known whether it was.
func (w *writer) note(c chunk, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed = err != nil; w.failed {
		w.waiting |= c.parts
		w.unsure = true
		return
	}
	if w.stored, w.unsure = c.end(), false; c.beat {
		w.seen = c.at
	}
}

// lose notes that nothing can be written any more.
func (w *writer) lose(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = err
	return err
}

// flush writes what waits. The caller has flushing.
func (w *writer) flush(ctx context.Context) error {
	w.mu.Lock()
	if w.lost != nil || !w.waits() {
		defer w.mu.Unlock()
		return w.lost
	}
	c := w.take()
	w.mu.Unlock()
	err := w.write(ctx, &c, w.update)
	w.note(c, err)
	return query.Wrap("flush", err)
}

// write has update write a chunk. If that finds no row to write although the stream is still the
// writer's, the row has another text than it should have, and all of it is written.
func (w *writer) write(ctx context.Context, c *chunk, update func(context.Context, chunk) (bool, error)) error {
	return scope.Settle(func() (bool, error) {
		if done, err := update(ctx, *c); done || err != nil {
			return true, err
		}
		now, err := read(ctx, w.sc, w.id)
		if err != nil {
			return true, err
		}
		if lost := now.lostTo(w.id, w.fence); lost != nil {
			return true, w.lose(lost)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		c.from, c.all = 0, true
		c.text = string(w.text.bytes[:w.text.whole])
		return false, nil
	})
}

// update writes a chunk, and gives it its place among the changes of the conversation. It tells
// whether the guard let it. The conversation comes before the message, as in every change.
func (w *writer) update(ctx context.Context, c chunk) (done bool, err error) {
	if !w.single {
		err = w.sc.Shared(ctx, func(tx *scope.Store) error {
			in := w.sc.In(tx)
			change, _, err := markChange(ctx, in, w.id, true)
			if err != nil {
				return err
			}
			q := query.New("UPDATE "+in.Tables.Messages+" SET change_seq = ?, ", change).Append(c.assign()).
				Add(" WHERE id = ? AND user_id = ? AND state = 'streaming'", w.id, in.User).Append(w.guard(c))
			return changesOne(q.Exec(query.On(ctx, tx.Writer)))
		})
		if isAbsent(err) {
			return false, nil
		}
		return err == nil, err
	}
	q := query.New("WITH c AS (UPDATE "+w.sc.Tables.Conversations+" SET last_change_seq = last_change_seq + 1"+
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL RETURNING last_change_seq) UPDATE "+w.sc.Tables.Messages+
		" AS t SET change_seq = c.last_change_seq, ", w.conversation, w.sc.User).Append(c.assign()).
		Add(" FROM c WHERE id = ? AND user_id = ? AND state = 'streaming'", w.id, w.sc.User).Append(w.guard(c))
	err = w.sc.Retry(ctx, func() error {
		n, err := q.Exec(query.On(ctx, w.sc.Writer))
		done = n == 1
		return err
	})
	return done && err == nil, err
}

// flushesInOneStatement tells whether an UPDATE can take a value from another one.
func flushesInOneStatement(ctx context.Context, sc scope.Scope) (bool, error) {
	if !sc.Dialect.OneStatementAppend() {
		return false, nil
	}
	f, err := sc.SchemaFeatures(query.On(ctx, sc.Writer))
	return err == nil && !f.Distributed, err
}

// beat says that the writer is alive. Nothing of the message changes for its readers.
func (w *writer) beat(ctx context.Context) error {
	now, done := w.sc.Instant(), false
	q := query.New("UPDATE "+w.sc.Tables.Messages+" AS t SET heartbeat_at = ? WHERE id = ? AND user_id = ?"+
		" AND state = 'streaming' AND fence = ? AND deleted_at IS NULL", now, w.id, w.sc.User, w.fence)
	w.sc.InLive(q, "t.")
	err := scope.Settle(func() (bool, error) {
		err := w.sc.Single(ctx, func(on *scope.Store) error {
			n, err := q.Exec(query.On(ctx, on.Writer))
			done = n == 1
			return err
		})
		if done || err != nil {
			return true, err
		}
		now, err := read(ctx, w.sc, w.id)
		if err != nil {
			return true, err
		}
		if lost := now.lostTo(w.id, w.fence); lost != nil {
			return true, w.lose(lost)
		}
		return false, nil
	})
	if err != nil {
		return query.Wrap("beat", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = now
	return nil
}

// markChange counts a change of the message's conversation, which it returns as well, and locks
// the conversation until the transaction ends. With live it is errAbsent if the conversation is deleted.
func markChange(ctx context.Context, sc scope.Scope, id uuid.UUID, live bool) (change int64, of uuid.UUID, err error) {
	q := query.New("UPDATE "+sc.Tables.Conversations+" SET last_change_seq = last_change_seq + 1"+
		" WHERE user_id = ? AND id = (SELECT conversation_id FROM "+sc.Tables.Messages+" WHERE id = ? AND user_id = ?)", sc.User, id, sc.User)
	if live {
		q.Add(" AND deleted_at IS NULL")
	}
	found, err := q.Add(" RETURNING last_change_seq, id").Row(query.On(ctx, sc.Writer), &change, &of)
	if err == nil && !found {
		err = errAbsent
	}
	return change, of, err
}

// changesOne makes errAbsent of a statement that changed no row.
func changesOne(n int64, err error) error {
	if err == nil && n == 0 {
		return errAbsent
	}
	return err
}

// errAbsent rolls a transaction back that found no row to change. It matches ErrNotFound.
var errAbsent = store.ErrNotFound
