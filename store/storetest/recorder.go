package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Statement is a statement that reached the database, with its arguments.
type Statement struct {
	SQL  string
	Args []any
}

// Carries says whether one of the arguments is the id, as a UUID or as text.
func (s Statement) Carries(id uuid.UUID) bool {
	return slices.ContainsFunc(s.Args, func(a any) bool { return fmt.Sprint(a) == id.String() })
}

// Recorder records the statements of the handles that it has wrapped. It is between GORM and
// the driver, so no statement bypasses it.
type Recorder struct {
	mu         sync.Mutex
	statements []Statement
	// before, if set, is called with each statement before the database gets it.
	before func(sql string)
}

// Wrap returns a session of db whose statements are recorded.
func (r *Recorder) Wrap(db *gorm.DB) *gorm.DB {
	// With a context GORM copies the statement, which sessions share otherwise.
	db = db.Session(&gorm.Session{NewDB: true, Context: db.Statement.Context})
	pool := &recordedPool{ConnPool: db.Statement.ConnPool, to: r}
	db.ConnPool, db.Statement.ConnPool = pool, pool
	return db
}

// Statements returns what was recorded, oldest first.
func (r *Recorder) Statements() []Statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.statements)
}

// Reset forgets what was recorded.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements = nil
}

func (r *Recorder) add(query string, args []any) {
	if r.before != nil {
		r.before(query)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements = append(r.statements, Statement{query, slices.Clone(args)})
}

// recordedPool is a pool of connections.
type recordedPool struct {
	gorm.ConnPool
	to *Recorder
}

func (p *recordedPool) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	p.to.add(query, nil)
	return p.ConnPool.PrepareContext(ctx, query)
}

func (p *recordedPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	p.to.add(query, args)
	return p.ConnPool.ExecContext(ctx, query, args...)
}

func (p *recordedPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.to.add(query, args)
	return p.ConnPool.QueryContext(ctx, query, args...)
}

func (p *recordedPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	p.to.add(query, args)
	return p.ConnPool.QueryRowContext(ctx, query, args...)
}

// GetDBConn implements gorm.GetDBConnector.
func (p *recordedPool) GetDBConn() (*sql.DB, error) {
	switch pool := p.ConnPool.(type) {
	case *sql.DB:
		return pool, nil
	case gorm.GetDBConnector:
		return pool.GetDBConn()
	}
	return nil, gorm.ErrInvalidDB
}

// BeginTx implements gorm.ConnPoolBeginner.
func (p *recordedPool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	var tx gorm.ConnPool
	var err error
	switch pool := p.ConnPool.(type) {
	case gorm.TxBeginner:
		tx, err = pool.BeginTx(ctx, opts)
	case gorm.ConnPoolBeginner:
		tx, err = pool.BeginTx(ctx, opts)
	default:
		err = gorm.ErrInvalidTransaction
	}
	if err != nil {
		return nil, err
	}
	return &recordedTx{recordedPool{ConnPool: tx, to: p.to}}, nil
}

// recordedTx is one connection inside a transaction.
type recordedTx struct{ recordedPool }

// Commit implements gorm.TxCommitter.
func (t *recordedTx) Commit() error { return t.committer().Commit() }

// Rollback implements gorm.TxCommitter.
func (t *recordedTx) Rollback() error { return t.committer().Rollback() }

func (t *recordedTx) committer() gorm.TxCommitter {
	return t.ConnPool.(gorm.TxCommitter) // BeginTx of any pool returns one
}
