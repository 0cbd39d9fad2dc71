package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// The names that GORM's dialects give themselves.
const (
	postgres = "postgres"
	sqlite   = "sqlite"
)

// querier runs statements on a pool, a connection or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// migrator holds the arguments of one call of this package.
type migrator struct {
	dialect string
	options Options
	files   fs.FS
	pool    *sql.DB
	steps   []step
}

// reader returns a migrator that only reads, through q, which may be inside the host's
// transaction.
func reader(db *gorm.DB, o Options) (m *migrator, q querier, err error) {
	if db == nil || db.Config == nil || db.Dialector == nil || db.Statement == nil {
		return nil, nil, rule.Invalid("db", "an open *gorm.DB")
	}
	if db.Error != nil {
		return nil, nil, db.Error
	}
	m = &migrator{dialect: db.Name(), options: o}
	return m, db.Statement.ConnPool, o.check(m.dialect)
}

// open returns a migrator that can write. It refuses a db inside a transaction, and a version
// that is out of range.
func open(db *gorm.DB, o Options, version int64) (*migrator, error) {
	if err := inRange(version); err != nil {
		return nil, err
	}
	return openFiles(db, o, files)
}

// openFiles is open with other migrations than the library's own, for tests.
func openFiles(db *gorm.DB, o Options, files fs.FS) (*migrator, error) {
	m, q, err := reader(db, o)
	if err != nil {
		return nil, err
	}
	// db.DB would return the pool behind the transaction, which does not see the host's writes.
	if _, inside := q.(gorm.TxCommitter); inside {
		return nil, rule.Invalid("db", "no transaction: migrations run in their own")
	}
	if m.pool, err = db.DB(); err != nil {
		return nil, fmt.Errorf("convostore: the pool of connections: %w", err)
	}
	m.files = files
	m.steps, err = render(files, newPage(m.dialect, o))
	return m, err
}

// locked runs fn in one transaction under the lock of the database, and commits if fn returns
// nil. Only one migrator at a time holds the lock.
func (m *migrator) locked(ctx context.Context, fn func(querier) error) error {
	if m.dialect == sqlite {
		return lockedSQLite(ctx, m.pool, fn)
	}
	return lockedPostgres(ctx, m.pool, fn)
}
