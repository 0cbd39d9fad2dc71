package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"gorm.io/gorm"
)

// maxMissed bounds what is prepared after a transaction: one that runs thousands of
// different statements must not drop those that all others run.
const maxMissed = 32

// pool is a pool of connections with its prepared statements. Parsing an insert takes as
// long as running it.
//
// It prepares only outside of transactions, so that a statement that first occurs in one is
// prepared after it.
type pool struct {
	*sql.DB
	stmts *statements
	// single says that there is one connection, on which a query may run inside another.
	single bool
}

var (
	_ gorm.ConnPool         = (*pool)(nil)
	_ gorm.ConnPoolBeginner = (*pool)(nil)
	_ gorm.GetDBConnector   = (*pool)(nil)
	_ gorm.TxCommitter      = (*poolTx)(nil)
)

func newPool(db *sql.DB, conns int) *pool {
	return &pool{DB: db, stmts: newStatements(db), single: conns == 1}
}

// GetDBConn lets gorm.DB.DB find the pool.
func (p *pool) GetDBConn() (*sql.DB, error) { return p.DB, nil }

// cacheable leaves out what has no arguments, such as migrations of several statements,
// and, on a connection of its own, queries: two that run at once inside each other must not
// share a statement.
func cacheable(query string, args []any, sole bool) bool { //nolint:revive // sole is the connection's
	return len(args) > 0 && !(sole && strings.HasPrefix(query, "SELECT"))
}

// ExecContext implements gorm.ConnPool.
func (p *pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if cacheable(query, args, p.single) {
		if st := p.stmts.prepare(ctx, query); st != nil {
			defer p.stmts.release(st)
			return st.ExecContext(ctx, args...)
		}
	}
	return p.DB.ExecContext(ctx, query, args...)
}

// QueryContext implements gorm.ConnPool.
func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if cacheable(query, args, p.single) {
		if st := p.stmts.prepare(ctx, query); st != nil {
			defer p.stmts.release(st)
			return st.QueryContext(ctx, args...)
		}
	}
	return p.DB.QueryContext(ctx, query, args...)
}

// BeginTx implements gorm.ConnPoolBeginner.
func (p *pool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.DB.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &poolTx{Tx: tx, pool: p}, nil
}

// poolTx is a transaction of the pool. Like any it belongs to one goroutine.
type poolTx struct {
	*sql.Tx
	pool   *pool
	missed []string
}

// GetDBConn lets gorm.DB.DB find the pool.
func (t *poolTx) GetDBConn() (*sql.DB, error) { return t.pool.DB, nil }

// stmt returns the statement on the transaction's connection, nil if it is not prepared
// yet.
func (t *poolTx) stmt(ctx context.Context, query string, args []any) *sql.Stmt {
	if !cacheable(query, args, true) {
		return nil
	}
	if st := t.pool.stmts.lookUp(query); st != nil {
		defer t.pool.stmts.release(st)
		return t.StmtContext(ctx, st.Stmt)
	}
	if len(t.missed) < maxMissed {
		t.missed = append(t.missed, query)
	}
	return nil
}

// ExecContext implements gorm.ConnPool.
func (t *poolTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := t.stmt(ctx, query, args); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// QueryContext implements gorm.ConnPool.
func (t *poolTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := t.stmt(ctx, query, args); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// Commit implements gorm.TxCommitter.
func (t *poolTx) Commit() error {
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	for _, query := range t.missed {
		if st := t.pool.stmts.prepare(context.Background(), query); st != nil {
			t.pool.stmts.release(st)
		}
	}
	return nil
}
