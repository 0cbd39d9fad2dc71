package genkit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/ai/exp"
	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// GetSnapshot returns a snapshot, or nil if there is none with this id, as there is not once its
// session is deleted or erased.
func (s *SessionStore[State]) GetSnapshot(ctx context.Context, snapshotID string) (*exp.SessionSnapshot[State], error) {
	sc := s.st.ForUser(s.tenant(ctx))
	f, err := s.find(ctx, sc, snapshotID)
	if err == nil && f != nil {
		err = f.read(ctx, sc)
	}
	if f, err = present(f, err); err != nil {
		return nil, fmt.Errorf("genkit: get snapshot %q: %w", snapshotID, err)
	}
	return f.snapshot(), nil
}

// GetLatestSnapshot returns the snapshot of a session with the latest CreatedAt, of several the one
// with the highest id, or nil if there is none. An id that no session can have is a
// *store.InvalidError.
func (s *SessionStore[State]) GetLatestSnapshot(ctx context.Context, sessionID string) (*exp.SessionSnapshot[State], error) {
	if err := checkID("session_id", sessionID); err != nil {
		return nil, fmt.Errorf("genkit: get latest snapshot: %w", err)
	}
	sc := s.st.ForUser(s.tenant(ctx))
	f, err := s.latest(ctx, sc, sessionID)
	if f, err = present(f, err); err != nil {
		return nil, fmt.Errorf("genkit: get latest snapshot of session %q: %w", sessionID, err)
	}
	return f.snapshot(), nil
}

func (s *SessionStore[State]) latest(ctx context.Context, sc store.Scope, sessionID string) (*found[State], error) {
	c, err := sc.Conversations().GetByExternalKey(ctx, ExternalKey(s.o.App, sessionID))
	if err != nil {
		return nil, err
	}
	p, _, err := readPointer(ctx, sc, c.ID)
	if err != nil || p.ID == "" {
		return nil, err
	}
	f, err := s.load(ctx, sc, c.ID, p.ID)
	if err == nil {
		err = f.read(ctx, sc)
	}
	if err == nil {
		err = f.marked(ctx, sc)
	}
	if errors.Is(err, store.ErrNotFound) {
		return s.latestOf(ctx, sc, c.ID)
	}
	return f, err
}

// latestOf looks through all snapshots of a session, for one whose latest has been taken back: its
// event was deleted, as TruncateAfter does it with what follows a message.
func (s *SessionStore[State]) latestOf(ctx context.Context, sc store.Scope, conversationID uuid.UUID) (*found[State], error) {
	all, err := s.pointers(ctx, sc, conversationID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b pointer) int {
		if a.before(b) {
			return 1
		}
		return -1
	})
	for _, p := range all {
		f, err := s.find(ctx, sc, p.ID)
		if err != nil {
			return nil, err
		}
		if f != nil && f.conversation == conversationID {
			err = f.read(ctx, sc)
			return f, err
		}
	}
	return nil, nil //nolint:nilnil // all were taken back
}

// pointers returns all snapshots of a session.
func (s *SessionStore[State]) pointers(ctx context.Context, sc store.Scope, conversationID uuid.UUID) (all []pointer, err error) {
	f := store.StateFilter{Prefix: snapshotPrefix, Limit: store.MaxLimit}
	for {
		page, err := sc.States().List(ctx, store.ConversationState(conversationID), f)
		if err != nil || len(page) == 0 {
			return all, err
		}
		for _, state := range page {
			d, err := decode[State](state.Value)
			if err != nil {
				return nil, fmt.Errorf("decode state %q: %w", state.Key, err)
			}
			all = append(all, pointer{d.Snapshot.SnapshotID, d.Snapshot.CreatedAt})
		}
		f.After = page[len(page)-1].Key
	}
}

// found is a snapshot as it is stored.
type found[State any] struct {
	conversation uuid.UUID
	// event is the id of the message that marks it.
	event   uuid.UUID
	doc     document[State]
	value   []byte
	version int64
	// path has the messages, if there is a state that they belong to.
	path []entry
	// onPath says that the event is on the path.
	onPath bool
}

