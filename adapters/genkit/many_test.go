package genkit_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firebase/genkit/go/ai/exp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/store"
)

// testMany has sixteen goroutines change one snapshot, which none of them has created before: no
// change is lost.
func testMany(t *testing.T, s sessionStore) {
	t.Helper()
	const goroutines, each = 16, 4
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				count(t, s, fmt.Sprint(g, " ", i))
			}
		})
	}
	wg.Wait()
	got := get(t, s, "a")
	require.Equal(t, goroutines*each, got.State.Custom.Counter)
	require.Len(t, got.State.Messages, goroutines*each)
	seen := map[string]bool{}
	for i, m := range got.State.Messages {
		require.Equal(t, got.State.Custom.Topics[i], m.Text(), "both were written together")
		seen[m.Text()] = true
	}
	require.Len(t, seen, goroutines*each)
}

// count adds one to the counter of snapshot a, and a message.
func count(t *testing.T, s exp.SnapshotWriter[custom], text string) {
	t.Helper()
	_, err := s.SaveSnapshot(t.Context(), "a", func(existing *snapshot) (*snapshot, error) {
		next := new(at(1, ""))
		if next.State.Custom.Counter = 0; existing != nil {
			next = existing
		}
		next.State.Custom.Counter++
		next.State.Custom.Topics = append(next.State.Custom.Topics, text)
		next.State.Messages = append(next.State.Messages, turns(text)...)
		return next, nil
	})
	assert.NoError(t, err)
}

// TestManySnapshots has goroutines write snapshots of one session, each its own: all are there, on
// branches of their own, and the latest is the latest.
func TestManySnapshots(t *testing.T) {
	t.Parallel()
	const goroutines = 8
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		save(t, s, "0", say(0, "", "q0"))
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				id := fmt.Sprint(g + 1)
				save(t, s, id, say(g+1, "0", "q0", "a"+id))
				save(t, s, id, say(g+1, "0", "q0", "a"+id, "q"+id))
				beat(t, s, id, epoch)
			})
		}
		wg.Wait()
		for g := range goroutines {
			id := fmt.Sprint(g + 1)
			s.requireSaid(id, "q0", "a"+id, "q"+id)
		}
		require.Equal(t, fmt.Sprint(goroutines), latest(t, s, "s"))
		require.Len(t, s.all(), 1+2*goroutines)
	})
}

// TestProcess has a second process count in one snapshot, and abort another one.
func TestProcess(t *testing.T) {
	t.Parallel()
	const each = 10
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		save(t, s, "p", pending(2, ""))
		ch := s.OnSnapshotStatusChange(t.Context(), "p")
		requireStatus(t, ch, exp.SnapshotStatusPending)
		self, err := os.Executable()
		require.NoError(t, err)
		child := exec.CommandContext(t.Context(), self, "-test.run=^TestChild$", "-test.timeout=2m")
		child.Env = append(os.Environ(), fmt.Sprintf("GENKIT_TEST_CHILD=%t %s", d.SQLite, d.DSN))
		var out []byte
		done := make(chan error, 1)
		go func() {
			var err error
			out, err = child.CombinedOutput()
			done <- err
		}()
		for i := range each {
			count(t, s, fmt.Sprint("parent ", i))
		}
		require.NoError(t, <-done, "%s", out)
		requireStatus(t, ch, exp.SnapshotStatusAborted)
		require.Equal(t, 2*each, get(t, s, "a").State.Custom.Counter)
		require.Len(t, get(t, s, "a").State.Messages, 2*each)
	})
}

// TestChild is what the second process does.
func TestChild(t *testing.T) {
	t.Parallel()
	var d bothtest.Database
	if _, err := fmt.Sscanf(os.Getenv("GENKIT_TEST_CHILD"), "%t %s", &d.SQLite, &d.DSN); err != nil {
		t.Skip("is run by TestProcess")
	}
	s := sessionsOf(d.Store(t))
	for i := range 10 {
		count(t, s, fmt.Sprint("child ", i))
	}
	abort(t, s, "p")
}

// TestRefused has what is no snapshot.
func TestRefused(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		s := newSession(t, d)
		for field, spoil := range map[string]func(snap *snapshot){
			"session_id":   func(snap *snapshot) { snap.SessionID = "" },
			"messages[1]":  func(snap *snapshot) { snap.State.Messages = append(turns("q1"), nil) },
			"UTF-8":        func(snap *snapshot) { snap.SessionID = "\x00" },
			"1008":         func(snap *snapshot) { snap.SessionID = strings.Repeat("x", 1009) },
			"created_at":   func(snap *snapshot) { snap.CreatedAt = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) },
			"heartbeat_at": func(snap *snapshot) { snap.HeartbeatAt = new(time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)) },
		} {
			_, err := s.SaveSnapshot(t.Context(), "a", func(*snapshot) (*snapshot, error) {
				snap := new(say(1, "", "q1"))
				spoil(snap)
				return snap, nil
			})
			require.ErrorContains(t, err, field)
			require.ErrorIs(t, err, store.ErrInvalid)
		}
		for _, id := range []string{"\x00", "\xff", strings.Repeat("x", 1009)} {
			_, err := s.SaveSnapshot(t.Context(), id, func(*snapshot) (*snapshot, error) { return new(say(1, "", "q1")), nil })
			require.ErrorIs(t, err, store.ErrInvalid)
			require.ErrorContains(t, err, "snapshot_id")
			_, err = s.GetLatestSnapshot(t.Context(), id)
			require.ErrorContains(t, err, "session_id")
			require.Nil(t, get(t, s, id))
			requireClosed(t, s.OnSnapshotStatusChange(t.Context(), id))
		}
		_, err := s.SaveSnapshot(t.Context(), "a", nil)
		require.ErrorContains(t, err, "fn")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.SaveSnapshot(ctx, "a", func(*snapshot) (*snapshot, error) { return new(at(1, "")), nil })
		require.ErrorIs(t, err, context.Canceled)
		longest := strings.Repeat("é", 504)
		snap := at(1, "")
		snap.SessionID = longest
		save(t, s, longest, snap)
		require.Equal(t, longest, latest(t, s, longest))
		n := int64(0)
		require.NoError(t, s.st.DB(t.Context()).Table("conversations").Count(&n).Error)
		require.Equal(t, int64(1), n, "nothing is left of what was refused")
	})
}
