// Package deliveries implements store.Deliveries, the outbox: it queues messages, hands them to
// workers under leases, and records what came of them. It changes messages through package threads.
//
// Whatever moves an entry from one state to another holds the lock of the message's conversation,
// then that of the entry. Claims and renewals lock the entry alone.
package deliveries

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/internal/engine/watch"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

type deliveries struct {
	sc  scope.Scope
	hub *watch.Hub
}

// New returns the outbox of a scope. The hub wakes Run.
func New(sc scope.Scope, hub *watch.Hub) store.Deliveries { return deliveries{sc, hub} }

// selected selects columns of the scope's entries d that meet a condition.
func selected(sc scope.Scope, columns, condition string, args ...any) *query.Query {
	return sc.Owned(query.New("SELECT "+columns+" FROM "+sc.Tables.Deliveries+" d WHERE "+condition, args...), "d.")
}

func find(sc scope.Scope, db query.Conn, id uuid.UUID, live bool) (*message.OutboxEntry, error) {
	q := selected(sc, record.DeliveryColumns, "d.id = ?", id)
	if live {
		sc.InLiveMessage(q, "d.")
	}
	return query.One(db, q, record.DeliveryDest)
}

// locked is an entry with its message, both locked, in the transaction of a change.
type locked struct {
	scope.Scope
	db query.Conn
	// entry is nil for a change of a message.
	entry   *message.OutboxEntry
	message *message.Message
	// live says that neither the message nor its conversation is deleted.
	live bool
}

// change runs fn with an entry, live or not, and returns the entry that fn returns. An error of fn
// undoes what it wrote.
func (s deliveries) change(ctx context.Context, operation string, id uuid.UUID, fn func(l *locked) (*message.OutboxEntry, error)) (e *message.OutboxEntry, err error) {
	if _, err := s.sc.Writing(ctx); err != nil {
		return nil, err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Deliveries, id)
	if err != nil {
		return nil, query.Wrap(operation, err)
	}
	sc := s.sc.As(owner)
	found, err := find(sc, query.On(ctx, sc.Writer), id, false)
	if err != nil {
		return nil, query.Wrap(operation, err)
	}
	err = sc.Shared(ctx, func(tx *scope.Store) error {
		l, err := lock(ctx, sc.In(tx), found.MessageID)
		if err != nil {
			return err
		}
		q := selected(l.Scope, record.DeliveryColumns, "d.id = ?", id).Add(l.Dialect.ForUpdate())
		if l.entry, err = query.One(l.db, q, record.DeliveryDest); err != nil {
			return err
		}
		e, err = fn(l)
		return err
	})
	if err != nil {
		return nil, query.Wrap(operation, err)
	}
	return e, nil
}

// changeMessage runs fn with a live message.
func (s deliveries) changeMessage(ctx context.Context, operation string, id uuid.UUID, fn func(l *locked) error) error {
	if _, err := s.sc.Writing(ctx); err != nil {
		return err
	}
	owner, err := s.sc.Owner(ctx, s.sc.Tables.Messages, id)
	if err != nil {
		return query.Wrap(operation, err)
	}
	sc := s.sc.As(owner)
	err = sc.Shared(ctx, func(tx *scope.Store) error {
		l, err := lock(ctx, sc.In(tx), id)
		if err == nil && !l.live {
			err = store.ErrNotFound
		}
		if err != nil {
			return err
		}
		return fn(l)
	})
	return query.Wrap(operation, err)
}

func lock(ctx context.Context, sc scope.Scope, messageID uuid.UUID) (*locked, error) {
	m, live, err := threads.LockMessage(ctx, sc, messageID)
	return &locked{Scope: sc, db: query.On(ctx, sc.Writer), message: m, live: live}, err
}

// set updates the entry and returns it.
func (l *locked) set(assign *query.Query) (*message.OutboxEntry, error) {
	return l.setEntry(l.entry.ID, assign)
}

func (l *locked) setEntry(id uuid.UUID, assign *query.Query) (*message.OutboxEntry, error) {
	q := query.New("UPDATE "+l.Tables.Deliveries+" SET ").Append(assign).
		Add(", updated_at = ? WHERE id = ? AND user_id = ? RETURNING "+record.DeliveryColumns, l.Instant(), id, l.User)
	return query.One(l.db, q, record.DeliveryDest)
}

// setMessage changes the message.
func (l *locked) setMessage(assign *query.Query) (err error) {
	l.message, err = threads.ChangeLocked(l.db.Ctx, l.Scope, l.message, assign)
	return err
}

// become sets how far the message has come, and why not further, NULL for no reason. Status and
// activity of the conversation follow.
func (l *locked) become(d message.Delivery, reason any) error {
	was := l.message
	if err := l.setMessage(query.New("delivery = ?, delivery_error = ?", string(d), reason)); err != nil {
		return err
	}
	return threads.Changed(l.db.Ctx, l.Scope, was, l.message)
}

// siblings counts the other entries of the message.
type siblings struct{ open, done, failed int64 }

func (l *locked) siblings() (n siblings, err error) {
	q := selected(l.Scope, "count(CASE WHEN "+scope.OpenDelivery+" THEN 1 END), count(done_at), count(failed_at)", "d.message_id = ? AND d.id <> ?", l.message.ID, l.entry.ID)
	_, err = q.Row(l.db, &n.open, &n.done, &n.failed)
	return n, err
}

// claimed tells whether a worker has the entry now.
func (l *locked) claimed() bool {
	return threads.EntryState(l.entry, l.Instant()) == threads.EntryClaimed
}

// refuse is the error of a change that the state of the entry does not allow.
func (l *locked) refuse(to string) error {
	return &store.TransitionError{Of: "delivery", From: threads.EntryState(l.entry, l.Instant()), To: to}
}

func leaseError(e *message.OutboxEntry) error {
	lost := &store.LeaseError{EntryID: e.ID, DoneAt: e.DoneAt}
	if e.Open() {
		lost.ClaimedBy = e.ClaimedBy
	}
	return lost
}
