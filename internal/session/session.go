// Package session keeps in a context when a client's writes were acknowledged, and whether its
// reads must use the primary. It is a leaf, so that both package store, which sets the
// context, and the engine, which reads it, can import it.
package session

import (
	"context"
	"sync"
	"time"
)

type (
	sessionKey struct{}
	primaryKey struct{}
)

// Session is the latest time at which a write under a context was acknowledged. It may be used
// by many goroutines. A nil *Session ignores writes and has none.
type Session struct {
	mu      sync.Mutex
	written time.Time
}

// With returns a context with a new session.
func With(ctx context.Context) context.Context {
	return context.WithValue(ctx, sessionKey{}, &Session{})
}

// WithPrimary returns a context whose reads must use the primary.
func WithPrimary(ctx context.Context) context.Context {
	return context.WithValue(ctx, primaryKey{}, true)
}

// OnPrimary tells whether reads under ctx must use the primary.
func OnPrimary(ctx context.Context) bool { return ctx.Value(primaryKey{}) != nil }

// Of returns the session of ctx, nil if there is none.
func Of(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}

// Note keeps the time of an acknowledged write, unless a later one is known.
func (s *Session) Note(at time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = Later(s.written, at)
}

// Since returns the time that a replica must have caught up with before it may serve the
// session, zero if the session has no writes.
func (s *Session) Since() time.Time {
	if s == nil {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

// Later returns the later of two times.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
