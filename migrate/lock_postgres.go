package migrate

import (
	"context"
	"database/sql"
	"fmt"
)

// lockPostgres takes one advisory lock for the whole database, not one for each schema or prefix.
// Otherwise two services that start at once would race for CREATE EXTENSION and CREATE SCHEMA,
// whose IF NOT EXISTS fails while another transaction creates the same object.
//
// By default Citus changes the shards of a table in parallel, over many connections, and then
// refuses most statements that follow in the transaction. The setting makes it change them one
// after the other.
const lockPostgres = `SELECT pg_advisory_xact_lock(hashtextextended('convostore_migrations', 0)),
	CASE WHEN ` + isCitus + ` THEN set_config('citus.multi_shard_modify_mode', 'sequential', true) END`

// isCitus is the condition that the database has the extension citus.
const isCitus = `EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')`

// lockedPostgres runs fn in a transaction that holds the lock.
func lockedPostgres(ctx context.Context, db *sql.DB, fn func(querier) error) error {
	// Under REPEATABLE READ, which may be the server's default, a caller that has waited for
	// the lock would continue with an older snapshot, and migrate again.
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return fmt.Errorf("convostore: begin: %w", err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, lockPostgres); err != nil {
		return fmt.Errorf("convostore: lock the migrations: %w", err)
	}
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("convostore: commit: %w", err)
	}
	return nil
}
