package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"gorm.io/gorm"
)

// maxMissed is the most statements that a transaction adds to the cache after its commit. A
// transaction with thousands of different statements must not evict those that every other
// transaction runs.
const maxMissed = 32

// pool is a connection pool that prepares statements and keeps them. Parsing an INSERT takes
// as long as running it.
//
// It prepares only outside transactions: a statement that first occurs inside one is prepared
// after the commit.
type pool struct {
	*sql.DB
	stmts *statements
	// single is true for a pool of one connection, where a query may run while the rows of
	// another one are still open.
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

// GetDBConn implements gorm.GetDBConnector, so that gorm.DB.DB finds the pool.
func (p *pool) GetDBConn() (*sql.DB, error) { return p.DB, nil }

// cacheable tells whether to keep a text prepared. It refuses a text without arguments, which
// may be a migration of several statements. Where every call shares one connection it also
// refuses queries: a query that runs while the rows of the same query are open must not share
// its statement.
func cacheable(query string, args []any, oneConnection bool) bool {
	if len(args) == 0 {
		return false
	}
	return !oneConnection || !strings.HasPrefix(query, "SELECT")
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

// poolTx is a transaction of the pool, for one goroutine.
type poolTx struct {
	*sql.Tx
	pool *pool
	// missed are the texts to prepare after the commit.
	missed []string
}

// GetDBConn implements gorm.GetDBConnector, so that gorm.DB.DB finds the pool.
func (t *poolTx) GetDBConn() (*sql.DB, error) { return t.pool.DB, nil }

// stmt returns the prepared statement on the transaction's connection, or nil for a text that
// is not prepared or not cacheable.
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

// Commit implements gorm.TxCommitter, and then prepares the texts that the cache missed.
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
