package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFaultOrder has one reason for each mix of faults, whatever was seen first.
func TestFaultOrder(t *testing.T) {
	t.Parallel()
	primary := place{system: 1, timeline: 2, lsn: 100}
	for _, tt := range []struct {
		name    string
		standby place
		lags    bool
		want    error
	}{
		{"all of them", place{system: 9, timeline: 1, paused: true}, true, errStranger},
		{"of this cluster", place{system: 1, timeline: 1, paused: true}, true, errPromoted},
		{"a standby", place{system: 1, timeline: 1, standby: true, paused: true}, true, errTimeline},
		{"on the timeline", place{system: 1, timeline: 2, standby: true, paused: true}, true, errPaused},
		{"not paused", place{system: 1, timeline: 2, standby: true}, true, errLags},
		{"paused, and has all that counts", place{system: 1, timeline: 2, standby: true, paused: true}, false, nil},
	} {
		require.Equal(t, tt.want, fault(primary, tt.standby, tt.lags), tt.name)
	}
}

// TestReasonOfAgedReplica looks between two rounds at a replica that has grown too old since
// the last one: it says the same as the next round will.
func TestReasonOfAgedReplica(t *testing.T) {
	t.Parallel()
	for paused, want := range map[bool]error{true: errPaused, false: errLags} {
		primary := place{system: 1, timeline: 1, lsn: 100}
		log := &primaryLog{keep: time.Hour}
		log.add(time.Now().Add(-time.Minute), primary)
		r := &standby{maxLag: time.Second}
		r.end = func() {}
		r.alive = t.Context()
		r.found(place{system: 1, timeline: 1, lsn: 100, standby: true, paused: paused}, log)
		state := r.State()
		require.False(t, state.InUse)
		require.Equal(t, want.Error(), state.Reason)
	}
}
