package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"sync"

	"gorm.io/gorm"
)

// maxStatements bounds the cache. The store has a few dozen statements; those with lists
// of ids come in many lengths.
const maxStatements = 256

// writer is the pool of one connection that writes, with its prepared statements.
// Parsing an insert takes as long as running it.
//
// GORM's own cache does not serve here: it prepares inside of transactions, twice, and
// with one connection the cache and the pool can wait for each other. This one prepares
// only outside, so that a statement that first occurs in a transaction is prepared after
// it.
type writer struct {
	*sql.DB
	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

var (
	_ gorm.ConnPool         = (*writer)(nil)
	_ gorm.ConnPoolBeginner = (*writer)(nil)
	_ gorm.GetDBConnector   = (*writer)(nil)
	_ gorm.TxCommitter      = (*writerTx)(nil)
)

func newWriter(db *sql.DB) *writer { return &writer{DB: db, stmts: map[string]*sql.Stmt{}} }

// GetDBConn lets gorm.DB.DB find the pool.
func (w *writer) GetDBConn() (*sql.DB, error) { return w.DB, nil }

func (w *writer) lookUp(query string) (*sql.Stmt, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stmt := w.stmts[query]
	return stmt, stmt != nil || len(w.stmts) < maxStatements
}

// prepare must not be called inside a transaction: it waits for the connection. It
// returns nil for a statement that cannot be prepared; running it tells why.
func (w *writer) prepare(ctx context.Context, query string) *sql.Stmt {
	stmt, room := w.lookUp(query)
	if stmt != nil || !room {
		return stmt
	}
	made, err := w.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if first := w.stmts[query]; first != nil {
		_ = made.Close() // another goroutine was faster
		return first
	}
	w.stmts[query] = made
	return made
}

// cacheable leaves out what has no arguments, such as migrations of several statements,
// and queries: two that run at once inside each other must not share a statement.
func cacheable(query string, args []any) bool {
	return len(args) > 0 && !strings.HasPrefix(query, "SELECT")
}

// ExecContext implements gorm.ConnPool.
func (w *writer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if cacheable(query, args) {
		if stmt := w.prepare(ctx, query); stmt != nil {
			return stmt.ExecContext(ctx, args...)
		}
	}
	return w.DB.ExecContext(ctx, query, args...)
}

// QueryContext implements gorm.ConnPool.
func (w *writer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if cacheable(query, args) {
		if stmt := w.prepare(ctx, query); stmt != nil {
			return stmt.QueryContext(ctx, args...)
		}
	}
	return w.DB.QueryContext(ctx, query, args...)
}

// BeginTx implements gorm.ConnPoolBeginner.
func (w *writer) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := w.DB.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &writerTx{Tx: tx, writer: w}, nil
}

// writerTx is a transaction of the writer. Like any it belongs to one goroutine.
type writerTx struct {
	*sql.Tx
	writer *writer
	missed []string
}

// GetDBConn lets gorm.DB.DB find the pool.
func (t *writerTx) GetDBConn() (*sql.DB, error) { return t.writer.DB, nil }

// stmt returns the statement on the transaction's connection, nil if it is not prepared
// yet.
func (t *writerTx) stmt(ctx context.Context, query string, args []any) *sql.Stmt {
	if !cacheable(query, args) {
		return nil
	}
	stmt, room := t.writer.lookUp(query)
	if stmt != nil {
		return t.StmtContext(ctx, stmt)
	}
	if room {
		t.missed = append(t.missed, query)
	}
	return nil
}

// ExecContext implements gorm.ConnPool.
func (t *writerTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := t.stmt(ctx, query, args); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// QueryContext implements gorm.ConnPool.
func (t *writerTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := t.stmt(ctx, query, args); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// Commit implements gorm.TxCommitter.
func (t *writerTx) Commit() error {
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	for _, query := range t.missed {
		t.writer.prepare(context.Background(), query)
	}
	return nil
}
