//go:build unix

package main

import (
	"context"
	"syscall"
	"time"
)

// grace is what a command gets to end by itself after a signal.
const grace = 10 * time.Second

// endWith ends the process group when ctx does, unless it ended before.
func endWith(ctx context.Context, ended <-chan struct{}, group int) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	// A group that is gone takes no signal, and that is what is wanted of it.
	_ = syscall.Kill(-group, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(grace):
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
}
