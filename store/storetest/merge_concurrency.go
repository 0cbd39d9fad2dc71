package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// atHeir runs fn for a conversation, and for that one's heir if it was merged.
func atHeir(id uuid.UUID, fn func(id uuid.UUID) error) error {
	for {
		err := fn(id)
		var merged *store.MergedError
		if !errors.As(err, &merged) {
			return err
		}
		id = merged.Into
	}
}

// liveOnes returns the contents of each live conversation, by its id.
func liveOnes(t *testing.T, s store.Scope) map[uuid.UUID][]string {
	t.Helper()
	all, err := collect(s.Conversations().All(t.Context(), store.ConversationFilter{}))
	require.NoError(t, err)
	live := map[uuid.UUID][]string{}
	for _, c := range all {
		require.Nil(t, c.MergedIntoID)
		live[c.ID] = contents(CheckConversation(t, s, c.ID))
	}
	return live
}

// appendsAgainstMerge: what is appended while its conversation is merged is in the heir, or said to
// be for it.
func appendsAgainstMerge(t *testing.T, st store.Store) {
	s := st.ForUser(uuid.New())
	from, into := newThread(t, s, 2), newThread(t, s, 2)
	want := contents(append(CheckConversation(t, s, from.ID), CheckConversation(t, s, into.ID)...))
	const writers, each = 7, 6
	for i := range writers {
		for j := range each {
			want = append(want, fmt.Sprint(i, "-", j))
		}
	}
	errs := together(writers+1, func(i int) error {
		if i == writers {
			_, err := s.Conversations().Merge(t.Context(), from.ID, into.ID, store.MoveOptions{})
			return err
		}
		for j := range each {
			m := inbound(fmt.Sprint(i, "-", j))
			if j%2 == 0 {
				m.IdempotencyKey = m.Content
			}
			to := []uuid.UUID{from.ID, into.ID}[(i+j)%2]
			err := atHeir(to, func(id uuid.UUID) error {
				again := *m
				created, err := s.Messages().Append(t.Context(), id, &again)
				if err == nil && !created {
					err = errors.New("it was stored before")
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	live := liveOnes(t, s)
	require.Len(t, live, 1)
	require.ElementsMatch(t, want, live[into.ID])
}

// mergesBothWays: of two that are merged into each other at once, one is the heir.
func mergesBothWays(t *testing.T, st store.Store) {
	for range 5 {
		s := st.ForUser(uuid.New())
		a, b := newThread(t, s, 2).ID, newThread(t, s, 3).ID
		errs := together(8, func(i int) error {
			from, into := a, b
			if i%2 == 1 {
				from, into = b, a
			}
			_, err := s.Conversations().Merge(t.Context(), from, into, store.MoveOptions{})
			var merged *store.MergedError
			if errors.As(err, &merged) && merged.From == into && merged.Into == from {
				return nil
			}
			return err
		})
		require.NoError(t, errors.Join(errs...))
		live := liveOnes(t, s)
		require.Len(t, live, 1)
		for _, ms := range live {
			require.Len(t, ms, 5)
		}
	}
}

// mergesOfMany: eight that merge the same conversations in any order lose nothing, and every
// pointer leads to a live one.
func mergesOfMany(t *testing.T, st store.Store) {
	s := st.ForUser(uuid.New())
	var ids []uuid.UUID
	for range 8 {
		ids = append(ids, newThread(t, s, 2).ID)
	}
	errs := together(8, func(i int) error {
		for j := range ids {
			from, into := ids[(i*3+j*5)%8], ids[(i*5+j*3+1)%8]
			err := atHeir(into, func(into uuid.UUID) error {
				_, err := s.Conversations().Merge(t.Context(), from, into, store.MoveOptions{})
				var merged *store.MergedError
				if errors.Is(err, store.ErrInvalid) || errors.As(err, &merged) && merged.From == from {
					return nil // it is its own heir, or has one
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	total, live := 0, liveOnes(t, s)
	for _, ms := range live {
		total += len(ms)
	}
	require.Equal(t, 16, total)
	for _, id := range ids {
		_, err := s.Conversations().Get(t.Context(), id)
		var merged *store.MergedError
		if errors.As(err, &merged) {
			require.Contains(t, live, merged.Into)
			continue
		}
		require.NoError(t, err)
	}
}

// movesAgainstEdits: a message that is moved while others edit it is in one place, with all edits.
func movesAgainstEdits(t *testing.T, st store.Store) {
	s := st.ForUser(uuid.New())
	rooms := []uuid.UUID{newThread(t, s, 3).ID, newThread(t, s, 0).ID, newThread(t, s, 0).ID}
	var ids []uuid.UUID
	for _, m := range CheckConversation(t, s, rooms[0]) {
		ids = append(ids, m.ID)
	}
	hidden, out := inbound("deleted and restored"), &message.Message{Direction: message.DirectionOutbound, Content: "out"}
	appended(t, s, rooms[0], hidden)
	appended(t, s, rooms[0], out)
	const each = 6
	errs := together(8, func(i int) error {
		for j := range each {
			id := ids[(i+j)%3]
			var err error
			switch {
			case i < 3:
				_, err = s.Messages().Move(t.Context(), append(slices.Clone(ids[:1+(i+j)%3]), out.ID), rooms[(i+j)%3], store.MoveOptions{})
				if _, err := s.Messages().Move(t.Context(), []uuid.UUID{hidden.ID}, rooms[(i+j)%3], store.MoveOptions{}); !errors.Is(err, store.ErrNotFound) && err != nil {
					return err
				}
			case i == 3:
				_, err = s.Messages().Update(t.Context(), id, store.MessageUpdate{Content: new(fmt.Sprint(j))})
			case i == 4:
				_, err = s.Messages().Vote(t.Context(), id, message.Vote{Voter: fmt.Sprint(j), Value: message.VoteUp})
			case i == 5:
				err = there(s.Messages().Delete(t.Context(), hidden.ID))
				err = errors.Join(err, there(s.Messages().Restore(t.Context(), hidden.ID)))
			case i == 6:
				e := &message.OutboxEntry{MessageID: out.ID, Channel: "mail"}
				err = s.Deliveries().Enqueue(t.Context(), e)
				err = errors.Join(err, there(s.Deliveries().Cancel(t.Context(), e.ID)))
			default:
				_, err = s.Messages().MergeMetadata(t.Context(), id, message.MustJSON(map[string]int{fmt.Sprint(i, "-", j): 1}))
			}
			if err != nil {
				return fmt.Errorf("%d-%d: %w", i, j, err)
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	edits, changes := 0, map[uuid.UUID]int64{}
	for _, id := range ids {
		m, err := s.Messages().Get(t.Context(), id)
		require.NoError(t, err)
		var doc map[string]int
		require.NoError(t, m.Metadata.Decode(&doc))
		edits += len(doc)
		changes[m.ConversationID] = max(changes[m.ConversationID], m.ChangeSeq)
	}
	require.Equal(t, each, edits)
	for id, change := range changes {
		c, err := s.Conversations().Get(t.Context(), id)
		require.NoError(t, err)
		require.GreaterOrEqual(t, c.LastChangeSeq, change, "a tail would miss a change")
	}
}

func there[T any](_ T, err error) error { return err }

// testTailOfMerged: the tail of a conversation ends when it is merged, and says where it went.
func testTailOfMerged(t *testing.T, w *world) {
	from, into := w.mailed(t, at(1, "a")), w.mailed(t, at(2, "b"))
	tail := func(c *conversation.Conversation) *followed[store.Change] {
		return follow(t, func(ctx context.Context) iter.Seq2[store.Change, error] {
			return w.mine.Messages().Tail(ctx, c.ID, store.PositionOf(c), store.TailOptions{Every: everyLook})
		})
	}
	source, heir := tail(from), tail(into)
	watch := follow(t, func(ctx context.Context) iter.Seq2[store.ConversationChange, error] {
		return w.mine.Conversations().Watch(ctx, store.WatchOptions{Since: epoch, Every: everyLook})
	})
	for range 2 {
		watch.next()
	}
	w.tick()
	w.merge(t, from, into)
	got := heir.next()
	require.Equal(t, store.ChangeAppended, got.Kind)
	require.Equal(t, "a", got.Message.Content)
	require.Equal(t, store.Position{Seq: 2}, got.Position)
	mergedInto(t, source.end(), from.ID, into.ID)
	seen := map[uuid.UUID]*uuid.UUID{}
	for range 2 {
		c := watch.next().Conversation
		seen[c.ID] = c.MergedIntoID
	}
	require.Equal(t, map[uuid.UUID]*uuid.UUID{from.ID: &into.ID, into.ID: nil}, seen)
	_, err := collect(w.mine.Messages().Tail(t.Context(), from.ID, store.Position{Seq: 1}, store.TailOptions{Once: true}))
	mergedInto(t, err, from.ID, into.ID)
}

// testTailOfMoved: what has moved is deleted where it was and appended where it is.
func testTailOfMoved(t *testing.T, w *world) {
	from, into := w.thread(t, 3), w.thread(t, 1)
	m := w.messageOf(t, from, "2")
	must[*message.Message](t)(w.mine.Messages().Update(t.Context(), m.ID, store.MessageUpdate{Content: new("edited")}))
	from = w.get(t, from.ID)
	w.move(t, into, m)
	for c, want := range map[*conversation.Conversation]store.ChangeKind{from: store.ChangeDeleted, into: store.ChangeAppended} {
		changes, err := collect(w.mine.Messages().Tail(t.Context(), c.ID, store.PositionOf(c), store.TailOptions{Once: true}))
		require.NoError(t, err)
		require.Len(t, changes, 1)
		require.Equal(t, want, changes[0].Kind)
		require.Equal(t, int64(2), changes[0].Message.Seq)
		require.Equal(t, store.PositionOf(w.get(t, c.ID)), changes[0].Position)
	}
}
