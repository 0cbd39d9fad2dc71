package session

import (
	"context"
	"sync"
	"time"
)

type (
	SessionKey struct{}
	PrimaryKey struct{}
)

// Session is when the writes made with a context were last acknowledged.
type Session struct {
	mu      sync.Mutex
	written time.Time
}

func OnPrimary(ctx context.Context) bool { return ctx.Value(PrimaryKey{}) != nil }

// Of returns nil if there is none.
func Of(ctx context.Context) *Session {
	s, _ := ctx.Value(SessionKey{}).(*Session)
	return s
}

func (s *Session) Note(at time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = Later(s.written, at)
}

func (s *Session) Since() time.Time {
	if s == nil {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
