package query

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pause waits before a retry, or returns the error of ctx as soon as ctx ends. The wait is
// random, so that transactions that collided do not collide again, and its bound doubles with
// each try, counted from 1.
func Pause(ctx context.Context, try int) error {
	return Sleep(ctx, time.Duration(rand.Int64N(int64(time.Millisecond)<<try)))
}

// Sleep waits for d, or returns the error of ctx as soon as ctx ends.
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
