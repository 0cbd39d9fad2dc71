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

// maxLost is how many lost transactions of hosts are remembered. There must be a bound, since
// the store does not learn when a host ends one. SQLite has one writer at a time, so that few
// of them are still in use.
const maxLost = 64

// lost are the transactions of this process that SQLite has rolled back by itself. They are
// kept here and not in a Handle, since a host may call WithTx for each of its calls, which
// makes a new handle.
var lost lostTransactions

type lostTransactions struct {
	// nonEmpty spares every statement the lock while there are none.
	nonEmpty atomic.Bool
	mu       sync.Mutex
	entries  []lostTransaction // the newest last
}

type lostTransaction struct {
	pool gorm.ConnPool
	err  error
}

// of returns the error with which a transaction was lost, nil for one that was not.
func (l *lostTransactions) of(pool gorm.ConnPool) error {
	if !l.nonEmpty.Load() {
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
	l.nonEmpty.Store(true)
}

// forget removes a transaction that has ended.
func (l *lostTransactions) forget(pool gorm.ConnPool) {
	if !l.nonEmpty.Load() {
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
	l.nonEmpty.Store(len(kept) > 0)
}

// losable returns the pool of a transaction that the database may roll back by itself, and nil
// for any other handle. It unwraps PreparedStmtTX, since GORM wraps the same transaction once
// for each session with PrepareStmt.
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

// Lost is the error of every statement in a transaction that the database has rolled back by
// itself, nil in any other.
func (h *Handle) Lost() error {
	if h.losable == nil {
		return nil
	}
	return lost.of(h.losable)
}

// checkLost returns the error of a statement, with ErrRolledBack if SQLite has rolled back the
// transaction over it. SQLite may do so after an interrupt, a full disk or an I/O error, and a
// host's trigger may do it as well. The connection is then outside of any transaction and
// would commit each further statement by itself. Which errors have this effect depends on the
// statement, so SQLite is asked after each error.
func (c Conn) checkLost(err error) error {
	if err == nil || c.losable == nil || lost.of(c.losable) != nil {
		return err
	}
	ctx := context.WithoutCancel(c.Ctx)
	begun, gone := c.probe(ctx)
	if !gone {
		return err
	}
	err = fmt.Errorf("%w: %w", store.ErrRolledBack, err)
	lost.add(c.losable, err)
	if begun {
		c.preventCommit(ctx)
	}
	return err
}

// probe tries to begin a transaction, which fails inside of one. begun says that it began one,
// and gone that the transaction is lost. It counts as lost as well if the probe failed for
// another reason: its state is then unknown, and nothing more may be written.
func (c Conn) probe(ctx context.Context) (begun, gone bool) {
	_, err := c.losable.ExecContext(ctx, dialect.ProbeTransaction)
	return err == nil, err == nil || !dialect.InTransaction(err)
}

// preventCommit makes the transaction that probe began one that cannot be committed. The host's
// own further statements, which the store cannot refuse, are then rolled back with it, and the
// host's commit fails. Where foreign keys are off, it ends the transaction instead: the host's
// commit fails, but what the host still writes stays.
func (c Conn) preventCommit(ctx context.Context) {
	for _, statement := range dialect.PreventCommit {
		if _, err := c.losable.ExecContext(ctx, statement); err != nil {
			_, _ = c.losable.ExecContext(ctx, "ROLLBACK") // it may have rolled back already
			return
		}
	}
}
