package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/internal/engine/config"
)

// parse returns the configuration of a DSN and of the options in c, with the settings that the
// store needs. Its error does not hold the password.
func parse(c *config.Config, dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("convostore: %w", err)
	}
	if c.Postgres.SimpleProtocol {
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	}
	pin(config, pinned)
	pin(config, c.Postgres.Pins)
	return config, nil
}

// openPool returns a pool, without connecting.
func openPool(c *config.Config, config *pgx.ConnConfig, opts ...stdlib.OptionOpenDB) *sql.DB {
	pool := stdlib.OpenDB(withCancelRequests(config), opts...)
	c.Pool.Apply(pool, max(10, 4*runtime.NumCPU()))
	return pool
}

// openGORM returns a handle on the pool. If it fails, the pool stays open.
func openGORM(c *config.Config, pool *sql.DB) (*gorm.DB, error) {
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{
		NamingStrategy:       c.Naming(),
		Logger:               logger.Discard,
		DisableAutomaticPing: true,
	})
	if err != nil {
		return nil, fmt.Errorf("convostore: open database: %w", err)
	}
	return db, nil
}

// openWatch returns the pool of one connection on which the monitor asks a server for its
// position, so that it need not wait for the store's busy pool. With pgx's default, the end of a
// question's context closes the connection: the next question does not wait for a server that
// has not answered the last one.
func openWatch(config *pgx.ConnConfig) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(1)
	return db
}

func address(config *pgx.ConnConfig) string {
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}

// position is how far a server is in its write-ahead log (WAL).
type position struct {
	system, timeline, lsn int64
	// standby is true for a server in recovery, and paused for one whose replay is paused.
	standby, paused bool
}

// primaryPosition asks for the insert position, not the written one: with synchronous_commit
// off a commit is acknowledged before it is written. The timeline comes from the name of the
// WAL file, which is right from the moment of a promotion.
const primaryPosition = `SELECT (SELECT system_identifier FROM pg_control_system()),
CAST(CAST('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS bit(32)) AS bigint),
CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)`

// standbyLSN asks a standby for the position that it has replayed, 0 before the first.
const standbyLSN = `SELECT CAST(coalesce(pg_last_wal_replay_lsn() - '0/0', 0) AS bigint)`

// standbyPosition asks a standby. It reports a new timeline only from its next restart point on.
const standbyPosition = `SELECT (SELECT system_identifier FROM pg_control_system()),
(SELECT CAST(timeline_id AS bigint) FROM pg_control_checkpoint()),
CAST(coalesce(pg_last_wal_replay_lsn() - '0/0', 0) AS bigint), pg_is_in_recovery(),
CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END`

func readPrimary(ctx context.Context, db *sql.DB) (p position, err error) {
	err = db.QueryRowContext(ctx, primaryPosition).Scan(&p.system, &p.timeline, &p.lsn)
	return p, err
}

func readStandby(ctx context.Context, db *sql.DB) (p position, err error) {
	err = db.QueryRowContext(ctx, standbyPosition).Scan(&p.system, &p.timeline, &p.lsn, &p.standby, &p.paused)
	return p, err
}

func closeAll(pools ...*sql.DB) error {
	var errs []error
	for _, p := range pools {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
