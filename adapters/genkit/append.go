package genkit

import (
	"bytes"
	"context"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/ai/exp"
	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// appended appends the messages that are not on the trail yet, and the event if there is one, and
// returns the trail that has them. Nothing may have been appended since c was read.
func (w *writer[State]) appended(
	ctx context.Context, sc store.Scope, c *conversation.Conversation, base trail, next *exp.SessionSnapshot[State], event *message.Message,
) (trail, error) {
	t, known, err := w.place(ctx, sc, c.ID, base, next)
	if err != nil {
		return trail{}, err
	}
	var ms []*message.Message
	if next.State != nil {
		for _, m := range next.State.Messages[known:] {
			stored, err := ToMessage(m)
			if err != nil {
				return trail{}, err
			}
			ms = append(ms, stored)
		}
	}
	if event != nil {
		ms = append(ms, event)
	}
	if len(ms) == 0 {
		return t, nil
	}
	follows := head(c)
	if ms[0].ParentSeq, err = w.parent(ctx, sc, c, t.Tip); err != nil {
		return trail{}, err
	}
	if ms[0].ParentSeq != nil {
		follows = *ms[0].ParentSeq
	}
	created, err := sc.Messages().AppendMany(ctx, c.ID, ms, store.AppendOptions{ExpectedSeq: &c.LastSeq})
	if err != nil {
		return trail{}, gone(err)
	}
	if !created[len(ms)-1] || ms[0].Parent() != follows {
		return trail{}, errMoved // somebody has created the snapshot, or moved the head
	}
	t.Tip = ms[len(ms)-1].Seq
	return t, nil
}

// place says how many of the messages are on the base already, and returns the trail of all of
// them with the last of those as its tip. A snapshot without a state is on the base as it is.
func (w *writer[State]) place(ctx context.Context, sc store.Scope, conversationID uuid.UUID, base trail, next *exp.SessionSnapshot[State]) (trail, int, error) {
	if next.State == nil {
		return base, 0, nil
	}
	t := trail{Tip: base.Tip, Count: len(w.canonical), Hash: digest(w.canonical)}
	if n := base.Count; n >= 0 && n <= len(w.canonical) && bytes.Equal(base.Hash, digest(w.canonical[:n])) {
		return t, n, nil
	}
	// The history was rewritten, or messages were edited or deleted since the base was written.
	path, err := readPath(ctx, sc, conversationID, base.Tip, func(*message.Message) {})
	if err != nil {
		return trail{}, 0, err
	}
	stored, err := canonicalsOf(path)
	if err != nil {
		return trail{}, 0, err
	}
	n := 0
	for n < min(len(stored), len(w.canonical)) && bytes.Equal(stored[n], w.canonical[n]) {
		n++
	}
	switch {
	case n == len(path):
	case n == 0:
		t.Tip = 0
	default:
		t.Tip = path[n-1].seq
	}
	return t, n, nil
}

func canonicalsOf(path []entry) ([][]byte, error) {
	ms := make([]*ai.Message, len(path))
	for i, e := range path {
		ms[i] = e.message
	}
	return canonicals(ms)
}

// parent is what the first new message names as its parent, nil for the head of the conversation:
// if nothing of Genkit's has followed the tip, what others have written since stays on the path.
func (w *writer[State]) parent(ctx context.Context, sc store.Scope, c *conversation.Conversation, tip int64) (*int64, error) {
	if tip == head(c) {
		return nil, nil //nolint:nilnil // the head
	}
	if on, err := onPath(ctx, sc, c, tip); err != nil || !on {
		return &tip, err
	}
	for m, err := range sc.Messages().All(ctx, c.ID, store.MessageFilter{AfterSeq: tip}) {
		if err != nil {
			return nil, err
		}
		if m.PayloadFormat == PayloadFormat {
			return &tip, nil
		}
	}
	return nil, nil //nolint:nilnil // the head
}

// onPath says whether a seq is on the path of the head.
func onPath(ctx context.Context, sc store.Scope, c *conversation.Conversation, seq int64) (bool, error) {
	if seq == 0 || !c.Branched {
		return true, nil
	}
	siblings, err := sc.Messages().Branches(ctx, c.ID, seq)
	if err != nil {
		return false, err
	}
	for _, b := range siblings {
		if b.Seq == seq {
			return b.OnPath, nil
		}
	}
	return false, nil
}
