package genkit

import (
	"context"

	"github.com/firebase/genkit/go/ai/exp"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// OnSnapshotStatusChange returns a channel with the status that a snapshot has now and then each
// that it gets, whichever process writes it: a reader who is slow gets the latest alone. The
// channel is closed when ctx ends, when the session is deleted or the store closed, and at once if
// there is no such snapshot.
//
// It is a tail of the conversation, so that a change is seen as soon as a doorbell rings, or else
// within Options.Every: see docs/chat-tail.md.
func (s *SessionStore[State]) OnSnapshotStatusChange(ctx context.Context, snapshotID string) <-chan exp.SnapshotStatus {
	ch := make(chan exp.SnapshotStatus, 1)
	sc := s.st.ForUser(s.tenant(ctx))
	from, f, err := s.position(ctx, sc, snapshotID)
	if err != nil || f == nil {
		close(ch)
		return ch
	}
	ch <- f.doc.Snapshot.Status
	go s.notify(ctx, sc, f, from, ch)
	return ch
}

// position returns a snapshot, nil if there is none, and where its conversation stood before it
// was read.
func (s *SessionStore[State]) position(ctx context.Context, sc store.Scope, snapshotID string) (store.Position, *found[State], error) {
	event, err := sc.Messages().Get(ctx, s.eventID(snapshotID))
	if err != nil {
		return store.Position{}, nil, err
	}
	c, err := sc.Conversations().Get(ctx, event.ConversationID)
	if err != nil {
		return store.Position{}, nil, err
	}
	f, err := s.find(ctx, sc, snapshotID)
	return store.PositionOf(c), f, err
}

func (s *SessionStore[State]) notify(ctx context.Context, sc store.Scope, f *found[State], from store.Position, ch chan exp.SnapshotStatus) {
	defer close(ch)
	last := f.doc.Snapshot.Status
	for change, err := range sc.Messages().Tail(ctx, f.conversation, from, store.TailOptions{Every: s.o.Every}) {
		if err != nil {
			return
		}
		if change.Message == nil || change.Message.ID != f.event {
			continue
		}
		if status := statusOf(change.Message); status != "" && status != last {
			last = status
			replace(ch, status)
		}
	}
}

// replace puts a status in the place of one that nobody has read. There is no other sender.
func replace(ch chan exp.SnapshotStatus, status exp.SnapshotStatus) {
	select {
	case <-ch:
	default:
	}
	ch <- status
}

// statusOf reads the mark of an event, "" if somebody has taken it away.
func statusOf(event *message.Message) exp.SnapshotStatus {
	var m mark
	if event.Metadata.Decode(&m) != nil {
		return ""
	}
	return m.Status
}