// snapshot returns what is to be handed out, nil for no snapshot.
func (f *found[State]) snapshot() *exp.SessionSnapshot[State] {
	if f == nil {
		return nil
	}
	return f.doc.Snapshot
}

// present takes what is not there for no snapshot.
func present[State any](f *found[State], err error) (*found[State], error) {
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // Genkit's contract: nil is not found
	}
	return f, err
}

// find returns a snapshot without its messages, or nil.
func (s *SessionStore[State]) find(ctx context.Context, sc store.Scope, snapshotID string) (*found[State], error) {
	if !isID(snapshotID) {
		return nil, nil //nolint:nilnil // nobody can have it
	}
	event, err := sc.Messages().Get(ctx, s.eventID(snapshotID))
	if err != nil {
		return present[State](nil, err)
	}
	f, err := s.load(ctx, sc, event.ConversationID, snapshotID)
	if !errors.Is(err, store.ErrNotFound) {
		return f, err
	}
	// Both are written in one transaction, so that somebody has erased the session in between or
	// removed the state by itself.
	if _, err := sc.Messages().Get(ctx, event.ID); err != nil {
		return present[State](nil, err)
	}
	return nil, fmt.Errorf("its state %q is gone: %w", snapshotPrefix+snapshotID, store.ErrConflict)
}

func (s *SessionStore[State]) load(ctx context.Context, sc store.Scope, conversationID uuid.UUID, snapshotID string) (*found[State], error) {
	state, err := sc.States().Get(ctx, store.ConversationState(conversationID), snapshotPrefix+snapshotID)
	if err != nil {
		return nil, err
	}
	f := &found[State]{conversation: conversationID, event: s.eventID(snapshotID), value: state.Value, version: state.Version}
	if f.doc, err = decode[State](state.Value); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return f, nil
}

// read adds the messages, if there is a state that they belong to.
func (f *found[State]) read(ctx context.Context, sc store.Scope) (err error) {
	state := f.doc.Snapshot.State
	if state == nil {
		return nil
	}
	each := func(m *message.Message) { f.onPath = f.onPath || m.ID == f.event }
	if f.path, err = readPath(ctx, sc, f.conversation, f.doc.Trail.Tip, each); err != nil {
		return err
	}
	for _, e := range f.path {
		state.Messages = append(state.Messages, e.message)
	}
	return nil
}

// marked returns store.ErrNotFound if the event was deleted.
func (f *found[State]) marked(ctx context.Context, sc store.Scope) error {
	if f.onPath {
		return nil
	}
	_, err := sc.Messages().Get(ctx, f.event)
	return err
}

// entry is a message of a snapshot with its place in the conversation.
type entry struct {
	seq     int64
	message *ai.Message
}

// readPath returns the messages of Genkit's on the path that ends with a seq, those of 0 being
// none, and calls each for every message that it sees.
func readPath(ctx context.Context, sc store.Scope, conversationID uuid.UUID, tip int64, each func(*message.Message)) (path []entry, err error) {
	p := store.PageRequest{Limit: store.MaxLimit}
	for tip > 0 {
		page, err := sc.Messages().Path(ctx, conversationID, tip, p)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Items {
			each(m)
			if m.PayloadFormat != PayloadFormat {
				continue
			}
			own, err := FromMessage(m)
			if err != nil {
				return nil, err
			}
			path = append(path, entry{m.Seq, own})
		}
		if p.After = page.Next; p.After == "" {
			break
		}
	}
	return path, nil
}

func readPointer(ctx context.Context, sc store.Scope, conversationID uuid.UUID) (p pointer, version int64, err error) {
	state, err := sc.States().Get(ctx, store.ConversationState(conversationID), latestKey)
	if errors.Is(err, store.ErrNotFound) {
		return pointer{}, 0, nil
	}
	if err != nil {
		return pointer{}, 0, err
	}
	doc := message.JSON(state.Value)
	err = doc.Decode(&p)
	return p, state.Version, err
}
