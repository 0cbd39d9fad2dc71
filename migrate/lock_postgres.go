package migrate

import (
	"context"
	"database/sql"
	"fmt"
)

// lockPostgres is one lock for the whole database, not one for a schema or prefix: two
// services that come up at once would race for CREATE EXTENSION and CREATE SCHEMA, whose
// IF NOT EXISTS fails when another transaction is just making the same one.
//
// Citus changes the shards of a table side by side, over many connections, and then refuses
// most of what follows in the transaction. It is asked to take them one after the other.
const lockPostgres = `SELECT pg_advisory_xact_lock(hashtextextended('convostore_migrations', 0)),
	CASE WHEN ` + isCitus + ` THEN set_config('citus.multi_shard_modify_mode', 'sequential', true) END`

// isCitus is the condition that tables of the database can be distributed.
const isCitus = `EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')`

func lockedPostgres(ctx context.Context, db *sql.DB, fn func(querier) error) error {
	// Under a default of REPEATABLE READ who waited for the lock would go on with a
	// snapshot from before, and migrate again.
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
