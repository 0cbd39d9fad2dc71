// Package migrate creates, changes, checks and removes the library's tables on PostgreSQL and
// SQLite.
//
//	err := migrate.Up(ctx, db, migrate.Options{Prefix: "chat_"})
//
// Only one process at a time migrates a database. Any number of them may therefore call Up when
// they start: each migration runs once, and every call returns nil when all are done. The lock
// belongs to a transaction (pg_advisory_xact_lock, or BEGIN IMMEDIATE on SQLite). It works behind
// a transaction pooler, and nothing needs to be cleaned up when its holder dies.
//
// A call is one transaction: a failed migration or a killed process leaves the database as it was.
// The exception are migrations that say so (docs/migrations.md) and find rows in their tables:
// those are done in parts that lock nobody out, indexes concurrently and rows in batches, and the
// next call of Up goes on where one was killed.
//
// On PostgreSQL no call waits for a table for longer than Options.LockTimeout, since everybody who
// needs the table waits behind it. It tries again instead, also after a deadlock, and after
// Options.WaitLimit it returns a *BlockedError, which names the sessions in its way.
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
// The migration named search makes what search needs. All of it is derived from the rows and holds no data of its own,
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
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// ErrNewer says that a newer release of the library has migrated the database, and that this code
// cannot do with it what it was asked to: Down lacks the migration to take back, and Up and the
// store return it (the store as store.ErrSchema) if the newer schema no longer works with this
// code. Nothing was changed.
var ErrNewer = errors.New("convostore: the schema is newer than this code")

// Up migrates the database to the version of this code, Latest. If it already has this version,
// Up only reads the version and takes no lock.
//
// Bad options and a db inside a transaction are a *rule.InvalidError, and so is a table of
// Options.Users or Options.Leads that is not there or to which a foreign key cannot refer. A
// database that is newer than the code stays as it is, without an error if the code works with it,
// and is ErrNewer if not; see Schema. On PostgreSQL a table that stays locked is a *BlockedError.
// On SQLite Up waits for other writers until ctx ends, at most a minute, whatever the host's
// busy_timeout is. It needs a free connection of the pool, and on PostgreSQL two for a migration
// that is done in parts: with a pool of one, the caller must not hold that connection.
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
// does nothing. On PostgreSQL it waits for locks as Up does. A migration that Up has begun and not
// finished is a *rule.InvalidError: Up finishes it.
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
	if steps, err := m.todo(ctx, m.pool, to); err == nil && len(steps) == 0 {
		return nil
	}
	for {
		var events []Event
		var next *step
		err := m.locked(ctx, func(q querier) error {
			if err := m.makeHostRecord(ctx, q); err != nil {
				return err
			}
			if err := m.fitCluster(ctx, q); err != nil {
				return err
			}
			steps, err := m.todo(ctx, q, to)
			if err != nil {
				return err
			}
			if m.host == "" && len(steps) > 0 && steps[0].version == 1 {
				if err := m.checkHost(ctx, q); err != nil {
					return err
				}
			}
			events, next, err = m.plainSteps(ctx, q, steps)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range events {
			m.tell(e)
		}
		if next == nil {
			return nil
		}
		if err := m.upOnline(ctx, *next); err != nil {
			return err
		}
	}
}

// todo returns the steps up to a version that the database lacks, oldest first. Of the library's
// these are the ones after its newest. A host's may also be older than that, since they come from
// several branches.
func (m *migrator) todo(ctx context.Context, q querier, to int64) (steps []step, err error) {
	if m.host != "" {
		return m.hostTodo(ctx, q, to)
	}
	have, err := m.schema(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := have.usable(m.newest()); err != nil {
		return nil, err
	}
	for _, s := range m.steps {
		if s.version > have.Version && s.version <= to {
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// down computes its target under the lock, so that two callers of Down revert two migrations.
func (m *migrator) down(ctx context.Context, target func(at int64) int64) error {
	var events []Event
	err := m.locked(ctx, func(q querier) error {
		steps, err := m.revertible(ctx, q, target)
		if err != nil {
			return err
		}
		var texts []string
		for _, s := range steps {
			texts = append(texts, statements(s.down)...)
		}
		if err := m.lockTables(ctx, q, texts); err != nil {
			return err
		}
		events = nil
		for _, s := range steps {
			begin := time.Now()
			if err := m.execute(ctx, q, s.down); err != nil {
				return fmt.Errorf("convostore: taking migration %s back: %w", s, err)
			}
			events = append(events, s.of(EventReverted, begin))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range events {
		m.tell(e)
	}
	return nil
}

// revertible returns the steps to take back, newest first.
func (m *migrator) revertible(ctx context.Context, q querier, target func(at int64) int64) ([]step, error) {
	if err := m.checkUnfinished(ctx, q); err != nil {
		return nil, err
	}
	if m.host != "" {
		return m.hostRevertible(ctx, q, target)
	}
	at, err := m.known(ctx, q)
	if err != nil {
		return nil, err
	}
	to := target(at)
	var steps []step
	for _, s := range slices.Backward(m.steps) {
		if s.version <= at && s.version > to {
			steps = append(steps, s)
		}
	}
	return steps, nil
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
