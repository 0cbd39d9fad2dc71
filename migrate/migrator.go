package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"

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
	// host is the name of the host's set of migrations, and empty for the library's.
	host string
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
// nil. Only one migrator at a time holds the lock. It may run fn several times, each in a
// transaction of its own, after those before were rolled back.
func (m *migrator) locked(ctx context.Context, fn func(querier) error) error {
	if m.dialect == sqlite {
		return lockedSQLite(ctx, m.pool, fn)
	}
	return m.lockedPostgres(ctx, fn)
}

// guarded runs fn, whose transactions are those of work, while no other migrator works.
func (m *migrator) guarded(ctx context.Context, fn func() error) error {
	if m.dialect == sqlite {
		// Two may do the same parts at the same time: each transaction reads first how far
		// they are, and doing a batch again changes nothing.
		return fn()
	}
	return m.guardPostgres(ctx, fn)
}

// work is locked for a part of a migration, inside guarded.
func (m *migrator) work(ctx context.Context, fn func(querier) error) error {
	if m.dialect == sqlite {
		return lockedSQLite(ctx, m.pool, fn)
	}
	return m.workPostgres(ctx, fn)
}

// quoted returns the quoted name of one of the library's tables.
func (m *migrator) quoted(table string) string { return m.options.tables().Quoted(table) }

// escaped returns a text for between the quotes of an SQL literal.
func escaped(text string) string { return strings.ReplaceAll(text, "'", "''") }
