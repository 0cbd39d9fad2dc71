package genkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/firebase/genkit/go/ai/exp"
	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// SaveSnapshot reads the snapshot with this id, nil if there is none, and stores what fn makes of
// it, as exp.SnapshotWriter says. Concurrent calls for one id all take effect, one after the
// other: fn is called again, with what another call has stored, until nothing came in between.
//
// The session is that of the stored snapshot. A new snapshot whose session is not there creates
// its conversation. One with the id of a snapshot that was deleted, and one in a session that was
// deleted, is store.ErrConflict: erase the conversation to use its ids again.
func (s *SessionStore[State]) SaveSnapshot(
	ctx context.Context, snapshotID string, fn func(existing *exp.SessionSnapshot[State]) (*exp.SessionSnapshot[State], error),
) (*exp.SessionSnapshot[State], error) {
	if fn == nil {
		return nil, fmt.Errorf("genkit: save snapshot: %w", errEmpty("fn"))
	}
	if snapshotID == "" {
		snapshotID = uuid.NewString()
	}
	if err := checkID("snapshot_id", snapshotID); err != nil {
		return nil, fmt.Errorf("genkit: save snapshot: %w", err)
	}
	w := &writer[State]{s: s, tenant: s.tenant(ctx), id: snapshotID}
	for {
		done, err := w.try(ctx, fn)
		if done || err != nil && !w.again(err) {
			return w.next, err
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("genkit: save snapshot %q: %w", snapshotID, err)
		}
	}
}

// writer writes one snapshot.
type writer[State any] struct {
	s      *SessionStore[State]
	tenant uuid.UUID
	id     string
	taken  bool // an append was told once that the id of the event is taken

	existing *found[State]
	next     *exp.SessionSnapshot[State]
	// stored are the messages of existing before fn could change them, and canonical those of next.
	stored, canonical [][]byte
}

// errMoved says that something came in between.
var errMoved = errors.New("genkit: the session has moved on")

// again says whether an error is one of somebody who was quicker.
func (w *writer[State]) again(err error) bool {
	var taken *store.TakenError
	if errors.As(err, &taken) && !taken.Message.Deleted() && !w.taken {
		w.taken = true
		return true
	}
	var version *store.VersionConflictError
	var seq *store.SeqConflictError
	return errors.Is(err, errMoved) || errors.As(err, &version) || errors.As(err, &seq)
}

// try is done if fn failed or declined, whose error is returned as it is, and if all is stored.
func (w *writer[State]) try(ctx context.Context, fn func(existing *exp.SessionSnapshot[State]) (*exp.SessionSnapshot[State], error)) (done bool, err error) {
	w.next = nil
	if w.existing, err = w.find(ctx); err != nil {
		return false, fmt.Errorf("genkit: save snapshot %q: %w", w.id, err)
	}
	next, err := fn(w.existing.snapshot())
	if err != nil || next == nil {
		return true, err
	}
	if err = w.settle(next); err == nil {
		err = w.write(ctx, next)
	}
	if err != nil {
		return false, fmt.Errorf("genkit: save snapshot %q: %w", w.id, err)
	}
	w.next = next
	return true, nil
}

func (w *writer[State]) find(ctx context.Context) (*found[State], error) {
	sc := w.s.st.ForUser(w.tenant)
	f, err := w.s.find(ctx, sc, w.id)
	if err == nil && f != nil {
		err = f.read(ctx, sc)
	}
	if f, err = present(f, err); err != nil || f == nil {
		return nil, err
	}
	w.stored, err = canonicalsOf(f.path)
	return f, err
}

// settle sets what belongs to the store.
func (w *writer[State]) settle(next *exp.SessionSnapshot[State]) (err error) {
	next.SnapshotID = w.id
	if w.existing != nil {
		// fn may have changed the one that it was given, so the stored one is decoded again.
		if w.existing.doc, err = decode[State](w.existing.value); err != nil {
			return err
		}
		next.SessionID = w.existing.doc.Snapshot.SessionID
	}
	if err := checkID("session_id", next.SessionID); err != nil {
		return err
	}
	for field, t := range map[string]*time.Time{"created_at": &next.CreatedAt, "updated_at": &next.UpdatedAt, "heartbeat_at": next.HeartbeatAt} {
		if t != nil && (t.Year() < 0 || t.Year() > 9999) {
			return rule.Invalid(field, "is outside of the years 0 to 9999")
		}
	}
	if next.Status == "" {
		next.Status = exp.SnapshotStatusCompleted
	}
	w.canonical = nil
	if next.State != nil {
		w.canonical, err = canonicals(next.State.Messages)
	}
	return err
}

func (w *writer[State]) write(ctx context.Context, next *exp.SessionSnapshot[State]) error {
	if w.existing == nil {
		return w.s.st.Transaction(ctx, func(tx store.Store) error { return w.create(ctx, tx.ForUser(w.tenant), next) })
	}
	kept := w.kept(next)
	old := w.existing.doc.Snapshot
	if kept && next.Status == old.Status && next.CreatedAt.Equal(old.CreatedAt) {
		return w.merge(ctx, w.s.st.ForUser(w.tenant), next, newChange(w.existing.conversation, w.existing.doc.Trail))
	}
	return w.s.st.Transaction(ctx, func(tx store.Store) error { return w.rewrite(ctx, tx.ForUser(w.tenant), next, kept) })
}

