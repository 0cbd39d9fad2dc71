package sqlite

import (
	"context"
	"database/sql"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxStatements bounds the cache of a pool. The store has a few dozen statements; filters,
// and lists of ids of many lengths, make any number of others.
const maxStatements = 256

// statements are the prepared statements of a pool, those that were used last. The pool
// closes them with itself.
//
// GORM's own cache does not serve here: it closes what it drops while another goroutine is
// about to run it, it keeps a goroutine for ever, and it prepares inside of transactions,
// twice, where with one connection the cache and the pool can wait for each other.
type statements struct {
	db   *sql.DB
	mu   sync.Mutex
	kept *simplelru.LRU[string, *statement]
	// dropped are to be closed, without the lock: closing waits for the connection.
	dropped []*statement
}

// statement counts the goroutines between having looked it up and having run it. Rows and
// transactions that use it further keep it open by themselves.
type statement struct {
	*sql.Stmt
	users int
	gone  bool
}

func newStatements(db *sql.DB) *statements {
	s := &statements{db: db}
	// The only error is of a size below 1.
	s.kept, _ = simplelru.NewLRU(maxStatements, func(_ string, old *statement) { s.drop(old) })
	return s
}

// drop is called under the lock.
func (s *statements) drop(old *statement) {
	old.gone = true
	if old.users == 0 {
		s.dropped = append(s.dropped, old)
	}
}

// unlock closes what was dropped.
func (s *statements) unlock() {
	dropped := s.dropped
	s.dropped = nil
	s.mu.Unlock()
	for _, old := range dropped {
		_ = old.Close() // nobody waits for it, and its connection tells of any trouble
	}
}

// lookUp returns nil for a statement that is not there. Any other is to be released.
func (s *statements) lookUp(query string) *statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.kept.Get(query)
	if ok {
		st.users++
	}
	return st
}

func (s *statements) release(st *statement) {
	s.mu.Lock()
	defer s.unlock()
	st.users--
	if st.gone {
		s.drop(st)
	}
}

// prepare is lookUp that makes what is not there. It must not be called inside a
// transaction: it waits for the connection. It returns nil for a statement that cannot be
// prepared; running it tells why.
func (s *statements) prepare(ctx context.Context, query string) *statement {
	if st := s.lookUp(query); st != nil {
		return st
	}
	made, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	return s.keep(query, made)
}

func (s *statements) keep(query string, made *sql.Stmt) *statement {
	s.mu.Lock()
	defer s.unlock()
	st, ok := s.kept.Get(query)
	if ok { // another goroutine was faster
		s.dropped = append(s.dropped, &statement{Stmt: made})
	} else {
		st = &statement{Stmt: made}
		s.kept.Add(query, st)
	}
	st.users++
	return st
}
