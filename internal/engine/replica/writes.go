package replica

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/session"
)

// Whose is the part of a scope that decides which writes its reads must see.
type Whose struct {
	// User owns the rows, unless All says that the scope is of all users.
	User uuid.UUID
	All  bool
	// Operator says that the scope of one user was derived from that of all users. Its writes
	// must be seen by both.
	Operator bool
}

// WriteTimes keeps when the last write of each user was acknowledged. It forgets times that are
// older than keep, since every replica in use has those writes.
type WriteTimes struct {
	Rules Rules
	keep  time.Duration

	mu sync.RWMutex
	// recent has the times noted since rotated, older those noted in the period before.
	recent, older map[uuid.UUID]time.Time
	rotated       time.Time
	// everybody is the last write of a scope of all users that does not know its users, operator
	// the last write of such a scope or one derived from it, and latest the last of any scope.
	everybody, operator, latest time.Time
}

// NewWriteTimes returns an empty WriteTimes.
func NewWriteTimes(rules Rules) *WriteTimes {
	return &WriteTimes{Rules: rules, keep: rules.MaxLag + rules.HostTransaction, rotated: time.Now(), recent: map[uuid.UUID]time.Time{}}
}

// Note notes that a write of a scope was acknowledged at a time, unless a later one is known.
func (t *WriteTimes) Note(w Whose, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rotate(time.Now())
	t.latest = session.Later(t.latest, at)
	if w.All || w.Operator {
		t.operator = session.Later(t.operator, at)
	}
	if w.All {
		t.everybody = session.Later(t.everybody, at)
		return
	}
	t.recent[w.User] = session.Later(t.recent[w.User], at)
}

// rotate drops times of writes that every replica in use has. At most the users who wrote within
// twice keep are left. The time of a write in a host's transaction lies HostTransaction in the
// future, which is why keep includes it.
func (t *WriteTimes) rotate(now time.Time) {
	if now.Sub(t.rotated) > t.keep {
		t.older, t.recent, t.rotated = t.recent, map[uuid.UUID]time.Time{}, now
	}
}

// Begin returns the list of a transaction's writes, nil where there are no replicas.
func (t *WriteTimes) Begin() *TxWrites {
	if t == nil {
		return nil
	}
	return &TxWrites{Scopes: map[Whose]bool{}, Sessions: map[*session.Session]bool{}}
}

// Since returns when the last write was acknowledged that reads of a scope must see.
func (t *WriteTimes) Since(w Whose) time.Time {
	t.mu.RLock()
	defer t.mu.RUnlock()
	at := t.everybody
	if !w.All {
		at = session.Later(at, session.Later(t.recent[w.User], t.older[w.User]))
	}
	if w.All || w.Operator {
		at = session.Later(at, t.operator)
		if t.Rules.AllUsersSeeAll {
			at = session.Later(at, t.latest)
		}
	}
	return at
}

// TxWrites lists the scopes and sessions that wrote inside a transaction. Their writes are
// acknowledged when the transaction ends. Mu guards both lists.
type TxWrites struct {
	Mu       sync.Mutex
	Scopes   map[Whose]bool
	Sessions map[*session.Session]bool
}

// Add notes a write inside the transaction.
func (t *TxWrites) Add(w Whose, s *session.Session) {
	t.Mu.Lock()
	defer t.Mu.Unlock()
	t.Scopes[w] = true
	t.Sessions[s] = true
}
