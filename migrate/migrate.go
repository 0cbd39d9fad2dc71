// Package migrate creates, changes, checks and removes the library's tables on PostgreSQL and
// SQLite.
//
//	err := migrate.Up(ctx, db, migrate.Options{Prefix: "chat_"})
//
// Each call is one transaction under one lock. Any number of processes may therefore call Up
// when they start: each migration runs once, and every call returns nil when all are done. A
// failed migration or a killed process leaves the database as it was. The lock belongs to the
// transaction (pg_advisory_xact_lock, or BEGIN IMMEDIATE on SQLite). It works behind a
// transaction pooler, and nothing needs to be cleaned up when its holder dies.
//
// The table convostore_migrations records what ran and when. The migrations' own SQL creates and
// fills it: hosts that run the files of FS with golang-migrate, goose, atlas or psql get the same
// record, and can continue with Up later.
//
// The package uses no migration tool. When eight processes started goose or golang-migrate at
// once on an empty SQLite file, each without a busy_timeout, seven failed. goose without its
// session lock failed on PostgreSQL too, and a session lock is lost behind a transaction pooler.
// Both tools run one transaction for each file, or none, so that an error in the second file
// leaves the first one applied.
//
// Version 3 is the search indexes. They are derived from the rows and hold no data of their own,
// so that RebuildSearch can create them again, also with other options.
//
// This package imports no model, so that a change of a struct does not change what a migration
// does. It works on the connection pool below GORM, so that the host's GORM settings
// (PrepareStmt, NamingStrategy, callbacks) do not matter.
package migrate

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// ErrNewer says that the database has a version that this code does not know, because a newer
// release of the library has migrated it. Nothing was changed.
var ErrNewer = errors.New("convostore: the schema is newer than this code")

// Up migrates the database to the version of this code, Latest. If it already has this version,
// Up only reads the version and takes no lock.
//
// Bad options and a db inside a transaction are a *rule.InvalidError, and so is a table of
// Options.Users or Options.Leads that is not there or to which a foreign key cannot refer. A
// database that is newer than the code is ErrNewer. On SQLite Up waits for other writers until ctx ends, at most
// a minute, whatever the host's busy_timeout is. It needs a free connection of the pool: with a
// pool of one, the caller must not hold that connection.
func Up(ctx context.Context, db *gorm.DB, o Options) error {
	return UpTo(ctx, db, o, Latest())
}

// UpTo is Up to the given version. A database at this version or a newer one stays as it is. A
// version below 0 or above Latest is a *rule.InvalidError.
func UpTo(ctx context.Context, db *gorm.DB, o Options, version int64) error {
	m, err := open(db, o, version)
	if err != nil {
		return err
	}
	return m.up(ctx, version)
}

// Down reverts the newest migration, and drops the data in its tables. On an empty database it
// does nothing.
func Down(ctx context.Context, db *gorm.DB, o Options) error {
	m, err := open(db, o, 0)
	if err != nil {
		return err
	}
	return m.down(ctx, func(at int64) int64 { return m.before(at) })
}

// DownTo reverts every migration after version, newest first, and drops the data in their tables.
// DownTo 0 removes everything except a schema that Up created and the extensions, which others
// may use, and SQLite's own sqlite_sequence. A database at this version or an older one stays as
// it is. A version below 0 or above Latest is a *rule.InvalidError.
func DownTo(ctx context.Context, db *gorm.DB, o Options, version int64) error {
	m, err := open(db, o, version)
	if err != nil {
		return err
	}
	return m.down(ctx, func(int64) int64 { return version })
}

// up reads the version without the lock first. Most starts of a host find nothing to do, and
// should neither wait for a writer nor need the right to write.
func (m *migrator) up(ctx context.Context, to int64) error {
	if at, err := m.known(ctx, m.pool); err == nil && at >= to {
		return nil
	}
	return m.locked(ctx, func(q querier) error {
		at, err := m.known(ctx, q)
		if err != nil {
			return err
		}
		if at == 0 && to > 0 {
			if err := m.checkHost(ctx, q); err != nil {
				return err
			}
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

// down computes its target under the lock, so that two callers of Down revert two migrations.
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
