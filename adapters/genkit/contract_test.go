package genkit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/ai/exp"
	"github.com/firebase/genkit/go/ai/exp/localstore"
	"github.com/firebase/genkit/go/core"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/adapters/genkit"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// custom is the state of an agent.
type custom struct {
	Counter int      `json:"counter"`
	Topics  []string `json:"topics,omitempty"`
}

type (
	snapshot = exp.SessionSnapshot[custom]
	state    = exp.SessionState[custom]
)

// sessionStore is what an agent asks of a store that it can detach with.
type sessionStore interface {
	exp.SessionStore[custom]
	exp.SnapshotSubscriber
}

var owner = store.TenantID("ann")

func ann(context.Context) uuid.UUID { return owner }

func open(t testing.TB, d bothtest.Database) store.Store {
	t.Helper()
	return d.Store(t, convostore.WithMigrate(migrate.Options{}))
}

func sessionsOf(st store.Store) sessionStore {
	return genkit.NewSessionStore[custom](st, ann, genkit.Options{App: "travel", Every: 20 * time.Millisecond})
}

// TestContract holds Genkit's own stores and both databases to the same: they have to behave alike.
func TestContract(t *testing.T) {
	t.Parallel()
	facts := []struct {
		name string
		test func(t *testing.T, s sessionStore)
	}{
		{"Save", testSave},
		{"Decline", testDecline},
		{"SessionIDs", testSessionIDs},
		{"Latest", testLatest},
		{"Heartbeat", testHeartbeat},
		{"Whole", testWhole},
		{"Abort", testAbort},
		{"Subscribe", testSubscribe},
		{"Many", testMany},
		{"ManySessions", testManySessions},
	}
	run := func(t *testing.T, newStore func(t *testing.T) sessionStore) {
		t.Helper()
		for _, f := range facts {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				f.test(t, newStore(t))
			})
		}
	}
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		run(t, func(*testing.T) sessionStore { return localstore.NewInMemorySessionStore[custom]() })
	})
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		run(t, func(t *testing.T) sessionStore {
			t.Helper()
			s, err := localstore.NewFileSessionStore[custom](t.TempDir())
			require.NoError(t, err)
			return s
		})
	})
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		run(t, func(*testing.T) sessionStore {
			user := uuid.New()
			return genkit.NewSessionStore[custom](st, func(context.Context) uuid.UUID { return user }, genkit.Options{})
		})
	})
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("", 3600))

// save stores a snapshot whatever is there.
func save(t testing.TB, s exp.SnapshotWriter[custom], id string, snap snapshot) *snapshot {
	t.Helper()
	saved, err := s.SaveSnapshot(t.Context(), id, func(*snapshot) (*snapshot, error) {
		copied := snap
		return &copied, nil
	})
	require.NoError(t, err)
	require.NotNil(t, saved)
	return saved
}

// at is a completed snapshot of session s, so many seconds after the epoch.
func at(seconds int, parent string) snapshot {
	when := epoch.Add(time.Duration(seconds) * time.Second)
	return snapshot{SessionID: "s", ParentID: parent, State: &state{SessionID: "s", Custom: custom{Counter: seconds}}, CreatedAt: when, UpdatedAt: when}
}

func get(t testing.TB, s exp.SnapshotReader[custom], id string) *snapshot {
	t.Helper()
	got, err := s.GetSnapshot(t.Context(), id)
	require.NoError(t, err)
	return got
}

func latest(t testing.TB, s exp.SnapshotReader[custom], sessionID string) string {
	t.Helper()
	got, err := s.GetLatestSnapshot(t.Context(), sessionID)
	require.NoError(t, err)
	if got == nil {
		return ""
	}
	return got.SnapshotID
}

// abort does what an agent does to abort a detached invocation.
func abort(t testing.TB, s exp.SnapshotWriter[custom], id string) exp.SnapshotStatus {
	t.Helper()
	saved, err := s.SaveSnapshot(t.Context(), id, func(existing *snapshot) (*snapshot, error) {
		if existing == nil || existing.Status != exp.SnapshotStatusPending {
			return existing, nil
		}
		updated := *existing
		updated.Status, updated.UpdatedAt = exp.SnapshotStatusAborted, epoch.Add(time.Hour)
		return &updated, nil
	})
	require.NoError(t, err)
	if saved == nil {
		return ""
	}
	return saved.Status
}

