// Package streams writes messages while their text is still being made: it begins and takes over
// streams, flushes, ends, stops and sweeps them, and follows their text. It appends through
// package threads.
//
// Whoever writes has the message's fence. Every statement of a writer names it together with the
// state, so that one who was stopped, swept or succeeded by another writes nothing more.
package streams

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

type streams struct {
	sc  scope.Scope
	sql *threads.Statements
}

// New returns the streams of a scope.
func New(sc scope.Scope, sql *threads.Statements) store.MessageStreamer { return streams{sc, sql} }

func (s streams) Stream(ctx context.Context, conversationID uuid.UUID, m *message.Message, o store.StreamOptions) (store.MessageStream, error) {
	o, err := checkOptions(s.sc, o)
	if err != nil {
		return nil, err
	}
	if err := checkNew(m, o); err != nil {
		return nil, err
	}
	sc, err := threads.OwnerScope(ctx, s.sc, conversationID)
	if err != nil {
		return nil, query.Wrap("stream", err)
	}
	m.State, m.Fence, m.HeartbeatAt = message.StateStreaming, 1, new(sc.Instant())
	d, err := threads.NewDraft(ctx, sc, conversationID, m)
	if err != nil {
		return nil, err
	}
	created, err := s.sql.AppendOne(ctx, sc, d)
	if err != nil {
		return nil, query.Wrap("stream", err)
	}
	if !created {
		stored := *m
		return nil, &store.StreamError{
			MessageID: m.ID, Reason: store.StreamExists, State: m.State, HeartbeatAt: m.HeartbeatAt, Message: &stored,
		}
	}
	return newWriter(ctx, sc, m, o)
}

func checkNew(m *message.Message, o store.StreamOptions) error {
	switch {
	case m == nil:
		return scope.ErrNil("message")
	case m.State != "" && m.State != message.StateStreaming:
		return rule.Invalid("state", "is %s; a stream begins as streaming", m.State)
	case len(m.Embeddings) > 0:
		return rule.Invalid("embeddings", "are of a text that is not complete")
	case o.Quiet != 0 || o.Reopen:
		return rule.Invalid("quiet", "and reopen are for ResumeStream")
	}
	return nil
}

// checkOptions fills in the defaults. A transaction is refused.
func checkOptions(sc scope.Scope, o store.StreamOptions) (store.StreamOptions, error) {
	if sc.InTx {
		return o, errTransaction()
	}
	for field, d := range map[string]time.Duration{
		"flush_every": o.FlushEvery, "heartbeat_every": o.HeartbeatEvery, "quiet": o.Quiet, "flush_bytes": time.Duration(o.FlushBytes),
	} {
		if d < 0 {
			return o, rule.Invalid(field, "is negative")
		}
	}
	o.FlushEvery = orDefault(o.FlushEvery, store.DefaultFlushEvery)
	o.FlushBytes = orDefault(o.FlushBytes, store.DefaultFlushBytes)
	o.HeartbeatEvery = orDefault(o.HeartbeatEvery, store.DefaultHeartbeatEvery)
	return o, nil
}

func errTransaction() error {
	return rule.Invalid("transaction", "is open; a stream is written and followed outside of one, where others see it")
}

func (s streams) ResumeStream(ctx context.Context, id uuid.UUID, o store.StreamOptions) (store.MessageStream, error) {
	o, err := checkOptions(s.sc, o)
	if err != nil {
		return nil, err
	}
	sc, err := s.ownerOf(ctx, id)
	if err != nil {
		return nil, query.Wrap("resume stream", err)
	}
	var m *message.Message
	err = scope.Settle(func() (bool, error) {
		if m, err = resume(ctx, sc, id, o); m != nil || err != nil {
			return true, err
		}
		now, err := read(ctx, sc, id)
		if err != nil {
			return false, err
		}
		mayRetry := now.state == message.StateStreaming && (o.Quiet == 0 || now.quiet(sc.Instant()) >= o.Quiet) || o.Reopen && now.ended()
		if mayRetry {
			return false, nil // it changed between the two
		}
		if now.ended() {
			return true, fmt.Errorf("%w; StreamOptions.Reopen goes on with it", now.refusal(id))
		}
		return true, now.refusal(id)
	})
	if err != nil {
		return nil, query.Wrap("resume stream", err)
	}
	return newWriter(ctx, sc, m, o)
}

// ownerOf returns the scope of the owner of a message, for a write.
func (s streams) ownerOf(ctx context.Context, id uuid.UUID) (scope.Scope, error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return s.sc, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Messages, id)
	return s.sc.As(owner), err
}

