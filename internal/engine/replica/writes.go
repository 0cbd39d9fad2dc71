package replica

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/session"
)

// Whose says whose rows a scope is about: one user's, everybody's, or one user's that
// AllUsers was asked for.
type Whose struct {
	User          uuid.UUID
	All, Operator bool
}

// WriteTimes are when the writes of users were last acknowledged, as far as replicas may lack
// them: what is older than keep, every replica in use has.
type WriteTimes struct {
	Rules Rules
	keep  time.Duration

	mu sync.RWMutex
	// recent are the marks since turned, old those of the time keep before.
	recent, older map[uuid.UUID]time.Time
	rotated       time.Time
	// everybody is for writes of AllUsers whose users are not known, operator for all of
	// its writes, any for all there are.
	everybody, operator, latest time.Time
}

func NewWriteTimes(rules Rules) *WriteTimes {
	return &WriteTimes{Rules: rules, keep: rules.MaxLag + rules.HostTransaction, rotated: time.Now(), recent: map[uuid.UUID]time.Time{}}
}

// Note keeps the latest time of a write.
func (m *WriteTimes) Note(w Whose, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rotate(time.Now())
	m.latest = session.Later(m.latest, at)
	if w.All || w.Operator {
		m.operator = session.Later(m.operator, at)
	}
	if w.All {
		m.everybody = session.Later(m.everybody, at)
		return
	}
	m.recent[w.User] = session.Later(m.recent[w.User], at)
}

// rotate drops marks that no replica in use can lack, so that they are those of the users
// who wrote within twice keep at most. A mark of a host's transaction is ahead of its time
// by HostTransaction, for which keep has room.
func (m *WriteTimes) rotate(now time.Time) {
	if now.Sub(m.rotated) > m.keep {
		m.older, m.recent, m.rotated = m.recent, map[uuid.UUID]time.Time{}, now
	}
}

// Begin returns nil where there are no replicas.
func (m *WriteTimes) Begin() *TxWrites {
	if m == nil {
		return nil
	}
	return &TxWrites{Scopes: map[Whose]bool{}, Sessions: map[*session.Session]bool{}}
}

// Since is the last write that a read has to see.
func (m *WriteTimes) Since(w Whose) time.Time {
	m.mu.RLock()
	defer m.mu.RUnlock()
	at := m.everybody
	if !w.All {
		at = session.Later(at, session.Later(m.recent[w.User], m.older[w.User]))
	}
	if w.All || w.Operator {
		at = session.Later(at, m.operator)
		if m.Rules.AllUsersSeeAll {
			at = session.Later(at, m.latest)
		}
	}
	return at
}

// TxWrites are the scopes that were used inside a transaction: their writes are
// acknowledged when it ends.
type TxWrites struct {
	Mu       sync.Mutex
	Scopes   map[Whose]bool
	Sessions map[*session.Session]bool
}

func (t *TxWrites) Add(w Whose, s *session.Session) {
	t.Mu.Lock()
	defer t.Mu.Unlock()
	t.Scopes[w] = true
	t.Sessions[s] = true
}
