package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
)

// New returns a store on a host's database: PostgreSQL or SQLite, any driver that GORM
// has. It opens nothing, starts no goroutine and migrates nothing unless asked with
// WithMigrate, under ctx, which the store does not keep. If ctx is over, New migrates
// nothing and returns its error. The host keeps db and closes it; one that was not opened
// is ErrInvalid, and so is a nil option.
//
// Statements go to the connection pool of db, and db's logger is told of them. Where db has
// plugins or a DefaultContextTimeout they go through GORM, so that those have their say;
// callbacks that were registered without a plugin are not called.
//
// On SQLite the host's connections must have foreign keys on, a busy timeout, and
// transactions that begin immediate; package store/sqlite opens such a database.
func New(ctx context.Context, db *gorm.DB, opts ...Option) (Store, error) {
	c, err := NewConfig(opts...)
	if err != nil {
		return nil, err
	}
	return NewWith(ctx, db, c)
}

// NewWith is New for backends, whose options have been applied already. It keeps a copy
// of config.
func NewWith(ctx context.Context, db *gorm.DB, config *Config) (Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("convostore: open store: %w", err)
	}
	if db == nil || db.Config == nil || db.Dialector == nil || db.Statement == nil {
		return nil, rule.Invalid("db", "is nil, or was not opened")
	}
	own := *config
	c := &own
	if host, ok := db.NamingStrategy.(Naming); ok && c.tables.Prefix == "" && c.tables.Schema == "" {
		c.tables = host.tables
	}
	d, err := dialect.Of(db)
	if err != nil {
		return nil, err
	}
	if err := c.fits(d); err != nil {
		return nil, err
	}
	if c.migrate != nil {
		if err := migrate.Up(ctx, db, c.migrateOptions()); err != nil {
			return nil, err
		}
	}
	return assemble(db, d, c), nil
}

// fits refuses what the database cannot do.
func (c *Config) fits(d dialect.Dialect) error {
	switch sqlite := d.Name() == dialect.SQLite; {
	case c.tables.Schema != "" && sqlite:
		return rule.Invalid("WithSchema", "is for PostgreSQL; SQLite has no schemas")
	case c.leads != nil && strings.Contains(c.leads.Name, ".") && sqlite:
		return rule.Invalid("leads", "is in a schema, which SQLite has none of")
	case c.codesInMemory && !sqlite:
		return rule.Invalid("WithCodesInMemory", "is for SQLite; PostgreSQL has its own cache")
	}
	return nil
}

func assemble(db *gorm.DB, d dialect.Dialect, c *Config) *store {
	reader := c.reader
	if reader == nil {
		reader = db
	}
	s := &store{
		shared: &shared{Config: c, dialect: d, tables: tablesOf(c), pools: poolsOf(db, reader, c.replicas)},
		writer: newHandle(db, c.log),
	}
	s.inTx = s.writer.inTx()
	s.reader = s.writer
	if reader != db {
		s.reader = newHandle(reader, c.log)
	}
	s.appends = newAppendStatements(s.tables, d)
	s.codes = &codes{}
	s.leadTypes = &leadTypes{}
	if c.replicas != nil {
		s.written = newWriteTimes(c.replicaRules)
	}
	return s
}

// store is a Store outside or inside of a transaction.
type store struct {
	*shared
	writer, reader *handle
	inTx           bool
	// touched is set inside a transaction of the store's own, if there are replicas.
	touched *touched
}

// shared is what a store and its transactions have in common.
type shared struct {
	*Config
	dialect dialect.Dialect
	tables  tables
	appends *appendStatements
	ready   atomic.Bool
	close   sync.Once
	// pools are those that the store was opened with, also inside a transaction.
	pools []pool
	// written are nil without replicas.
	written *writeTimes
	// features is what the schema can do, nil until somebody asks.
	features atomic.Pointer[features]
	// erasures counts what may have removed vectors of which codes.lists has the codes. A
	// count, since who erases waits for nobody: it may hold the connection that a search
	// waits for.
	erasures atomic.Int64
	// codes are those of WithCodesInMemory.
	codes     *codes
	leadTypes *leadTypes
}

// tables are the quoted names for SQL.
type tables struct {
	conversations, messages, embeddings, claims, suggestions string
	// messagesText and conversationsText are SQLite's indexes of words.
	messagesText, conversationsText string
}

func tablesOf(c *Config) tables {
	return tables{
		conversations: c.tables.Quoted("conversations"),
		messages:      c.tables.Quoted("messages"),
		embeddings:    c.tables.Quoted("message_embeddings"),
		claims:        c.tables.Quoted("message_embedding_claims"),
		suggestions:   c.tables.Quoted("ai_suggestions"),

		messagesText:      c.tables.Quoted("messages_fts"),
		conversationsText: c.tables.Quoted("conversations_fts"),
	}
}

func (s *store) ForUser(userID uuid.UUID) Scope { return scope{store: s, user: userID} }

func (s *store) AllUsers() Scope { return scope{store: s, all: true} }

func (s *store) WithTx(tx *gorm.DB) Store { return s.within(newHandle(tx, s.log)) }

func (s *store) within(tx *handle) *store {
	return &store{shared: s.shared, writer: tx, reader: tx, inTx: tx.inTx()}
}

func (s *store) DB(ctx context.Context) *gorm.DB { return session(ctx, s.writer).host() }

func (s *store) Close() error {
	if s.inTx || s.closer == nil {
		return nil
	}
	var err error
	s.close.Do(func() { err = s.closer() })
	return err
}

// checkSchema compares the schema with the one that this code wants, once for a store
// that has it.
func (s *store) checkSchema(db conn) error {
	if s.ready.Load() {
		return nil
	}
	have, err := migrate.Version(db.ctx, db.host(), s.migrateOptions())
	if err != nil {
		return stopped(db.ctx, err)
	}
	if err := compareSchema(have); err != nil {
		return err
	}
	s.wrote(db.ctx, whose{all: true}) // a replica may not have the schema yet
	s.ready.Store(true)
	return nil
}

func compareSchema(have int64) error {
	switch want := migrate.Latest(); {
	case have < want:
		return fmt.Errorf("%w: the database is at version %d, this code needs %d: call migrate.Up, or open with store.WithMigrate", ErrSchema, have, want)
	case have > want:
		return fmt.Errorf("%w: the database is at version %d, this code knows %d: update the library", ErrSchema, have, want)
	}
	return nil
}