// beat does what an agent does to show that it is alive.
func beat(t testing.TB, s exp.SnapshotWriter[custom], id string, when time.Time) {
	t.Helper()
	_, err := s.SaveSnapshot(t.Context(), id, func(existing *snapshot) (*snapshot, error) {
		if existing == nil || existing.Status != exp.SnapshotStatusPending {
			return nil, nil
		}
		updated := *existing
		updated.HeartbeatAt = &when
		return &updated, nil
	})
	require.NoError(t, err)
}

func pending(seconds int, parent string) snapshot {
	snap := at(seconds, parent)
	snap.Status, snap.State = exp.SnapshotStatusPending, nil
	return snap
}

func testSave(t *testing.T, s sessionStore) {
	t.Helper()
	require.Nil(t, get(t, s, "a"))
	saved, err := s.SaveSnapshot(t.Context(), "a", func(existing *snapshot) (*snapshot, error) {
		assert.Nil(t, existing)
		snap := at(1, "")
		snap.SnapshotID = "other"
		return &snap, nil
	})
	require.NoError(t, err)
	require.Equal(t, "a", saved.SnapshotID, "the store's id counts")
	require.Equal(t, exp.SnapshotStatusCompleted, saved.Status, "by default")

	got := get(t, s, "a")
	require.True(t, got.CreatedAt.Equal(epoch.Add(time.Second)), "to the nanosecond")
	require.True(t, got.UpdatedAt.Equal(epoch.Add(time.Second)))
	require.Equal(t, 1, got.State.Custom.Counter)
	got.State.Custom.Counter = 999
	require.Equal(t, 1, get(t, s, "a").State.Custom.Counter, "a copy")

	one, other := save(t, s, "", at(2, "a")), save(t, s, "", at(3, "a"))
	require.NotEmpty(t, one.SnapshotID)
	require.NotEqual(t, one.SnapshotID, other.SnapshotID)

	later := epoch.Add(time.Minute)
	updated, err := s.SaveSnapshot(t.Context(), "a", func(existing *snapshot) (*snapshot, error) {
		assert.Equal(t, 1, existing.State.Custom.Counter)
		return &snapshot{State: &state{Custom: custom{Counter: 2, Topics: []string{"x"}}}, CreatedAt: existing.CreatedAt, UpdatedAt: later}, nil
	})
	require.NoError(t, err)
	require.Equal(t, "s", updated.SessionID)
	require.True(t, updated.UpdatedAt.Equal(later))
	require.Equal(t, custom{Counter: 2, Topics: []string{"x"}}, get(t, s, "a").State.Custom)
	require.Empty(t, get(t, s, "a").ParentID, "replaced as a whole")
}

// testDecline has functions that write nothing.
func testDecline(t *testing.T, s sessionStore) {
	t.Helper()
	ctx, boom := t.Context(), errors.New("boom")
	save(t, s, "a", at(1, ""))
	for _, id := range []string{"a", "b", ""} {
		saved, err := s.SaveSnapshot(ctx, id, func(*snapshot) (*snapshot, error) { return nil, nil })
		require.NoError(t, err)
		require.Nil(t, saved)
		saved, err = s.SaveSnapshot(ctx, id, func(existing *snapshot) (*snapshot, error) {
			if existing != nil {
				existing.State.Custom.Counter = 7
			}
			return existing, boom
		})
		require.Equal(t, boom, err, "as it is")
		require.Nil(t, saved)
	}
	require.Equal(t, 1, get(t, s, "a").State.Custom.Counter)
	require.Nil(t, get(t, s, "b"))
}

func testSessionIDs(t *testing.T, s sessionStore) {
	t.Helper()
	save(t, s, "a", pending(1, ""))
	for _, rewrite := range []string{"", "other"} {
		snap := at(1, "")
		snap.SessionID = rewrite
		require.Equal(t, "s", save(t, s, "a", snap).SessionID)
		require.Equal(t, "s", get(t, s, "a").SessionID)
		require.Equal(t, 1, get(t, s, "a").State.Custom.Counter)
	}
	require.Empty(t, latest(t, s, "other"))
	_, err := s.SaveSnapshot(t.Context(), "b", func(*snapshot) (*snapshot, error) {
		snap := at(2, "a")
		snap.SessionID = ""
		return &snap, nil
	})
	require.Error(t, err, "nothing is inferred from the parent")
	require.Nil(t, get(t, s, "b"))
	_, err = s.GetLatestSnapshot(t.Context(), "")
	require.Error(t, err)
}

