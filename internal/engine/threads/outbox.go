package threads

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// EntryClaimed is the state of an open entry that a worker has.
const EntryClaimed = "claimed"

// EntryState is where an entry is at a time, as a *store.TransitionError says it.
func EntryState(e *message.OutboxEntry, now time.Time) string {
	switch {
	case e.DoneAt != nil:
		return "done"
	case e.FailedAt != nil:
		return "failed"
	case e.CancelledAt != nil:
		return "cancelled"
	case e.ClaimedUntil != nil && e.ClaimedUntil.After(now):
		return EntryClaimed
	}
	return "open"
}

// CancelEntries takes what a message has in the outbox out of it, and returns its entries as they
// were, the latest first. The conversation is locked. It returns a *store.TransitionError if a
// worker has one of them.
func CancelEntries(ctx context.Context, sc scope.Scope, messageID uuid.UUID) ([]*message.OutboxEntry, error) {
	db, now := query.On(ctx, sc.Writer), sc.Instant()
	q := query.New("SELECT "+record.DeliveryColumns+" FROM "+sc.Tables.Deliveries+
		" WHERE message_id = ? AND user_id = ? ORDER BY created_at DESC, id DESC"+sc.Dialect.ForUpdate(), messageID, sc.User)
	entries, err := query.All(db, q, record.DeliveryDest)
	if err != nil {
		return nil, err
	}
	open := false
	for _, e := range entries {
		if EntryState(e, now) == EntryClaimed {
			return nil, &store.TransitionError{Of: "delivery", From: EntryClaimed, To: "cancelled"}
		}
		open = open || e.Open()
	}
	if !open {
		return entries, nil
	}
	_, err = query.New("UPDATE "+sc.Tables.Deliveries+" SET cancelled_at = ?, claimed_by = NULL, claimed_until = NULL, updated_at = ?"+
		" WHERE message_id = ? AND user_id = ? AND "+scope.OpenDelivery, now, now, messageID, sc.User).Exec(db)
	return entries, err
}

// CheckNewEntry refuses an entry that has more than a new one can have.
func CheckNewEntry(e *message.OutboxEntry) error {
	if e.ClaimedBy != "" || e.ClaimedUntil != nil || e.Attempts != 0 || e.LastError != "" || !e.Open() {
		return rule.Invalid("entry", "has a claim, attempts, an error or an end")
	}
	return nil
}

// PrepareEntry fills in a new entry and validates it. The scope is that of the message's owner.
func PrepareEntry(sc scope.Scope, e *message.OutboxEntry) error {
	if e.UserID != uuid.Nil && e.UserID != sc.User {
		return rule.Invalid("user_id", "is another user's than the message's")
	}
	e.UserID = sc.User
	if err := sc.GiveID(&e.ID); err != nil {
		return err
	}
	sc.Clean.Model(e)
	e.Normalize(sc.Instant())
	return e.Validate()
}

// Leaves tells whether messages of a kind are for others than those who wrote them.
func Leaves(k message.Kind) bool { return k != message.KindNote && k != message.KindEvent }

// CheckSendable refuses a message that nobody hands to a provider.
func CheckSendable(m *message.Message) error {
	switch {
	case m.Direction != message.DirectionOutbound:
		return rule.Invalid("message_id", "is that of a message that is not outbound")
	case !Leaves(m.Kind):
		return rule.Invalid("message_id", "is that of a %s, which never leaves", m.Kind)
	case m.State != message.StateComplete:
		return rule.Invalid("message_id", "is that of a message that is not complete")
	}
	return nil
}

