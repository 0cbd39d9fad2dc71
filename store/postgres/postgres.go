// Package postgres opens a store on PostgreSQL 15 or newer, through pgx.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Open connects to the server of a DSN, a URL or key=value pairs. The store owns the
// pool, and Close closes it.
//
// Connections keep no session state beside prepared statements, so that PgBouncer in
// transaction mode works: with WithSimpleProtocol if it is older than 1.21.
//
// Nothing migrates unless store.WithMigrate says so.
func Open(ctx context.Context, dsn string, opts ...store.Option) (store.Store, error) {
	c, err := store.NewConfig(opts...)
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The error of pgx leaves the password out.
		return nil, fmt.Errorf("convostore: %w", err)
	}
	if simple, _ := c.Get(simpleKey{}).(bool); simple {
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	}
	pool := stdlib.OpenDB(*config)
	// Idle connections stay: a new one costs more than a hundred queries.
	conns := max(10, 4*runtime.NumCPU())
	if n, ok := c.Get(connsKey{}).(int); ok {
		conns = n
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("convostore: connect: %w", err), pool.Close())
	}
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{
		NamingStrategy:         c.Naming(),
		Logger:                 logger.Discard,
		SkipDefaultTransaction: true,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("convostore: open database: %w", err), pool.Close())
	}
	st, err := store.New(db, append(opts, store.WithCloser(pool.Close))...)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return st, nil
}

type (
	simpleKey struct{}
	connsKey  struct{}
)

// WithSimpleProtocol sends every statement as text, in one round trip and without a
// prepared statement, for poolers that cannot keep one. It costs the server the parsing
// each time.
func WithSimpleProtocol() store.Option {
	return func(c *store.Config) error {
		c.Set(simpleKey{}, true)
		return nil
	}
}

// WithMaxConns sets the most connections of the pool; ten, or four for each processor
// if that is more.
func WithMaxConns(n int) store.Option {
	return func(c *store.Config) error {
		if n < 1 {
			return rule.Invalid("WithMaxConns", "is not 1 or more")
		}
		c.Set(connsKey{}, n)
		return nil
	}
}
