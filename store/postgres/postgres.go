// Package postgres opens a store on PostgreSQL 15 or newer through the driver pgx, with read
// replicas if the host has some.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/engine"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/store"
)

// Open connects to the server of dsn, a URL or key=value pairs, and returns a store on it. The
// store owns the connection pool, and Close closes it.
//
// Connections keep no session state except prepared statements, so that PgBouncer works in
// transaction mode. PgBouncer before 1.21 needs WithSimpleProtocol.
//
// Settings that change what the store's statements mean, such as client_encoding, have the values
// that the store needs, whatever the database, the role and dsn say. Where that cannot be, such as
// for the encoding of the database, the error is a *store.SettingError. docs/host.md lists them.
//
// When the context of a call ends, the store asks the server to cancel the statement, and keeps
// the connection for the next call. It closes a connection whose server does not answer within
// a second.
//
// Open migrates only with convostore.WithMigrate, under ctx, which the store does not keep. If
// ctx has ended, Open returns its error.
func Open(ctx context.Context, dsn string, opts ...convostore.Option) (store.Store, error) {
	c, err := config.New(opts...)
	if err != nil {
		return nil, err
	}
	config, err := parse(c, dsn)
	if err != nil {
		return nil, err
	}
	pool, err := connect(ctx, c, config)
	if err != nil {
		return nil, err
	}
	db, err := openGORM(c, pool)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	st, err := newStore(ctx, c, config, db, pool)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return st, nil
}

// newStore returns a store that closes the pool. If it fails, the caller closes it.
func newStore(ctx context.Context, c *config.Config, config *pgx.ConnConfig, db *gorm.DB, pool *sql.DB) (store.Store, error) {
	silence := func() {}
	if !c.Postgres.Silent {
		d, err := newDoorbell(c, pool, config)
		if err != nil {
			return nil, err
		}
		c.Doorbell, silence = d, d.close
	}
	st, err := newReplicated(ctx, c, config, db, func() error { silence(); return pool.Close() })
	if err != nil {
		silence()
	}
	return st, err
}

// newReplicated returns a store, with its replicas if it has some, that is closed by closer. If it
// fails, the caller closes.
func newReplicated(ctx context.Context, c *config.Config, config *pgx.ConnConfig, db *gorm.DB, closer func() error) (store.Store, error) {
	if len(c.Postgres.Replicas) == 0 {
		c.Closer = closer
		return engine.New(ctx, db, c)
	}
	m, err := newMonitor(c, config)
	if err != nil {
		return nil, err
	}
	c.Replicas, c.ReplicaRules = m, m.policy.rules()
	c.Closer = func() error { return errors.Join(m.close(), closer()) }
	st, err := engine.New(ctx, db, c)
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	// Only after the migrations: a replica that may lack the schema must not count as fresh.
	m.start()
	return st, nil
}

// WithSimpleProtocol sends every statement as text, in one round trip and without a prepared
// statement, for poolers that cannot keep one. The server then parses every statement each
// time.
func WithSimpleProtocol() convostore.Option {
	return func(c *config.Config) error {
		c.Postgres.SimpleProtocol = true
		return nil
	}
}

// WithMaxConns sets the most connections of the pool, and of that of each replica. The default
// is ten, or four for each processor if that is more. A number below 1 is ErrInvalid.
func WithMaxConns(n int) convostore.Option { return config.MaxConns(n) }

// WithConnMaxIdleTime closes connections that were idle for d, such as those of a peak. Without
// it they stay open. A d of 0 or less is ErrInvalid.
func WithConnMaxIdleTime(d time.Duration) convostore.Option { return config.ConnMaxIdleTime(d) }

// WithConnMaxLifetime closes connections that are older than d as soon as they are idle. A load
// balancer in between, or a server that has changed its address, then gets the new ones.
// Without it they stay open. A d of 0 or less is ErrInvalid.
func WithConnMaxLifetime(d time.Duration) convostore.Option { return config.ConnMaxLifetime(d) }
