package scope

import (
	"sync"

	"github.com/google/uuid"
)

// users are those whose rows a transaction wrote. It may be used by several goroutines.
type users struct {
	mu  sync.Mutex
	all map[uuid.UUID]struct{}
}

func (u *users) add(user uuid.UUID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all == nil {
		u.all = map[uuid.UUID]struct{}{}
	}
	u.all[user] = struct{}{}
}

// tell calls what OnWritten set when a write of a user has returned, with or without an error. In
// a transaction of the store it is called after the commit; the store does not see a host's.
func (s *Store) tell(user uuid.UUID) {
	switch {
	case s.onWritten == nil:
	case s.txUsers != nil:
		s.txUsers.add(user)
	case !s.InTx:
		s.onWritten(user)
	}
}

// tellUsers is tell for the users of a transaction that has ended.
func (s *Store) tellUsers(wrote *users) {
	wrote.mu.Lock()
	defer wrote.mu.Unlock()
	for user := range wrote.all {
		s.onWritten(user)
	}
}
