package watch_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/engine/watch"
)

// TestFailedLook: after a look that failed the poller looks again soon, and not at the next
// interval, which may be an hour away: nobody rings a second time.
func TestFailedLook(t *testing.T) {
	t.Parallel()
	key := watch.Key{User: uuid.New(), Conversation: uuid.New()}
	var looks, seq atomic.Int64
	hub := watch.NewHub(func(context.Context, []watch.Key) (map[watch.Key]watch.State, error) {
		if looks.Add(1) < 4 {
			return nil, errors.New("the connection is lost")
		}
		return map[watch.Key]watch.State{key: {Seq: seq.Load()}}, nil
	}, nil, func(error) bool { return false }, nil)
	defer hub.Close()
	tail, err := hub.Follow(key, time.Hour)
	require.NoError(t, err)
	defer tail.Leave()
	seq.Store(1)
	hub.Ring(key.User)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	state, _, err := tail.Wait(ctx, watch.State{})
	require.NoError(t, err)
	require.EqualValues(t, 1, state.Seq)
}