// testLatest has ids that sort against the order of time, so that a tie-break cannot pass for it.
func testLatest(t *testing.T, s sessionStore) {
	t.Helper()
	require.Empty(t, latest(t, s, "s"))
	save(t, s, "z", at(1, ""))
	save(t, s, "m", at(2, "z"))
	save(t, s, "a", pending(3, "m"))
	other := at(9, "")
	other.SessionID = "other"
	save(t, s, "x", other)
	require.Equal(t, "a", latest(t, s, "s"), "a pending one")
	failed := at(4, "m")
	failed.Status, failed.Error = exp.SnapshotStatusFailed, core.NewError(core.INTERNAL, "broken")
	save(t, s, "f", failed)
	require.Equal(t, "f", latest(t, s, "s"), "a failed one")
	save(t, s, "b", at(0, ""))
	require.Equal(t, "f", latest(t, s, "s"), "one from before")
	save(t, s, "d", at(5, "m"))
	save(t, s, "c", at(5, "m"))
	require.Equal(t, "d", latest(t, s, "s"), "the higher id of two at one time")
	save(t, s, "e", at(5, "m"))
	require.Equal(t, "e", latest(t, s, "s"))

	finished := at(3, "m")
	finished.UpdatedAt = epoch.Add(time.Hour)
	save(t, s, "a", finished)
	require.Equal(t, "e", latest(t, s, "s"), "what is finished keeps its place")
	got, err := s.GetLatestSnapshot(t.Context(), "s")
	require.NoError(t, err)
	require.Equal(t, 5, got.State.Custom.Counter, "with all that is in it")
	got.State.Custom.Counter = 999
	require.Equal(t, 5, get(t, s, "e").State.Custom.Counter)
	require.Equal(t, "x", latest(t, s, "other"))
}

func testHeartbeat(t *testing.T, s sessionStore) {
	t.Helper()
	save(t, s, "old", pending(1, ""))
	save(t, s, "new", at(2, "old"))
	before := get(t, s, "old")
	for i := range 3 {
		beat(t, s, "old", epoch.Add(time.Duration(i+1)*time.Hour))
	}
	after := get(t, s, "old")
	require.True(t, after.HeartbeatAt.Equal(epoch.Add(3*time.Hour)))
	after.HeartbeatAt = nil
	require.Equal(t, before, after)
	require.Equal(t, "new", latest(t, s, "s"))
	beat(t, s, "new", epoch)
	require.Nil(t, get(t, s, "new").HeartbeatAt, "of none that is finished")
	beat(t, s, "nothing", epoch)
}

// testWhole has all fields of a snapshot, and compares them with what Genkit's own store keeps.
func testWhole(t *testing.T, s sessionStore) {
	t.Helper()
	full := at(1, "parent")
	full.Status, full.FinishReason = exp.SnapshotStatusFailed, exp.AgentFinishReasonInterrupted
	full.Error = &core.GenkitError{Status: core.INVALID_ARGUMENT, Message: "no \x00 such tool", Details: map[string]any{"tool": "x"}}
	full.HeartbeatAt = &epoch
	full.State.Artifacts = []*exp.Artifact{{Name: "a.go", Parts: []*ai.Part{ai.NewTextPart("package a"), ai.NewMediaPart("image/png", "data:image/png;base64,AAAA")}, Metadata: map[string]any{"n": 1}}}
	full.State.Messages = messages
	reference := localstore.NewInMemorySessionStore[custom]()
	save(t, reference, "a", full)
	want := get(t, reference, "a")
	save(t, s, "a", full)
	require.Equal(t, want, get(t, s, "a"))
	got, err := s.GetLatestSnapshot(t.Context(), "s")
	require.NoError(t, err)
	require.Equal(t, want, got)
	save(t, s, "a", *want)
	require.Equal(t, want, get(t, s, "a"), "and again, as it was read")
}
