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

// parse reads a DSN with the options of the store. Its error leaves the password out.
func parse(c *config.Config, dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("convostore: %w", err)
	}
	if c.Postgres.SimpleProtocol {
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	}
	return config, nil
}

// openPool connects to nothing yet.
func openPool(c *config.Config, config *pgx.ConnConfig, opts ...stdlib.OptionOpenDB) *sql.DB {
	pool := stdlib.OpenDB(cancelling(config), opts...)
	// Idle connections stay: a new one costs more than a hundred queries.
	conns := max(10, 4*runtime.NumCPU())
	if c.Postgres.MaxConns > 0 {
		conns = c.Postgres.MaxConns
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool
}

// openGORM leaves the pool open if it fails.
func openGORM(c *config.Config, pool *sql.DB) (*gorm.DB, error) {
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{
		NamingStrategy:         c.Naming(),
		Logger:                 logger.Discard,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
	})
	if err != nil {
		return nil, fmt.Errorf("convostore: open database: %w", err)
	}
	return db, nil
}

// watcher is the connection on which a server is asked for its place in the log: it must
// not wait for those of a busy pool. It is closed when a server takes too long, and so the
// next question does not wait for the answer to this one.
func watcher(config *pgx.ConnConfig) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(1)
	return db
}

func address(config *pgx.ConnConfig) string {
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}

// place is where a server is in which log.
type place struct {
	system, timeline, lsn int64
	// standby says that the server copies another, and paused that it was told to stop.
	standby, paused bool
}

// The insert position is ahead of what is written: with synchronous_commit off a commit is
// acknowledged before. The timeline is that of the name of the log's file, which is right
// from the moment of a promotion on.
const primaryPlace = `SELECT (SELECT system_identifier FROM pg_control_system()),
CAST(CAST('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS bit(32)) AS bigint),
CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)`

const standbyLSN = `SELECT CAST(coalesce(pg_last_wal_replay_lsn() - '0/0', 0) AS bigint)`

// A standby tells its timeline from its last restart point on.
const standbyPlace = `SELECT (SELECT system_identifier FROM pg_control_system()),
(SELECT CAST(timeline_id AS bigint) FROM pg_control_checkpoint()),
CAST(coalesce(pg_last_wal_replay_lsn() - '0/0', 0) AS bigint), pg_is_in_recovery(),
CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END`

func placeOfPrimary(ctx context.Context, db *sql.DB) (p place, err error) {
	err = db.QueryRowContext(ctx, primaryPlace).Scan(&p.system, &p.timeline, &p.lsn)
	return p, err
}

func placeOfStandby(ctx context.Context, db *sql.DB) (p place, err error) {
	err = db.QueryRowContext(ctx, standbyPlace).Scan(&p.system, &p.timeline, &p.lsn, &p.standby, &p.paused)
	return p, err
}

func closeAll(pools ...*sql.DB) error {
	var errs []error
	for _, p := range pools {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