// resume gives a message a new fence and returns it, or nil if it may not be taken over.
func resume(ctx context.Context, sc scope.Scope, id uuid.UUID, o store.StreamOptions) (m *message.Message, err error) {
	now := sc.Instant()
	q := query.New("UPDATE "+sc.Tables.Messages+" AS t SET fence = COALESCE(fence, 0) + 1, heartbeat_at = ?"+
		" WHERE id = ? AND user_id = ? AND deleted_at IS NULL AND state = 'streaming'", now, id, sc.User)
	if o.Quiet > 0 {
		quiet := now.Add(-o.Quiet)
		q.Add(" AND (heartbeat_at IS NULL OR heartbeat_at <= ?) AND updated_at <= ?", quiet, quiet)
	}
	sc.InLive(q, "t.").Add(" RETURNING " + record.MessageColumns)
	err = sc.Single(ctx, func(on *scope.Store) error {
		found, err := query.All(query.On(ctx, on.Writer), q, record.MessageDest)
		if m = nil; len(found) > 0 {
			m = found[0]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if m == nil && o.Reopen {
		return reopen(ctx, sc, id)
	}
	return m, nil
}

// reopen makes an ended message one that is streaming, or returns nil if it has not ended early.
// Its text will be another one than was seen and embedded, so that it is edited.
func reopen(ctx context.Context, sc scope.Scope, id uuid.UUID) (m *message.Message, err error) {
	err = sc.Shared(ctx, func(tx *scope.Store) error {
		in, m0 := sc.In(tx), (*message.Message)(nil)
		change, of, err := markChange(ctx, in, id, true)
		if err == nil {
			now := in.Instant()
			q := query.New("UPDATE "+in.Tables.Messages+" SET state = 'streaming', fence = COALESCE(fence, 0) + 1, finish_reason = NULL,"+
				" heartbeat_at = ?, updated_at = ?, edited_at = ?, change_seq = ?, revision = revision + 1"+
				" WHERE id = ? AND user_id = ? AND conversation_id = ? AND deleted_at IS NULL AND state IN ('interrupted', 'failed')"+
				" RETURNING "+record.MessageColumns, now, now, now, change, id, in.User, of)
			m0, err = query.One(query.On(ctx, tx.Writer), q, record.MessageDest)
		}
		if err == nil {
			err = embeddings.DropVectors(ctx, in, id)
		}
		m = m0
		return err
	})
	if isAbsent(err) {
		return nil, nil //nolint:nilnil // nil means that there is nothing to reopen
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (s streams) StopStream(ctx context.Context, id uuid.UUID) (*message.Message, error) {
	sc, err := s.ownerOf(ctx, id)
	if err != nil {
		return nil, query.Wrap("stop stream", err)
	}
	var m *message.Message
	err = scope.Settle(func() (bool, error) {
		err := sc.Shared(ctx, func(tx *scope.Store) (err error) {
			in := sc.In(tx)
			if err := end(ctx, in, id, interrupt(in, store.FinishStopped), query.New(" AND deleted_at IS NULL"), true); err != nil {
				return err
			}
			q := query.New("SELECT "+record.MessageColumns+" FROM "+in.Tables.Messages+" WHERE id = ? AND user_id = ?", id, in.User)
			m, err = query.One(query.On(ctx, tx.Writer), q, record.MessageDest)
			return err
		})
		if !isAbsent(err) {
			return true, err
		}
		now, err := read(ctx, sc, id)
		if err != nil || now.state == message.StateStreaming {
			return false, err
		}
		return true, now.refusal(id)
	})
	if err != nil {
		return nil, query.Wrap("stop stream", err)
	}
	sc.Noted(ctx, 1, 0)
	return m, nil
}

// interrupt are the assignments of one who ends a stream that is not their own.
func interrupt(sc scope.Scope, reason string) *query.Query {
	return query.New("state = 'interrupted', fence = COALESCE(fence, 0) + 1, revision = revision + 1, finish_reason = ?, updated_at = ?", reason, sc.Instant())
}

func orDefault[T int | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// newWriter returns the writer of a message that has its fence.
func newWriter(ctx context.Context, sc scope.Scope, m *message.Message, o store.StreamOptions) (store.MessageStream, error) {
	single, err := flushesInOneStatement(ctx, sc)
	if err != nil {
		return nil, fmt.Errorf("convostore: stream: %w", err)
	}
	w := &writer{
		sc: sc, id: m.ID, conversation: m.ConversationID, seq: m.Seq, fence: m.Fence, options: o, single: single,
		row: *m, stored: len(m.Content), flushing: make(chan struct{}, 1), tried: sc.Instant(), seen: sc.Instant(),
	}
	w.text = text{bytes: []byte(m.Content), whole: len(m.Content)}
	w.row.Content, w.row.Embeddings = "", nil
	return w, nil
}

// cutReason makes a text one that a finish reason may be.
func cutReason(sc scope.Scope, reason string) string {
	sc.Clean.Text(&reason)
	reason = validText(reason)
	return reason[:runeEnd(reason, check.MaxKey)]
}
