package store

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

// whose says whose rows a scope is about: one user's, everybody's, or one user's that
// AllUsers was asked for.
type whose struct {
	user          uuid.UUID
	all, operator bool
}

func (sc scope) whose() whose { return whose{sc.user, sc.all, sc.operator} }

// writeTimes are when the writes of users were last acknowledged, as far as replicas may lack
// them: what is older than keep, every replica in use has.
type writeTimes struct {
	rules ReplicaRules
	keep  time.Duration

	mu sync.RWMutex
	// young are the marks since turned, old those of the time keep before.
	young, old map[uuid.UUID]time.Time
	turned     time.Time
	// everybody is for writes of AllUsers whose users are not known, operator for all of
	// its writes, any for all there are.
	everybody, operator, latest time.Time
}

func newWriteTimes(rules ReplicaRules) *writeTimes {
	return &writeTimes{rules: rules, keep: rules.MaxLag + rules.HostTransaction, turned: time.Now(), young: map[uuid.UUID]time.Time{}}
}

// note keeps the latest time of a write.
func (m *writeTimes) note(w whose, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(time.Now())
	m.latest = later(m.latest, at)
	if w.all || w.operator {
		m.operator = later(m.operator, at)
	}
	if w.all {
		m.everybody = later(m.everybody, at)
		return
	}
	m.young[w.user] = later(m.young[w.user], at)
}

// turn drops marks that no replica in use can lack, so that they are those of the users
// who wrote within twice keep at most. A mark of a host's transaction is ahead of its time
// by HostTransaction, for which keep has room.
func (m *writeTimes) turn(now time.Time) {
	if now.Sub(m.turned) > m.keep {
		m.old, m.young, m.turned = m.young, map[uuid.UUID]time.Time{}, now
	}
}

// begin returns nil where there are no replicas.
func (m *writeTimes) begin() *touched {
	if m == nil {
		return nil
	}
	return &touched{scopes: map[whose]bool{}, sessions: map[*clientSession]bool{}}
}

// since is the last write that a read has to see.
func (m *writeTimes) since(w whose) time.Time {
	m.mu.RLock()
	defer m.mu.RUnlock()
	at := m.everybody
	if !w.all {
		at = later(at, later(m.young[w.user], m.old[w.user]))
	}
	if w.all || w.operator {
		at = later(at, m.operator)
		if m.rules.AllUsersSeeAll {
			at = later(at, m.latest)
		}
	}
	return at
}

// touched are the scopes that were used inside a transaction: their writes are
// acknowledged when it ends.
type touched struct {
	mu       sync.Mutex
	scopes   map[whose]bool
	sessions map[*clientSession]bool
}

func (t *touched) add(w whose, s *clientSession) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scopes[w] = true
	t.sessions[s] = true
}

// wrote notes, when a write returns, that it is acknowledged: also one that failed, since
// of some it is not known whether they did. Inside a transaction it is noted for its end.
// The end of a host's transaction is not seen: its writes count as acknowledged for as
// long as the rules say that it may take.
func (s *store) wrote(ctx context.Context, w whose) {
	switch {
	case s.written == nil:
	case s.touched != nil:
		s.touched.add(w, sessionOf(ctx))
	case s.inTx:
		s.acknowledged(w, sessionOf(ctx), time.Now().Add(s.written.rules.HostTransaction))
	default:
		s.acknowledged(w, sessionOf(ctx), time.Now())
	}
}

func (s *store) acknowledged(w whose, of *clientSession, at time.Time) {
	s.written.note(w, at)
	of.note(at)
}

// ended notes the writes of a transaction of the store's own.
func (s *store) ended(ctx context.Context, t *touched) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	sessionOf(ctx).note(now)
	for w := range t.scopes {
		s.written.note(w, now)
	}
	for of := range t.sessions {
		of.note(now)
	}
}

// retry is that of the store, for writes of the scope.
func (sc scope) retry(ctx context.Context, fn func() error) error {
	defer sc.wrote(ctx, sc.whose())
	return sc.store.retry(ctx, fn)
}

// guarded is that of the store, for writes of the scope.
func (sc scope) guarded(ctx context.Context, fn func() error) error {
	defer sc.wrote(ctx, sc.whose())
	return sc.store.guarded(ctx, fn)
}

// transaction is that of the store, for writes of the scope.
func (sc scope) transaction(ctx context.Context, fn func(tx *store) error) error {
	defer sc.wrote(ctx, sc.whose())
	return sc.store.transaction(ctx, fn)
}
