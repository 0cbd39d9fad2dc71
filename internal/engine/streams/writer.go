package streams

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// writer is a store.MessageStream. Who flushes has flushing, and takes mu only to look at what
// waits and to note what was written, so that others add meanwhile.
type writer struct {
	sc               scope.Scope
	id, conversation uuid.UUID
	seq, fence       int64
	options          store.StreamOptions
	// single says that a flush is one statement.
	single   bool
	flushing chan struct{}

	mu   sync.Mutex
	text text
	// row has the message but for its text, and waiting what of it was not written yet.
	row     message.Message
	waiting parts
	// stored is how many bytes of the text are known to be stored. After a flush that failed it is
	// not known whether more are, so that the next one writes all: unsure.
	stored int
	unsure bool
	// tried is when the last flush began, and seen when the row's heartbeat was last written.
	tried, seen time.Time
	// failed says that the last flush failed: more text is then no reason for another try.
	failed bool
	// lost is why nothing can be written any more.
	lost error
}

// parts are columns of a message that a writer sets.
type parts uint8

const (
	toolCalls parts = 1 << iota
	toolResults
	payload
	usage
)

func (w *writer) ID() uuid.UUID { return w.id }
func (w *writer) Seq() int64    { return w.seq }

func (w *writer) Text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text.bytes[:w.text.whole])
}

func (w *writer) Flushed() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int64(w.stored)
}

func (w *writer) Write(ctx context.Context, chunk string) error {
	return w.add(ctx, func() error {
		size := w.row.Size()
		wanted := size + len(w.text.bytes) + len(chunk)
		fits, err := w.text.add(chunk, w.sc.Clean, w.sc.MaxBytes-size)
		if err == nil && !fits {
			err = w.sc.CheckSize("message", max(wanted, w.sc.MaxBytes+1))
		}
		return err
	})
}

func (w *writer) SetToolCalls(ctx context.Context, doc message.JSON) error {
	return w.add(ctx, func() error { return w.set(toolCalls, func(m *message.Message) { m.ToolCalls = slices.Clone(doc) }) })
}

func (w *writer) SetToolResults(ctx context.Context, doc message.JSON) error {
	return w.add(ctx, func() error {
		return w.set(toolResults, func(m *message.Message) { m.ToolResults = slices.Clone(doc) })
	})
}

func (w *writer) SetPayload(ctx context.Context, format string, p message.Payload) error {
	return w.add(ctx, func() error {
		return w.set(payload, func(m *message.Message) { m.PayloadFormat, m.Payload = format, slices.Clone(p) })
	})
}

func (w *writer) SetUsage(ctx context.Context, u store.Usage) error {
	return w.add(ctx, func() error { return w.setUsage(u) })
}

// setUsage has no bound of size: the text may have filled the message.
func (w *writer) setUsage(u store.Usage) error {
	return w.set(usage, func(m *message.Message) {
		m.Model, m.FinishReason = cmp.Or(u.Model, m.Model), cmp.Or(u.FinishReason, m.FinishReason)
		m.TokensIn, m.TokensOut = cmp.Or(u.TokensIn, m.TokensIn), cmp.Or(u.TokensOut, m.TokensOut)
		if !u.Cost.IsZero() {
			m.Cost = u.Cost
		}
	})
}

// set changes a part of the row. The caller has mu.
func (w *writer) set(part parts, change func(*message.Message)) error {
	next := w.row
	change(&next)
	w.sc.Clean.Model(&next)
	if err := next.Validate(); err != nil {
		return err
	}
	if part != usage {
		if err := w.sc.CheckSize("message", next.Size()+len(w.text.bytes)); err != nil {
			return err
		}
	}
	w.row = next
	w.waiting |= part
	return nil
}

// add runs take under mu, and then flushes if a flush is due and nobody is flushing.
func (w *writer) add(ctx context.Context, take func() error) error {
	w.mu.Lock()
	if w.lost != nil {
		defer w.mu.Unlock()
		return w.lost
	}
	refused := take()
	due := w.due(w.sc.Instant())
	w.mu.Unlock()
	if !due || !w.tryFlushing() {
		return refused
	}
	defer w.endFlushing()
	if err := w.flush(ctx); err != nil {
		return errors.Join(err, refused)
	}
	return refused
}

// due tells whether what waits is to be written. A clock that was set back makes it due. The
// caller has mu.
func (w *writer) due(now time.Time) bool {
	if !w.waits() {
		return false
	}
	late := now.Before(w.tried) || now.Sub(w.tried) >= w.options.FlushEvery
	return late || !w.failed && w.text.whole-w.stored >= w.options.FlushBytes
}

// beats tells whether the heartbeat is due. The caller has mu.
func (w *writer) beats(now time.Time) bool {
	return now.Before(w.seen) || now.Sub(w.seen) >= w.options.HeartbeatEvery
}

func (w *writer) waits() bool { return w.text.whole > w.stored || w.waiting != 0 || w.unsure }

func (w *writer) tryFlushing() bool {
	select {
	case w.flushing <- struct{}{}:
		return true
	default:
		return false
	}
}

// beginFlushing waits until nobody else flushes.
func (w *writer) beginFlushing(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return query.Wrap("flush", err)
	}
	select {
	case w.flushing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return query.Wrap("flush", ctx.Err())
	}
}

func (w *writer) endFlushing() { <-w.flushing }

func (w *writer) Flush(ctx context.Context) error {
	if err := w.beginFlushing(ctx); err != nil {
		return err
	}
	defer w.endFlushing()
	return w.flush(ctx)
}

func (w *writer) Beat(ctx context.Context) error {
	w.mu.Lock()
	now := w.sc.Instant()
	lost, due, beats := w.lost, w.due(now), w.beats(now)
	w.mu.Unlock()
	if lost != nil || !due && !beats || !w.tryFlushing() {
		return lost
	}
	defer w.endFlushing()
	if due {
		return w.flush(ctx)
	}
	return w.beat(ctx)
}

func (w *writer) Finish(ctx context.Context, u store.Usage) error {
	return w.end(ctx, message.StateComplete, func() error { return w.setUsage(u) })
}

func (w *writer) Interrupt(ctx context.Context) error {
	return w.end(ctx, message.StateInterrupted, func() error { return nil })
}

func (w *writer) Fail(ctx context.Context, reason string) error {
	return w.end(ctx, message.StateFailed, func() error {
		w.row.FinishReason = cutReason(w.sc, reason)
		w.waiting |= usage
		return check.Key("finish_reason", w.row.FinishReason)
	})
}
