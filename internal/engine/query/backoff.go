package query

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pause waits longer from try to try, and at random, so that those who collided do not
// meet again.
func Pause(ctx context.Context, try int) error {
	return Sleep(ctx, time.Duration(rand.Int64N(int64(time.Millisecond)<<try)))
}

// Sleep waits, or returns the error of ctx as soon as it ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
