package sqlite

import (
	"context"
	"database/sql"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxStatements is the most statements that the cache of a pool keeps. The store itself has a
// few dozen; filters and lists of ids of different lengths add any number of others.
const maxStatements = 256

// statements is the least-recently-used cache of a pool's prepared statements. Closing the
// pool closes them.
//
// GORM's own cache does not serve here. It closes an evicted statement while another goroutine
// is about to run it, and it keeps a goroutine running forever. It also prepares inside
// transactions, twice; with one connection, its lock and the pool can then wait for each other.
type statements struct {
	db    *sql.DB
	mu    sync.Mutex
	cache *simplelru.LRU[string, *statement]
	// toClose are evicted statements that nobody uses. unlock closes them after it has
	// released mu, because closing waits for the connection.
	toClose []*statement
}

// statement is a prepared statement with a reference count.
type statement struct {
	*sql.Stmt
	// refs counts the goroutines that have looked the statement up and not yet released it.
	// Rows and transactions that use it after that keep it open by themselves.
	refs    int
	evicted bool
}

func newStatements(db *sql.DB) *statements {
	s := &statements{db: db}
	// NewLRU fails only for a size below 1.
	s.cache, _ = simplelru.NewLRU(maxStatements, func(_ string, old *statement) { s.evict(old) })
	return s
}

// evict marks a statement that has left the cache for closing once nobody uses it. The caller
// holds mu.
func (s *statements) evict(old *statement) {
	old.evicted = true
	if old.refs == 0 {
		s.toClose = append(s.toClose, old)
	}
}

// unlock releases mu and then closes what is in toClose.
func (s *statements) unlock() {
	closing := s.toClose
	s.toClose = nil
	s.mu.Unlock()
	for _, old := range closing {
		_ = old.Close() // nobody waits for it, and a broken connection fails its next call anyway
	}
}

// lookUp returns the statement of a text, or nil if it is not prepared. The caller releases a
// statement that it got.
func (s *statements) lookUp(query string) *statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.cache.Get(query)
	if ok {
		st.refs++
	}
	return st
}

func (s *statements) release(st *statement) {
	s.mu.Lock()
	defer s.unlock()
	st.refs--
	if st.evicted {
		s.evict(st)
	}
}

// prepare is lookUp, but prepares a missing statement. The caller must not be inside a
// transaction, because prepare waits for the connection. It returns nil for a text that
// cannot be prepared; running that text returns the error.
func (s *statements) prepare(ctx context.Context, query string) *statement {
	if st := s.lookUp(query); st != nil {
		return st
	}
	prepared, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	return s.add(query, prepared)
}

func (s *statements) add(query string, prepared *sql.Stmt) *statement {
	s.mu.Lock()
	defer s.unlock()
	st, ok := s.cache.Get(query)
	if ok { // another goroutine prepared it meanwhile
		s.toClose = append(s.toClose, &statement{Stmt: prepared})
	} else {
		st = &statement{Stmt: prepared}
		s.cache.Add(query, st)
	}
	st.refs++
	return st
}
