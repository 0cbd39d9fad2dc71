// Package migrate makes, changes, checks and removes the library's tables on PostgreSQL
// and SQLite.
//
//	err := migrate.Up(ctx, db, migrate.Options{Prefix: "chat_"})
//
// A call works in one transaction under one lock, so any number of processes may call Up
// when they start: each migration runs once, and everybody returns nil when it is done. A
// migration that fails, and a process that is killed, leave the database as it was. The
// lock is one of the transaction's own (pg_advisory_xact_lock, or BEGIN IMMEDIATE on
// SQLite), so it works behind a pooler that pools transactions, and nothing has to be
// cleared away when a holder dies.
//
// The table convostore_migrations says what ran and when. It is made and filled by the
// migrations' own SQL: hosts that run the files of FS with golang-migrate, goose, atlas
// or psql get the same record, and can go on with Up later.
//
// There is no migration tool underneath. Of eight processes that started goose or
// golang-migrate at once on an empty SQLite file, each without a busy_timeout, seven
// failed; goose without its session lock failed on PostgreSQL too, and a session lock is
// lost behind a transaction pooler. Both run one transaction a file or none, so that an
// error in the second leaves the first.
//
// The indexes of search are version 3. They are made from the rows and hold nothing of
// their own, so that RebuildSearch can make them again, with other options too.
//
// This package imports no model: what a migration did stays what it was when a struct
// changes. It works below GORM on the pool of connections, so the host's GORM settings
// (PrepareStmt, NamingStrategy, callbacks) do not matter.
package migrate

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// ErrNewer says that the database has a version that this code does not know: a newer
// release of the library was here. Nothing was changed.
var ErrNewer = errors.New("convostore: the schema is newer than this code")

// Up brings the database to the version that this code wants, Latest. On one that is
// there already it reads the version and returns nil, without the lock.
//
// Bad options and a db inside a transaction are refused with a *rule.InvalidError; a
// database that is newer than the code with ErrNewer. On SQLite it waits for other
// writers until ctx ends, a minute at most, whatever the host's busy_timeout. It needs a
// free connection of the pool: with a pool of one, not one that waits for the caller.
func Up(ctx context.Context, db *gorm.DB, o Options) error {
	return UpTo(ctx, db, o, Latest())
}

// UpTo is Up as far as version. A database that is there or further stays as it is. A
// version below 0 or above Latest is a *rule.InvalidError.
func UpTo(ctx context.Context, db *gorm.DB, o Options, version int64) error {
	m, err := open(db, o, version)
	if err != nil {
		return err
	}
	return m.up(ctx, version)
}

// Down takes the newest migration back, with the data in its tables. On an empty
// database it does nothing.
func Down(ctx context.Context, db *gorm.DB, o Options) error {
	m, err := open(db, o, 0)
	if err != nil {
		return err
	}
	return m.down(ctx, func(at int64) int64 { return m.before(at) })
}

// DownTo takes back, newest first, what came after version, with the data in those
// tables: DownTo 0 removes everything except a schema that Up made and the extensions,
// which others may use, and SQLite's own sqlite_sequence. A database that is at version or before it stays as
// it is. A version below 0 or above Latest is a *rule.InvalidError.
func DownTo(ctx context.Context, db *gorm.DB, o Options, version int64) error {
	m, err := open(db, o, version)
	if err != nil {
		return err
	}
	return m.down(ctx, func(int64) int64 { return version })
}

// up asks without the lock first: most starts of a host find nothing to do, and should
// neither wait for a writer nor need the right to write.
func (m *migrator) up(ctx context.Context, to int64) error {
	if at, err := m.known(ctx, m.pool); err == nil && at >= to {
		return nil
	}
	return m.locked(ctx, func(q querier) error {
		at, err := m.known(ctx, q)
		if err != nil {
			return err
		}
		for _, s := range m.steps {
			if s.version <= at || s.version > to {
				continue
			}
			if err := m.run(ctx, q, s, s.up); err != nil {
				return err
			}
		}
		return nil
	})
}

// down asks for its target under the lock, since two callers of Down take two steps.
func (m *migrator) down(ctx context.Context, target func(at int64) int64) error {
	return m.locked(ctx, func(q querier) error {
		at, err := m.known(ctx, q)
		if err != nil {
			return err
		}
		to := target(at)
		for i := len(m.steps) - 1; i >= 0; i-- {
			s := m.steps[i]
			if s.version > at || s.version <= to {
				continue
			}
			if err := m.execute(ctx, q, s.down); err != nil {
				return fmt.Errorf("convostore: taking migration %s back: %w", s, err)
			}
		}
		return nil
	})
}

// before returns the newest version older than at, 0 when there is none.
func (m *migrator) before(at int64) int64 {
	var before int64
	for _, s := range m.steps {
		if s.version < at {
			before = s.version
		}
	}
	return before
}

// inRange refuses a version that no migration of this code has.
func inRange(version int64) error {
	if version < 0 || version > Latest() {
		return rule.Invalid("version", "0 to %d", Latest())
	}
	return nil
}
