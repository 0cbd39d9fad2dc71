package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/rule"
)

// tryLockPostgres takes one advisory lock for the whole database, not one for each schema or
// prefix. Otherwise two services that start at once would race for CREATE EXTENSION and CREATE
// SCHEMA, whose IF NOT EXISTS fails while another transaction creates the same object.
//
// It does not wait for the lock: a session that waits inside a statement holds a snapshot, and
// CREATE INDEX CONCURRENTLY of the one that has the lock would wait for that snapshot for ever.
const tryLockPostgres = `SELECT pg_try_advisory_xact_lock(` + lockKey + `)`

// lockKey is the number of the advisory lock.
const lockKey = `hashtextextended('convostore_migrations', 0)`

// sequentialCitus is for Citus, which by default changes the shards of a table in parallel, over
// many connections, and then refuses most statements that follow in the transaction. The setting
// makes it change them one after the other.
const sequentialCitus = `SELECT CASE WHEN ` + isCitus + ` THEN set_config('citus.multi_shard_modify_mode', 'sequential', true) END`

// isCitus is the condition that the database has the extension citus.
const isCitus = `EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')`

const (
	// maxPoll is the longest pause before another try for the advisory lock.
	maxPoll = 200 * time.Millisecond
	// maxPause is the longest pause before another try for the locks of tables, in which those
	// who work on the tables catch up.
	maxPause = time.Second
)

// errTaken says that another session has the advisory lock.
var errTaken = errors.New("convostore: another process migrates")

// lockedPostgres runs fn in a transaction that holds the advisory lock. It runs fn again after a
// deadlock, and when a lock on a table was not free in time.
func (m *migrator) lockedPostgres(ctx context.Context, fn func(querier) error) error {
	return m.retried(ctx, func() error {
		return polled(ctx, func() error {
			return m.transaction(ctx, func(tx querier) error {
				if err := tryLock(ctx, tx, tryLockPostgres); err != nil {
					return err
				}
				return fn(tx)
			})
		})
	})
}

// workPostgres is lockedPostgres without the advisory lock, which guardPostgres holds.
func (m *migrator) workPostgres(ctx context.Context, fn func(querier) error) error {
	return m.retried(ctx, func() error { return m.transaction(ctx, fn) })
}

// guardPostgres holds the advisory lock on a connection of its own while fn works on others: an
// index cannot be made CONCURRENTLY inside a transaction. The transaction with the lock does
// nothing, and so holds no snapshot that fn would have to wait for.
func (m *migrator) guardPostgres(ctx context.Context, fn func() error) error {
	if m.pool.Stats().MaxOpenConnections == 1 {
		return rule.Invalid("db", "has a pool of one connection: this migration works on filled tables and needs two")
	}
	return polled(ctx, func() error { return m.holding(ctx, tryLockPostgres, fn) })
}

// holding runs fn while a transaction of its own holds an advisory lock, which the statement try
// takes. It returns errTaken if another session has the lock.
func (m *migrator) holding(ctx context.Context, try string, fn func() error) error {
	return m.transaction(ctx, func(tx querier) error {
		if err := tryLock(ctx, tx, try); err != nil {
			return err
		}
		// One more statement also closes the portal of the one before, which keeps a snapshot.
		if _, err := tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return fmt.Errorf("convostore: keep the lock: %w", err)
		}
		return fn()
	})
}

func tryLock(ctx context.Context, tx querier, try string) error {
	var free bool
	if err := scanRow(ctx, tx, try, &free); err != nil {
		return fmt.Errorf("convostore: take the lock: %w", err)
	}
	if !free {
		return errTaken
	}
	return nil
}

// polled runs try until another session no longer has the advisory lock.
func polled(ctx context.Context, try func() error) error {
	for pause := time.Millisecond; ; pause = min(2*pause, maxPoll) {
		err := try()
		if !errors.Is(err, errTaken) {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return fmt.Errorf("%w: %w", errTaken, err)
		}
	}
}

// transaction runs fn in one transaction, in which no statement waits for a lock for longer than
// Options.LockTimeout, and which sees the extensions.
func (m *migrator) transaction(ctx context.Context, fn func(querier) error) error {
	// Under REPEATABLE READ, which may be the server's default, a caller that has waited for
	// the lock would continue with an older snapshot, and migrate again.
	tx, err := m.pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return fmt.Errorf("convostore: begin: %w", err)
	}
	defer tx.Rollback()
	for _, s := range []string{setLockTimeout(m.options.lockTimeout()), sequentialCitus, extensionsOnPath} {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("convostore: prepare the transaction: %w", err)
		}
	}
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("convostore: commit: %w", err)
	}
	return nil
}

func setLockTimeout(d time.Duration) string {
	return fmt.Sprintf("SET LOCAL lock_timeout = %d", max(1, d.Milliseconds()))
}

// extensionsOnPath appends the schemas of the extensions to the search_path of the transaction,
// so that their types and operator classes are found wherever they are. It does nothing for a
// search_path without an existing schema, for which the extensions' would become the one in
// which tables are created.
const extensionsOnPath = `SELECT set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), string_agg(DISTINCT quote_ident(n.nspname), ', ')), true)
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname IN ('vector', 'pg_trgm') AND NOT n.nspname = ANY (current_schemas(true)) AND current_schema() IS NOT NULL
HAVING count(*) > 0`

// retried runs try again after a deadlock and after a lock that was not free in time, until
// Options.WaitLimit has passed.
func (m *migrator) retried(ctx context.Context, try func() error) error {
	begin, blocked := time.Now(), &BlockedError{}
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, maxPause) {
		err := try()
		if err == nil || !isBlocked(err) {
			return err
		}
		m.note(ctx, blocked, err, time.Since(begin))
		if blocked.Waited >= m.options.waitLimit() {
			return blocked
		}
		m.tell(Event{Kind: EventWaiting, What: blocked.Statement, Rows: -1, Took: blocked.Waited, Blockers: blocked.Blockers})
		if err := sleep(ctx, pause); err != nil {
			blocked.Err = errors.Join(err, blocked.Err)
			return blocked
		}
	}
}

// note adds a failed try to blocked, and who was in its way. It keeps the last ones that were
// seen: they may be gone by the time it asks.
func (m *migrator) note(ctx context.Context, blocked *BlockedError, err error, waited time.Duration) {
	blocked.Tries++
	blocked.Err, blocked.Waited = err, waited
	var failed *statementError
	if !errors.As(err, &failed) {
		return
	}
	blocked.Statement = headline(failed.sql)
	if list, err := m.blockers(ctx, failed.sql); err == nil && len(list) > 0 {
		blocked.Blockers = list
	}
}

// isBlocked tells whether an error says that a lock was not free in time or that two sessions
// waited for each other.
func isBlocked(err error) bool {
	return dialect.CodeOf(err) == "55P03" || dialect.KindOf(err) == dialect.Retry
}

// sleep waits for a random time of at most pause, or until ctx ends, whose error it returns.
func sleep(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause/2 + rand.N(pause)/2):
		return nil
	}
}
