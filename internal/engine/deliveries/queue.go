package deliveries

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s deliveries) Enqueue(ctx context.Context, e *message.OutboxEntry) error {
	if e == nil {
		return scope.ErrNil("entry")
	}
	if err := threads.CheckNewEntry(e); err != nil {
		return err
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return err
	}
	var stored message.OutboxEntry
	err := s.changeMessage(ctx, "enqueue", e.MessageID, func(l *locked) error {
		stored = *e
		if err := threads.PrepareEntry(l.Scope, &stored); err != nil {
			return err
		}
		return l.enqueue(&stored)
	})
	if err == nil {
		*e = stored
	}
	return err
}

// enqueue stores an entry of the message.
func (l *locked) enqueue(e *message.OutboxEntry) error {
	if err := threads.CheckSendable(l.message); err != nil {
		return err
	}
	var waiting, done int64
	q := selected(l.Scope, "count(CASE WHEN "+scope.OpenDelivery+" THEN 1 END), count(done_at)", "d.message_id = ? AND d.channel = ?", e.MessageID, e.Channel)
	if _, err := q.Row(l.db, &waiting, &done); err != nil {
		return err
	}
	switch {
	case waiting > 0:
		return fmt.Errorf("%w: the message is in the outbox on this channel already", store.ErrConflict)
	case done > 0 && l.message.Delivery != message.DeliveryBounced:
		return &store.TransitionError{Of: "message", From: "sent", To: "queued"}
	}
	if err := threads.InsertEntries(l.Scope, l.db, []*message.OutboxEntry{e}); err != nil {
		return err
	}
	return l.queued()
}

// queued says that the message is on its way, unless it has been sent.
func (l *locked) queued() error {
	if d := l.message.Delivery; d == message.DeliverySent || d == message.DeliveryDelivered {
		return nil
	}
	return l.become(message.DeliveryQueued, nil)
}

func (s deliveries) Cancel(ctx context.Context, id uuid.UUID) (*message.OutboxEntry, error) {
	return s.change(ctx, "cancel delivery", id, func(l *locked) (*message.OutboxEntry, error) {
		switch {
		case !l.live:
			return nil, store.ErrNotFound
		case !l.entry.Open() || l.claimed():
			return nil, l.refuse("cancelled")
		}
		e, err := l.set(query.New("cancelled_at = ?, claimed_by = NULL, claimed_until = NULL", l.Instant()))
		if err != nil {
			return nil, err
		}
		return e, l.takeBack()
	})
}

// takeBack makes the message what its other entries say, and cancelled without any.
func (l *locked) takeBack() error {
	others, err := l.siblings()
	switch {
	case err != nil:
		return err
	case others.open+others.done > 0 || l.message.Delivery != message.DeliveryQueued:
		return nil
	case others.failed > 0:
		return l.become(message.DeliveryFailed, nil)
	}
	return l.become(message.DeliveryCancelled, nil)
}

func (s deliveries) Reschedule(ctx context.Context, id uuid.UUID, at time.Time) (*message.OutboxEntry, error) {
	if at.IsZero() {
		return nil, rule.Invalid("due_at", "is unset")
	}
	if err := check.Time("due_at", at); err != nil {
		return nil, err
	}
	return s.change(ctx, "reschedule delivery", id, func(l *locked) (*message.OutboxEntry, error) {
		switch {
		case !l.live:
			return nil, store.ErrNotFound
		case !l.entry.Open() || l.claimed():
			return nil, l.refuse("rescheduled")
		}
		return l.set(query.New("due_at = ?", message.Instant(at)))
	})
}

func (s deliveries) Retry(ctx context.Context, messageID uuid.UUID) (again []*message.OutboxEntry, err error) {
	err = s.changeMessage(ctx, "retry delivery", messageID, func(l *locked) (err error) {
		again, err = l.retry()
		return err
	})
	if err != nil {
		return nil, err
	}
	return again, nil
}

// retry opens the latest entry of each channel that failed or was cancelled.
func (l *locked) retry() (again []*message.OutboxEntry, err error) {
	q := selected(l.Scope, record.DeliveryColumns, "d.message_id = ?", l.message.ID).Add(" ORDER BY created_at DESC, id DESC" + l.Dialect.ForUpdate())
	all, err := query.All(l.db, q, record.DeliveryDest)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, e := range all {
		latest := !seen[e.Channel]
		seen[e.Channel] = true
		if !latest || e.FailedAt == nil && e.CancelledAt == nil {
			continue
		}
		e, err := l.setEntry(e.ID, query.New("failed_at = NULL, cancelled_at = NULL, attempts = 0, due_at = ?", l.Instant()))
		if err != nil {
			return nil, err
		}
		again = append(again, e)
	}
	if len(again) == 0 {
		from := l.message.Delivery.String()
		if from == "" {
			from = "in no outbox"
		}
		return nil, &store.TransitionError{Of: "message", From: from, To: "tried again"}
	}
	slices.SortFunc(again, func(a, b *message.OutboxEntry) int { return strings.Compare(a.Channel, b.Channel) })
	return again, l.queued()
}
