// Package postgres opens a store on PostgreSQL 15 or newer, through pgx.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/engine"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Open connects to the server of a DSN, a URL or key=value pairs. The store owns the
// pool, and Close closes it.
//
// Connections keep no session state beside prepared statements, so that PgBouncer in
// transaction mode works: with WithSimpleProtocol if it is older than 1.21.
//
// When the context of a call ends, the server is asked to stop the statement, and the
// connection serves the next call; one that does not answer within a second is closed.
//
// Nothing migrates unless convostore.WithMigrate says so, under ctx, which the store does not
// keep. If ctx is over, Open returns its error.
func Open(ctx context.Context, dsn string, opts ...convostore.Option) (store.Store, error) {
	c, err := config.New(opts...)
	if err != nil {
		return nil, err
	}
	config, err := parse(c, dsn)
	if err != nil {
		return nil, err
	}
	pool := openPool(c, config)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("convostore: connect: %w", err), pool.Close())
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

// newStore closes the pool only through the store.
func newStore(ctx context.Context, c *config.Config, config *pgx.ConnConfig, db *gorm.DB, pool *sql.DB) (store.Store, error) {
	if len(c.Postgres.Replicas) == 0 {
		c.Closer = pool.Close
		return engine.New(ctx, db, c)
	}
	m, err := newMonitor(c, config)
	if err != nil {
		return nil, err
	}
	c.Replicas, c.ReplicaRules = m, m.policy.rules()
	c.Closer = func() error { return errors.Join(m.close(), pool.Close()) }
	st, err := engine.New(ctx, db, c)
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	// Not before the schema is there: no replica counts as fresh that may lack it.
	m.start()
	return st, nil
}

// WithSimpleProtocol sends every statement as text, in one round trip and without a
// prepared statement, for poolers that cannot keep one. It costs the server the parsing
// each time.
func WithSimpleProtocol() convostore.Option {
	return func(c *config.Config) error {
		c.Postgres.SimpleProtocol = true
		return nil
	}
}

// WithMaxConns sets the most connections of the pool; ten, or four for each processor
// if that is more.
func WithMaxConns(n int) convostore.Option {
	return func(c *config.Config) error {
		if n < 1 {
			return rule.Invalid("WithMaxConns", "is not 1 or more")
		}
		c.Postgres.MaxConns = n
		return nil
	}
}