// InsertEntries stores new entries, whose messages are locked or new.
func InsertEntries(sc scope.Scope, db query.Conn, entries []*message.OutboxEntry) error {
	for part := range slices.Chunk(entries, sc.Dialect.RowsPerInsert()) {
		q := query.New("INSERT INTO " + sc.Tables.Deliveries + " (" + record.DeliveryColumns + ") VALUES ")
		for i, e := range part {
			if i > 0 {
				q.Add(", ")
			}
			args := record.DeliveryArgs(e)
			q.Add("("+query.Marks(len(args))+")", args...)
		}
		n, err := q.Add(" ON CONFLICT (id, user_id) DO NOTHING").Exec(db)
		if err == nil && n < int64(len(part)) {
			err = fmt.Errorf("%w: the id of the delivery is taken", store.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Outgoing is a new entry of the outbox that is stored together with its message.
type Outgoing struct {
	given *message.OutboxEntry
	ready message.OutboxEntry
	// stored is what the transaction has found or written.
	stored *message.OutboxEntry
}

// NewOutgoing validates the entry for a draft, nil for none. It changes neither.
func NewOutgoing(sc scope.Scope, d Draft, e *message.OutboxEntry) (*Outgoing, error) {
	if e == nil {
		return nil, nil //nolint:nilnil // no entry is asked for
	}
	if e.MessageID != uuid.Nil && e.MessageID != d.ID {
		return nil, rule.Invalid("message_id", "is that of another message")
	}
	if err := CheckNewEntry(e); err != nil {
		return nil, err
	}
	o := &Outgoing{given: e, ready: *e}
	o.ready.MessageID = d.ID
	if err := PrepareEntry(sc, &o.ready); err != nil {
		return nil, err
	}
	return o, CheckSendable(d.Message)
}

// Mark has the draft of an attempt begin as queued, so that no statement has to change it.
func (o *Outgoing) Mark(d Draft) {
	if o != nil {
		d.Delivery, d.DeliveryError = message.DeliveryQueued, ""
	}
}

// Fill overwrites the caller's entry with the stored one, after the commit.
func (o *Outgoing) Fill() {
	if o != nil && o.stored != nil {
		*o.given = *o.stored
	}
}

// StoreOutgoing stores the entries of drafts that were appended in this transaction; nil stands for
// no entry. A message that was there already keeps the entry that it has.
func StoreOutgoing(ctx context.Context, sc scope.Scope, outgoing []*Outgoing, drafts []Draft, created []bool) error {
	var added []*message.OutboxEntry
	for i, o := range outgoing {
		if o != nil && created[i] {
			e := o.ready
			o.stored = &e
			added = append(added, o.stored)
		}
	}
	if err := InsertEntries(sc, query.On(ctx, sc.Writer), added); err != nil {
		return err
	}
	for i, o := range outgoing { // now that the first of two with one key has its entry
		if o != nil && !created[i] {
			if err := o.find(ctx, sc, drafts[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// find looks for the entry of a message that was stored before, and makes one if the message has
// never been on its way.
func (o *Outgoing) find(ctx context.Context, sc scope.Scope, d Draft) error {
	m, live, err := LockMessage(ctx, sc, d.ID)
	if err != nil {
		return err
	}
	if err := o.Find(ctx, sc, m); err != nil || o.stored != nil {
		return err
	}
	sendable := CheckSendable(m) == nil
	if !live || !sendable || !unsent(m.Delivery) || m.GmailMessageID != "" || m.PostmarkMessageID != "" {
		return nil
	}
	e, was := o.ready, m
	e.MessageID = m.ID
	if err := InsertEntries(sc, query.On(ctx, sc.Writer), []*message.OutboxEntry{&e}); err != nil {
		return err
	}
	m, err = ChangeLocked(ctx, sc, m, query.New("delivery = ?, delivery_error = NULL", string(message.DeliveryQueued)))
	if err != nil {
		return err
	}
	*d.Message, o.stored = *m, &e
	return Changed(ctx, sc, was, m)
}

// unsent tells whether a message may still be handed to a provider for the first time.
func unsent(d message.Delivery) bool {
	return d == message.DeliveryNone || d == message.DeliveryCancelled
}

// Find looks for the entry that a message has on the channel, the one that was made last.
func (o *Outgoing) Find(ctx context.Context, sc scope.Scope, m *message.Message) error {
	if o == nil {
		return nil
	}
	found, err := query.All(query.On(ctx, sc.Writer), query.New("SELECT "+record.DeliveryColumns+" FROM "+sc.Tables.Deliveries+
		" WHERE message_id = ? AND user_id = ? AND channel = ? ORDER BY created_at DESC, id DESC LIMIT 1", m.ID, sc.User, o.ready.Channel), record.DeliveryDest)
	if o.stored = nil; len(found) > 0 {
		o.stored = found[0]
	}
	return err
}

// newOutgoing is NewOutgoing for a batch, nil if it has no entries. The error is a
// *store.BatchError, unless there are not as many entries as drafts.
func newOutgoing(sc scope.Scope, drafts []Draft, entries []*message.OutboxEntry) ([]*Outgoing, error) {
	if len(entries) > 0 && len(entries) != len(drafts) {
		return nil, rule.Invalid("deliver", "has %d entries for %d messages", len(entries), len(drafts))
	}
	var out []*Outgoing
	seen := map[*message.OutboxEntry]bool{}
	for i, e := range entries {
		o, err := NewOutgoing(sc, drafts[i], e)
		if err == nil && e != nil && seen[e] {
			err = rule.Invalid("deliver", "has the same pointer twice; each message needs an entry of its own")
		}
		if err != nil {
			return nil, &store.BatchError{Index: i, Err: err}
		}
		if seen[e] = true; o != nil && out == nil {
			out = make([]*Outgoing, len(drafts))
		}
		if o != nil {
			out[i] = o
		}
	}
	return out, nil
}

// appendDelivered appends drafts and, if there are any, their entries in one transaction.
func appendDelivered(ctx context.Context, sc scope.Scope, drafts []Draft, out []*Outgoing, add func(sc scope.Scope, drafts []Draft) ([]bool, error)) (created []bool, err error) {
	if out == nil {
		return add(sc, drafts)
	}
	// The transaction may run more than once, so the drafts are overwritten only after it commits.
	tried := make([]Draft, len(drafts))
	err = sc.Shared(ctx, func(tx *scope.Store) (err error) {
		for i, d := range drafts {
			tried[i] = d.Copy()
			out[i].Mark(tried[i])
		}
		in := sc.In(tx)
		if created, err = add(in, tried); err != nil {
			return err
		}
		return StoreOutgoing(ctx, in, out, tried, created)
	})
	if err != nil {
		return nil, err
	}
	for i, d := range drafts {
		*d.Message = *tried[i].Message
		out[i].Fill()
	}
	return created, nil
}
