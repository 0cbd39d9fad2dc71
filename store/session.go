package store

import (
	"context"
	"sync"
	"time"
)

type (
	sessionKey struct{}
	primaryKey struct{}
)

// clientSession is when the writes made with a context were last acknowledged.
type clientSession struct {
	mu      sync.Mutex
	written time.Time
}

// WithSession returns a context for one client, say one request or one login: a read with
// it, or with a context made of it, sees every write that was made with it before, in
// whatever scope either was. Reads of ForUser see the writes of their user without it; it
// is for AllUsers, and for one client who acts for several users.
//
// A session is known to this process alone. A context that has one keeps it. Without
// replicas it changes nothing.
func WithSession(ctx context.Context) context.Context {
	if sessionOf(ctx) != nil {
		return ctx
	}
	return context.WithValue(ctx, sessionKey{}, &clientSession{})
}

// WithPrimary returns a context whose reads go to the primary, the server that takes the
// writes. It is for reads that must see what another process has written. Without replicas
// it changes nothing.
func WithPrimary(ctx context.Context) context.Context {
	return context.WithValue(ctx, primaryKey{}, true)
}

func onPrimary(ctx context.Context) bool { return ctx.Value(primaryKey{}) != nil }

// sessionOf returns nil if there is none.
func sessionOf(ctx context.Context) *clientSession {
	s, _ := ctx.Value(sessionKey{}).(*clientSession)
	return s
}

func (s *clientSession) note(at time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = later(s.written, at)
}

func (s *clientSession) since() time.Time {
	if s == nil {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
