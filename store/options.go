package store

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
)

// Option sets up a store. Options of a backend, such as a pool size, are in the
// backend's package. An option may serve for any number of stores, also at once.
type Option func(*Config) error

// Config is what options set, each of them once. It is exported for the backends alone.
type Config struct {
	tables        naming.Tables
	newID         func() (uuid.UUID, error)
	now           func() time.Time
	stripNUL      bool
	embedder      Embedder
	codesInMemory bool
	log           *statementLog
	leads         *HostTable
	migrate       *migrate.Options
	reader        *gorm.DB
	closer        func() error
	replicas      ReplicaSet
	replicaRules  ReplicaRules
	// Postgres is what the options of package store/postgres set.
	Postgres PostgresConfig
}

// PostgresConfig is how a pool of PostgreSQL is opened. The zero value of each field is
// the backend's default.
type PostgresConfig struct {
	SimpleProtocol bool
	MaxConns       int
	// Replicas are the DSNs of streaming replicas, ReplicaEvery how often they are asked for
	// their place, and ReplicaRules what writes mean to them.
	Replicas     []string
	ReplicaEvery time.Duration
	ReplicaRules ReplicaRules
}

// NewConfig applies options to the defaults. It is for backends, which hand the result to
// NewWith: an option that is applied a second time would do twice what it does.
func NewConfig(opts ...Option) (*Config, error) {
	c := &Config{newID: uuid.NewV7, now: time.Now}
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
	return c.tables.Validate()
}

// Naming returns the naming strategy under which the models find the store's tables.
func (c *Config) Naming() Naming { return NewNaming(c.tables.Prefix, c.tables.Schema, nil) }

// WithTablePrefix puts a prefix before the name of every table and index. The
// migrations need the same one; WithMigrate gets it from here.
func WithTablePrefix(prefix string) Option {
	return func(c *Config) error {
		c.tables.Prefix = prefix
		return c.tables.Validate()
	}
}

// WithSchema puts the tables into a schema of PostgreSQL; SQLite has none and refuses
// it. The migrations need the same one; WithMigrate gets it from here.
func WithSchema(schema string) Option {
	return func(c *Config) error {
		c.tables.Schema = schema
		return c.tables.Validate()
	}
}

// WithIDs sets the maker of ids; UUID version 7 by default, whose order in time keeps
// indexes compact. It must be safe for concurrent use.
func WithIDs(newID func() (uuid.UUID, error)) Option {
	return func(c *Config) error {
		if newID == nil {
			return rule.Invalid("WithIDs", "is nil")
		}
		c.newID = newID
		return nil
	}
}

// WithClock sets the clock; time.Now by default. Times are kept in UTC and cut to
// microseconds.
func WithClock(now func() time.Time) Option {
	return func(c *Config) error {
		if now == nil {
			return rule.Invalid("WithClock", "is nil")
		}
		c.now = now
		return nil
	}
}

// WithNULStripped removes U+0000 from texts and documents instead of refusing them, for
// hosts that store what others send. PostgreSQL can keep it in neither.
func WithNULStripped() Option {
	return func(c *Config) error {
		c.stripNUL = true
		return nil
	}
}

// WithEmbedder sets what turns the texts of Search into vectors, and the model that Search
// compares. EmbedMissing is given its own, so that a new model can be filled while this
// one serves.
func WithEmbedder(e Embedder) Option {
	return func(c *Config) error {
		if e == nil {
			return rule.Invalid("WithEmbedder", "is nil")
		}
		c.embedder = e
		return nil
	}
}

// WithCodesInMemory keeps the codes of all vectors that a similarity search on SQLite
// scans in memory, one bit a dimension: about ten times faster at 200,000 vectors, for
// 200 bytes a vector of 1,536 dimensions. The first search loads them and every later one
// adds what is new, whoever wrote it. PostgreSQL refuses the option.
func WithCodesInMemory() Option {
	return func(c *Config) error {
		c.codesInMemory = true
		return nil
	}
}

// WithMigrate lets the constructor bring the schema up before it returns. Without it
// nothing migrates by itself. Prefix and schema of o are taken from the other options
// where o has none.
func WithMigrate(o migrate.Options) Option {
	return func(c *Config) error {
		c.migrate = &o
		return nil
	}
}

// WithReader sends reads outside of transactions to another handle of the same
// database: for SQLite a pool of read-only connections beside the one that writes.
func WithReader(db *gorm.DB) Option {
	return func(c *Config) error {
		c.reader = db
		return nil
	}
}

// WithCloser sets what Close does, once. It is for backends, which own what they opened.
func WithCloser(closer func() error) Option {
	return func(c *Config) error {
		c.closer = closer
		return nil
	}
}

func (c *Config) instant() time.Time { return message.Instant(c.now()) }

// migrateOptions fills in the prefix and the schema, so that they are said once.
func (c *Config) migrateOptions() migrate.Options {
	o := migrate.Options{}
	if c.migrate != nil {
		o = *c.migrate
	}
	if o.Prefix == "" {
		o.Prefix = c.tables.Prefix
	}
	if o.Schema == "" {
		o.Schema = c.tables.Schema
	}
	return o
}
