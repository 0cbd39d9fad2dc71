package column

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/dialect"
)

// Times returns the clauses of a model with times, for each of GORM's four interfaces of a
// field's clauses. With them a statement of plain GORM binds every time in the one form that
// SQLite's tables have: those of its conditions, and the ones that GORM takes from NowFunc for
// UpdatedAt and for a soft delete. Neither the zone of the process nor the driver matters then.
// A statement without a model, such as raw SQL, does not have them.
func Times() []clause.Interface { return []clause.Interface{bindTimes{}} }

// BoundTime returns a time as raw SQL has to bind it, which has no model and so no clauses.
func BoundTime(tx *gorm.DB, t time.Time) any {
	if d, err := dialect.Of(tx); err == nil && !d.BindsTime() {
		return dialect.TimeText(t)
	}
	return t
}

// InUTC is the type of a field that stores nothing. A model without an enum has it, so that its
// statements have the clauses of Times.
type InUTC struct{}

// CreateClauses implements schema.CreateClausesInterface.
func (InUTC) CreateClauses(*schema.Field) []clause.Interface { return Times() }

// QueryClauses implements schema.QueryClausesInterface.
func (InUTC) QueryClauses(*schema.Field) []clause.Interface { return Times() }

// UpdateClauses implements schema.UpdateClausesInterface.
func (InUTC) UpdateClauses(*schema.Field) []clause.Interface { return Times() }

// DeleteClauses implements schema.DeleteClausesInterface.
func (InUTC) DeleteClauses(*schema.Field) []clause.Interface { return Times() }

// bindTimes implements clause.Interface and gorm.StatementModifier. It adds nothing to the SQL.
type bindTimes struct{}

func (bindTimes) Name() string               { return "" }
func (bindTimes) Build(clause.Builder)       {}
func (bindTimes) MergeClause(*clause.Clause) {}
func (bindTimes) ModifyStatement(stmt *gorm.Statement) {
	d, err := dialect.Of(stmt.DB)
	if err != nil || d.BindsTime() {
		return
	}
	switch pool := stmt.ConnPool.(type) {
	case *timesPool, *timesTx, *timesCommitter:
	case gorm.Tx:
		stmt.ConnPool = &timesTx{timesPool{pool}, pool}
	case gorm.TxCommitter:
		stmt.ConnPool = &timesCommitter{timesPool{stmt.ConnPool}, pool}
	default:
		stmt.ConnPool = &timesPool{pool}
	}
}

// timesPool is a pool or a transaction that binds times as text.
type timesPool struct{ gorm.ConnPool }

// timesTx is a timesPool of a transaction that GORM may end, or prepare statements in.
type timesTx struct {
	timesPool
	tx gorm.Tx
}

// Commit implements gorm.TxCommitter.
func (t *timesTx) Commit() error { return t.tx.Commit() }

// Rollback implements gorm.TxCommitter.
func (t *timesTx) Rollback() error { return t.tx.Rollback() }

// StmtContext implements gorm.Tx. What runs on the statement is bound as the driver does it.
func (t *timesTx) StmtContext(ctx context.Context, stmt *sql.Stmt) *sql.Stmt {
	return t.tx.StmtContext(ctx, stmt)
}

// timesCommitter is a timesPool of a transaction that GORM may end.
type timesCommitter struct {
	timesPool
	gorm.TxCommitter
}

var (
	_ gorm.ConnPoolBeginner = (*timesPool)(nil)
	_ gorm.GetDBConnector   = (*timesPool)(nil)
	_ gorm.Tx               = (*timesTx)(nil)
	_ gorm.ConnPool         = (*timesCommitter)(nil)
)

// bound returns a copy: GORM logs its arguments after the statement.
func bound(args []any) []any {
	args = slices.Clone(args)
	dialect.BindTimes(args)
	return args
}

// ExecContext implements gorm.ConnPool.
func (p *timesPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return p.ConnPool.ExecContext(ctx, query, bound(args)...)
}

// QueryContext implements gorm.ConnPool.
func (p *timesPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.ConnPool.QueryContext(ctx, query, bound(args)...)
}

// QueryRowContext implements gorm.ConnPool.
func (p *timesPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.ConnPool.QueryRowContext(ctx, query, bound(args)...)
}

// BeginTx implements gorm.ConnPoolBeginner, for a host that goes on with the handle of a
// statement.
func (p *timesPool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	switch pool := p.ConnPool.(type) {
	case gorm.TxBeginner:
		return pool.BeginTx(ctx, opts)
	case gorm.ConnPoolBeginner:
		return pool.BeginTx(ctx, opts)
	}
	return nil, gorm.ErrInvalidTransaction
}

// GetDBConn implements gorm.GetDBConnector, so that gorm.DB.DB finds the pool.
func (p *timesPool) GetDBConn() (*sql.DB, error) {
	switch pool := p.ConnPool.(type) {
	case *sql.DB:
		return pool, nil
	case gorm.GetDBConnector:
		return pool.GetDBConn()
	}
	return nil, gorm.ErrInvalidDB
}

// Unwrap returns what GORM would have run the statement on.
func (p *timesPool) Unwrap() gorm.ConnPool { return p.ConnPool }
