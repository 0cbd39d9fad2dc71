package genkit_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/ai/exp"
	"github.com/firebase/genkit/go/ai/exp/localstore"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/bothtest"
)

// testManySessions has goroutines create snapshots with one id in sessions of their own: the first
// one counts, and the others change that.
func testManySessions(t *testing.T, s sessionStore) {
	t.Helper()
	const goroutines = 8
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			_, err := s.SaveSnapshot(t.Context(), "a", func(existing *snapshot) (*snapshot, error) {
				next := new(at(1, ""))
				if next.SessionID, next.State.Custom.Counter = fmt.Sprint(g), 0; existing != nil {
					next = existing
				}
				next.State.Custom.Counter++
				return next, nil
			})
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	got := get(t, s, "a")
	require.Equal(t, goroutines, got.State.Custom.Counter)
	for g := range goroutines {
		want := ""
		if got.SessionID == fmt.Sprint(g) {
			want = "a"
		}
		require.Equal(t, want, latest(t, s, fmt.Sprint(g)))
	}
}

// TestInPlace has functions that change the snapshot that they are given. Genkit's store in memory
// takes what they have changed for what was stored.
func TestInPlace(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		save(t, s, "a", pending(1, ""))
		ch := s.OnSnapshotStatusChange(t.Context(), "a")
		requireStatus(t, ch, exp.SnapshotStatusPending)
		change := func(in func(*snapshot)) {
			_, err := s.SaveSnapshot(t.Context(), "a", func(existing *snapshot) (*snapshot, error) {
				in(existing)
				return existing, nil
			})
			require.NoError(t, err)
		}
		change(func(snap *snapshot) { snap.SessionID = "other" })
		require.Equal(t, "s", get(t, s, "a").SessionID)
		change(func(snap *snapshot) {
			snap.Status, snap.State = exp.SnapshotStatusFailed, &state{Messages: turns("q1")}
		})
		requireStatus(t, ch, exp.SnapshotStatusFailed)
		change(func(snap *snapshot) { snap.State.Messages[0].Content[0].Text = "q2" })
		s.requireSaid("a", "q2")
		change(func(snap *snapshot) { snap.State = nil })
		require.Nil(t, get(t, s, "a").State)
	})
}

// TestInBetween has somebody create the snapshot while another one is about to.
func TestInBetween(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		calls := 0
		_, err := s.SaveSnapshot(t.Context(), "a", func(existing *snapshot) (*snapshot, error) {
			if calls++; existing == nil {
				save(t, s, "a", say(1, "", "q1"))
				return new(say(1, "", "q2")), nil
			}
			existing.State.Messages = append(existing.State.Messages, turns("q2")...)
			return existing, nil
		})
		require.NoError(t, err)
		require.Equal(t, 2, calls)
		s.requireSaid("a", "q1", "q2")
		require.Equal(t, []string{"q1", "q2"}, contents(s.all()))
	})
}

// TestCreatedAgain changes the times of snapshots, which Genkit asks nobody to do: the latest is the
// latest all the same, as it is in memory.
func TestCreatedAgain(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, s sessionStore) {
		t.Helper()
		for i, id := range []string{"c", "b", "a"} {
			save(t, s, id, at(i, ""))
		}
		save(t, s, "c", at(9, ""))
		require.Equal(t, "c", latest(t, s, "s"))
		save(t, s, "c", at(-1, ""))
		require.Equal(t, "a", latest(t, s, "s"))
		save(t, s, "b", at(2, ""))
		require.Equal(t, "b", latest(t, s, "s"), "a tie")
	}
	test(t, localstore.NewInMemorySessionStore[custom]())
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) { test(t, newSession(t, d)) })
}

// TestNumbers has a message that is not what it was once it was decoded: it stays where it is.
func TestNumbers(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		first := at(1, "")
		first.State.Messages = []*ai.Message{ai.NewModelMessage(
			ai.NewToolRequestPart(&ai.ToolRequest{Name: "n", Input: map[string]any{"n": 9007199254740993}}), ai.NewDataPart(""), ai.NewReasoningPart("", nil))}
		save(t, s, "a", first)
		require.Contains(t, string(s.thread()[0].Payload), "9007199254740993")
		save(t, s, "a", first)
		require.Len(t, s.all(), 1)
		read := get(t, s, "a")
		read.ParentID, read.CreatedAt = "a", epoch.Add(time.Hour)
		read.State.Messages = append(read.State.Messages, turns("q2")...)
		save(t, s, "b", *read)
		require.Len(t, s.all(), 2)
		require.False(t, s.conversation().Branched)
		require.Equal(t, read.State.Messages[0], get(t, s, "b").State.Messages[0])
		_, err := s.mine.Messages().Delete(t.Context(), s.thread()[1].ID)
		require.NoError(t, err)
		again := at(9, "b")
		again.State.Messages = slices.Concat(first.State.Messages, turns("q3"))
		save(t, s, "c", again)
		require.Len(t, s.all(), 3, "compared with what is read")
	})
}
