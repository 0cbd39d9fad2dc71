package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestExclusionReasonOrder checks which of several reasons is reported.
func TestExclusionReasonOrder(t *testing.T) {
	t.Parallel()
	primary := position{system: 1, timeline: 2, lsn: 100}
	for _, tt := range []struct {
		name    string
		standby position
		lags    bool
		want    error
	}{
		{"all of them", position{system: 9, timeline: 1, paused: true}, true, errOtherCluster},
		{"of this cluster", position{system: 1, timeline: 1, paused: true}, true, errPromoted},
		{"a standby", position{system: 1, timeline: 1, standby: true, paused: true}, true, errTimeline},
		{"on the timeline", position{system: 1, timeline: 2, standby: true, paused: true}, true, errPaused},
		{"not paused", position{system: 1, timeline: 2, standby: true}, true, errLags},
		{"paused, and has all that counts", position{system: 1, timeline: 2, standby: true, paused: true}, false, nil},
	} {
		require.Equal(t, tt.want, exclusionReason(primary, tt.standby, tt.lags), tt.name)
	}
}

// TestReasonOfAgedReplica looks between two rounds at a replica that has grown too old since
// the last one: it says the same as the next round will.
func TestReasonOfAgedReplica(t *testing.T) {
	t.Parallel()
	for paused, want := range map[bool]error{true: errPaused, false: errLags} {
		primary := position{system: 1, timeline: 1, lsn: 100}
		history := &primaryHistory{maxAge: time.Hour}
		history.add(time.Now().Add(-time.Minute), primary)
		r := &standby{maxLag: time.Second}
		r.end = func() {}
		r.alive = t.Context()
		r.noteAnswer(position{system: 1, timeline: 1, lsn: 100, standby: true, paused: paused}, history)
		state := r.State()
		require.False(t, state.InUse)
		require.Equal(t, want.Error(), state.Reason)
	}
}
