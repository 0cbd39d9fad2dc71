package query

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/store"
)

// maxLost is how many lost transactions of hosts are remembered: the store does not learn
// when a host ends one. A database of SQLite has one writer at a time, so that those which
// are still in use are few.
const maxLost = 64

// lost are the transactions of this process that SQLite has rolled back by itself. A host
// may call WithTx anew for each of its calls, so that no handle could remember it.
var lost lostTransactions

type lostTransactions struct {
	// some spares what runs most often the lock.
	some    atomic.Bool
	mu      sync.Mutex
	entries []lostTransaction // the newest last
}

type lostTransaction struct {
	pool gorm.ConnPool
	err  error
}

// of returns why a transaction was lost, nil for one that was not.
func (l *lostTransactions) of(pool gorm.ConnPool) error {
	if !l.some.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.pool == pool {
			return e.err
		}
	}
	return nil
}

func (l *lostTransactions) add(pool gorm.ConnPool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == maxLost {
		l.entries = append(l.entries[:0], l.entries[1:]...)
	}
	l.entries = append(l.entries, lostTransaction{pool, err})
	l.some.Store(true)
}

// forget is for a transaction that has ended.
func (l *lostTransactions) forget(pool gorm.ConnPool) {
	if !l.some.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.entries[:0]
	for _, e := range l.entries {
		if e.pool != pool {
			kept = append(kept, e)
		}
	}
	clear(l.entries[len(kept):])
	l.entries = kept
	l.some.Store(len(kept) > 0)
}

// losable is the pool of a transaction that the engine may roll back by itself, nil for
// any other handle. GORM wraps the same transaction anew in each session with PrepareStmt.
func losable(pool gorm.ConnPool, driver dialect.Driver) gorm.ConnPool {
	if _, ok := pool.(gorm.TxCommitter); !ok || !driver.RollsBackByItself() {
		return nil
	}
	if prepared, ok := pool.(*gorm.PreparedStmtTX); ok {
		pool = prepared.Tx
	}
	if !reflect.TypeOf(pool).Comparable() {
		return nil
	}
	return pool
}

// refusal is the error of a statement in a transaction that is lost, nil in any other.
func (h *Handle) refusal() error {
	if h.losable == nil {
		return nil
	}
	return lost.of(h.losable)
}

// judge returns the error of a statement, with ErrRolledBack if SQLite has rolled back the
// transaction over it: after an interrupt, a full disk or an I/O error it may, and so may a
// host's trigger. It then is out of the transaction, and would commit each further
// statement by itself. Which errors do that depends on the statement, so the engine is
// asked after each.
func (c Conn) judge(err error) error {
	if err == nil || c.losable == nil || lost.of(c.losable) != nil {
		return err
	}
	ctx := context.WithoutCancel(c.Ctx)
	begun, gone := c.beginAnew(ctx)
	if !gone {
		return err
	}
	err = fmt.Errorf("%w: %w", store.ErrRolledBack, err)
	lost.add(c.losable, err)
	if begun {
		c.doom(ctx)
	}
	return err
}

// beginAnew begins a transaction, which SQLite refuses inside of one. Where it does neither
// nobody knows, and nothing more may be written.
func (c Conn) beginAnew(ctx context.Context) (begun, gone bool) {
	_, err := c.losable.ExecContext(ctx, dialect.ProbeTransaction)
	return err == nil, err == nil || !dialect.InTransaction(err)
}

// doom makes the transaction that beginAnew began one that cannot be committed, so that
// the host's own statements, which nobody can refuse, are undone with it and its commit
// fails. Without foreign keys the engine is left outside of any: there the commit fails,
// but what the host still writes stays.
func (c Conn) doom(ctx context.Context) {
	for _, statement := range dialect.PreventCommit {
		if _, err := c.losable.ExecContext(ctx, statement); err != nil {
			_, _ = c.losable.ExecContext(ctx, "ROLLBACK") // or it has done so
			return
		}
	}
}
