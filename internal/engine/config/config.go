package config

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/replica"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Option sets up a store. Options of a backend, such as a pool size, are in the
// backend's package. An option may serve for any number of stores, also at once.
type Option func(*Config) error

// Config is what options set, each of them once. It is exported for the backends alone.
type Config struct {
	Tables        naming.Tables
	NewID         func() (uuid.UUID, error)
	Now           func() time.Time
	StripNUL      bool
	Embedder      store.Embedder
	CodesInMemory bool
	Log           *query.StatementLog
	Leads         *store.HostTable
	Migrate       *migrate.Options
	Reader        *gorm.DB
	Closer        func() error
	Replicas      replica.Set
	ReplicaRules  replica.Rules
	// Postgres is what the options of package store/postgres set.
	Postgres Postgres
}

// Postgres is how a pool of PostgreSQL is opened. The zero value of each field is
// the backend's default.
type Postgres struct {
	SimpleProtocol bool
	MaxConns       int
	// Replicas are the DSNs of streaming replicas, ReplicaEvery how often they are asked for
	// their place, and ReplicaRules what writes mean to them.
	Replicas     []string
	ReplicaEvery time.Duration
	ReplicaRules replica.Rules
}

// New applies options to the defaults. It is for backends, which hand the result to
// NewWith: an option that is applied a second time would do twice what it does.
func New(opts ...Option) (*Config, error) {
	c := &Config{NewID: uuid.NewV7, Now: time.Now}
	if err := c.Apply(opts...); err != nil {
		return nil, err
	}
	return c, nil
}

// Apply sets more, the options in their order. One that is nil is ErrInvalid and named by
// its place in the list, counted from 1.
func (c *Config) Apply(opts ...Option) error {
	for i, o := range opts {
		if o == nil {
			return rule.Invalid("opts", "has a nil option at place %d of %d", i+1, len(opts))
		}
		if err := o(c); err != nil {
			return err
		}
	}
	return c.Tables.Validate()
}

// Naming returns the naming strategy under which the models find the store's tables.
func (c *Config) Naming() Naming { return NewNaming(c.Tables.Prefix, c.Tables.Schema, nil) }

func (c *Config) Instant() time.Time { return message.Instant(c.Now()) }

// MigrateOptions fills in the prefix and the schema, so that they are said once.
func (c *Config) MigrateOptions() migrate.Options {
	o := migrate.Options{}
	if c.Migrate != nil {
		o = *c.Migrate
	}
	if o.Prefix == "" {
		o.Prefix = c.Tables.Prefix
	}
	if o.Schema == "" {
		o.Schema = c.Tables.Schema
	}
	return o
}