// kept says whether the messages are those that are stored.
func (w *writer[State]) kept(next *exp.SessionSnapshot[State]) bool {
	if next.State == nil {
		return true
	}
	return w.existing.doc.Snapshot.State != nil && slices.EqualFunc(w.stored, w.canonical, bytes.Equal)
}

func (w *writer[State]) create(ctx context.Context, sc store.Scope, next *exp.SessionSnapshot[State]) error {
	c := &conversation.Conversation{App: w.s.o.App, ExternalKey: ExternalKey(w.s.o.App, next.SessionID)}
	if _, err := sc.Conversations().GetOrCreate(ctx, c); err != nil {
		return err
	}
	latest, version, err := readPointer(ctx, sc, c.ID)
	if err != nil {
		return err
	}
	base, err := w.base(ctx, sc, c, next.ParentID)
	if err != nil {
		return err
	}
	event, err := newEvent(w.s.eventID(w.id), w.id, next.Status)
	if err != nil {
		return err
	}
	t, err := w.appended(ctx, sc, c, base, next, event)
	if err != nil {
		return err
	}
	ch := newChange(c.ID, t)
	if err := w.prune(ctx, sc, next.ParentID, ch); err != nil {
		return err
	}
	if own := (pointer{w.id, next.CreatedAt}); version == 0 || latest.before(own) {
		if err := ch.point(own, version); err != nil {
			return err
		}
	}
	return w.merge(ctx, sc, next, ch)
}

// base is the trail that a new snapshot goes on from: that of its parent, or the path that the
// conversation shows.
func (w *writer[State]) base(ctx context.Context, sc store.Scope, c *conversation.Conversation, parentID string) (trail, error) {
	if parentID != "" && parentID != w.id {
		parent, err := w.s.load(ctx, sc, c.ID, parentID)
		if err == nil {
			return parent.doc.Trail, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return trail{}, err
		}
	}
	return trail{Tip: head(c), Count: -1}, nil
}

func head(c *conversation.Conversation) int64 {
	if c.HeadSeq != nil {
		return *c.HeadSeq
	}
	return c.LastSeq
}

// rewrite changes a snapshot that is there.
func (w *writer[State]) rewrite(ctx context.Context, sc store.Scope, next *exp.SessionSnapshot[State], kept bool) error {
	old, t := w.existing.doc.Snapshot, w.existing.doc.Trail
	if !kept {
		c, err := sc.Conversations().Get(ctx, w.existing.conversation)
		if err != nil {
			return gone(err)
		}
		if t, err = w.appended(ctx, sc, c, t, next, nil); err != nil {
			return err
		}
	}
	if next.Status != old.Status {
		patch, err := message.ToJSON(mark{Status: next.Status})
		if err != nil {
			return err
		}
		if _, err := sc.Messages().MergeMetadata(ctx, w.existing.event, patch); err != nil {
			return gone(err)
		}
	}
	ch := newChange(w.existing.conversation, t)
	if !next.CreatedAt.Equal(old.CreatedAt) {
		if err := w.repoint(ctx, sc, next, ch); err != nil {
			return err
		}
	}
	return w.merge(ctx, sc, next, ch)
}

// gone takes a session that was deleted in between for one that has moved on.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errMoved
	}
	return err
}

// repoint finds the latest snapshot of a session where one has another CreatedAt than before,
// which Genkit asks nobody to do.
func (w *writer[State]) repoint(ctx context.Context, sc store.Scope, next *exp.SessionSnapshot[State], ch *change) error {
	_, version, err := readPointer(ctx, sc, w.existing.conversation)
	if err != nil {
		return err
	}
	all, err := w.s.pointers(ctx, sc, w.existing.conversation)
	if err != nil {
		return err
	}
	best := pointer{w.id, next.CreatedAt}
	for _, p := range all {
		if p.ID != w.id && best.before(p) {
			best = p
		}
	}
	return ch.point(best, version)
}

// change is what is written beside the messages: where they are, and states of the conversation.
type change struct {
	conversation uuid.UUID
	trail        trail
	states       store.StateMap
	expected     map[string]int64
}

func newChange(conversationID uuid.UUID, t trail) *change {
	return &change{conversationID, t, store.StateMap{}, map[string]int64{}}
}

// point names the latest snapshot, unless somebody else did since.
func (c *change) point(p pointer, version int64) error {
	doc, err := message.ToJSON(p)
	c.states[latestKey], c.expected[latestKey] = conversation.Value(doc), version
	return err
}

// merge writes the state of the snapshot, with the others of a change.
func (w *writer[State]) merge(ctx context.Context, sc store.Scope, next *exp.SessionSnapshot[State], c *change) error {
	doc, err := encode(next, c.trail)
	if err != nil {
		return err
	}
	if w.existing != nil {
		if len(c.states) == 0 && bytes.Equal(doc, w.existing.value) {
			return nil
		}
		c.expected[snapshotPrefix+w.id] = w.existing.version
	}
	c.states[snapshotPrefix+w.id] = doc
	_, err = sc.States().Merge(ctx, store.ConversationState(c.conversation), c.states, store.MergeOptions{Expected: c.expected})
	return gone(err)
}
