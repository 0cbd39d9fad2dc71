// Package config holds what options set before a store is opened. Options are applied once, to
// a Config that the backend and the engine then share.
package config

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Option configures a store. Options of one backend, such as a pool size, are in the backend's
// package. An option may be used for any number of stores, also at the same time.
type Option func(*Config) error

// Config is what options set. Only the backends and the engine use it.
type Config struct {
	Tables naming.Tables
	NewID  func() (uuid.UUID, error)
	Now    func() time.Time
	// Clean says what is taken out of texts, stored and looked up.
	Clean clean.Options
	// MaxBytes bounds the texts and documents of a row, see message.MaxBytes.
	MaxBytes int
	Embedder store.Embedder
	// Languages are those of the store's stemmers, nil without any.
	Languages     *words.Languages
	CodesInMemory bool
	Log           *query.StatementLog
	Leads         *store.HostTable
	Migrate       *migrate.Options
	Reader        *gorm.DB
	Closer        func() error
	// File is the SQLite file of a store that opened it. For a host's handle it is found later.
	File *query.File
	// Written is called after a write outside of a host's transaction, by its caller; nil if
	// there is nothing to do.
	Written      func(ctx context.Context)
	Replicas     replica.Set
	ReplicaRules replica.Rules
	// Pool is set by options of the packages that open a pool.
	Pool Pool
	// Synchronous is set by an option of package store/sqlite.
	Synchronous string
	// Postgres is set by the options of package store/postgres.
	Postgres Postgres
}

// Postgres says how to open a pool of PostgreSQL. The zero value of a field stands for the
// backend's default.
type Postgres struct {
	SimpleProtocol bool
	// Pins are settings that each new connection gets, because the database or the role has
	// others as its default.
	Pins map[string]string
	// Replicas are the DSNs of streaming replicas, ReplicaEvery the interval at which they are
	// asked how far they have caught up, and ReplicaRules the rules for their use.
	Replicas     []string
	ReplicaEvery time.Duration
	ReplicaRules replica.Rules
}

// New returns the defaults with options applied. A backend passes the result on to engine.New
// and not the options, which must not be applied twice.
func New(opts ...Option) (*Config, error) {
	c := &Config{NewID: uuid.NewV7, Now: time.Now, MaxBytes: message.MaxBytes}
	if err := c.Apply(opts...); err != nil {
		return nil, err
	}
	return c, nil
}

// Apply applies options in their order. A nil option is ErrInvalid, with its place in the list,
// counted from 1.
func (c *Config) Apply(opts ...Option) error {
	for i, o := range opts {
		if o == nil {
			return rule.Invalid("opts", "has a nil option at place %d of %d", i+1, len(opts))
		}
		if err := o(c); err != nil {
			return err
		}
	}
	if err := c.Agree(); err != nil {
		return err
	}
	return c.Tables.Validate()
}

// Naming returns the GORM naming strategy with which the models find the store's tables.
func (c *Config) Naming() Naming { return NewNaming(c.Tables.Prefix, c.Tables.Schema, nil) }

// Instant returns the current time in the precision that the databases keep.
func (c *Config) Instant() time.Time { return message.Instant(c.Now()) }

// Agree makes the names of the tables those of the migrations as well. Either of the two may leave
// out the prefix or the schema, and takes it from the other. It returns ErrInvalid if both have
// one and they differ.
func (c *Config) Agree() error {
	if c.Migrate == nil {
		return nil
	}
	for _, n := range []struct {
		field, option    string
		tables, migrated *string
	}{
		{"prefix", "WithTablePrefix", &c.Tables.Prefix, &c.Migrate.Prefix},
		{"schema", "WithSchema", &c.Tables.Schema, &c.Migrate.Schema},
	} {
		switch {
		case *n.tables == "":
			*n.tables = *n.migrated
		case *n.migrated != "" && *n.migrated != *n.tables:
			return rule.Invalid("WithMigrate", "has the %s %q, and %s or NewNaming has %q", n.field, *n.migrated, n.option, *n.tables)
		}
	}
	return nil
}

// MigrateOptions returns the options of the migrations. Where they have no prefix or schema they
// get those of the store.
func (c *Config) MigrateOptions() migrate.Options {
	o := migrate.Options{}
	if c.Migrate != nil {
		o = *c.Migrate
	}
	o.Prefix, o.Schema = c.Tables.Prefix, c.Tables.Schema
	return o
}
