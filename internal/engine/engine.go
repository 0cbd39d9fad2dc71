// Package engine assembles a store from the packages below it, one for each role of the
// contract. It is the only package that knows all of them.
package engine

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/deliveries"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/health"
	"github.com/convostore/convostore/internal/engine/heirs"
	"github.com/convostore/convostore/internal/engine/maintenance"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/reports"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/search"
	"github.com/convostore/convostore/internal/engine/states"
	"github.com/convostore/convostore/internal/engine/streams"
	"github.com/convostore/convostore/internal/engine/suggestions"
	"github.com/convostore/convostore/internal/engine/textindex"
	"github.com/convostore/convostore/internal/engine/threads"
	"github.com/convostore/convostore/internal/engine/watch"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// New returns a store on db, after the migrations if c asks for them. It keeps a copy of c.
// It returns ErrInvalid for a handle that is not open, a database that is not supported and
// options that do not fit the database, and the error of ctx if it has ended.
func New(ctx context.Context, db *gorm.DB, c *config.Config) (store.Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("convostore: open store: %w", err)
	}
	if db == nil || db.Config == nil || db.Dialector == nil || db.Statement == nil {
		return nil, rule.Invalid("db", "is nil, or was not opened")
	}
	own := *c
	c = &own
	if err := takeNaming(c, db); err != nil {
		return nil, err
	}
	d, err := dialect.Of(db)
	if err != nil {
		return nil, err
	}
	if err := checkOptions(c, d); err != nil {
		return nil, err
	}
	e, err := assemble(db, d, c)
	if err != nil {
		return nil, err
	}
	if err := health.CheckSettings(ctx, e.st, db); err != nil {
		return nil, err
	}
	if c.Migrate != nil {
		if err := migrate.Up(ctx, db, c.MigrateOptions()); err != nil {
			return nil, err
		}
		if c.Closer != nil {
			return e, nil
		}
		// A host's connections to a database in memory show only now whether they share it.
		if err := health.CheckSettings(ctx, e.st, db); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// takeNaming takes the prefix and the schema from a handle that was opened with NewNaming. It
// returns ErrInvalid if options have others: plain GORM would use other tables than the store.
func takeNaming(c *config.Config, db *gorm.DB) error {
	host, ok := db.NamingStrategy.(config.Naming)
	if !ok {
		return nil
	}
	c.Tables.Prefix = cmp.Or(c.Tables.Prefix, host.Tables.Prefix)
	c.Tables.Schema = cmp.Or(c.Tables.Schema, host.Tables.Schema)
	if c.Tables != host.Tables {
		return rule.Invalid("db", "has NewNaming with the tables %q, and the options have %q",
			host.Tables.Table(naming.Conversations), c.Tables.Table(naming.Conversations))
	}
	return nil
}

// checkOptions returns ErrInvalid for options that the database does not support.
func checkOptions(c *config.Config, d dialect.Dialect) error {
	switch sqlite := d.Name() == dialect.SQLite; {
	case c.Pool != (config.Pool{}) && c.Closer == nil:
		return rule.Invalid("WithMaxConns", "and the other settings of a pool are for stores that open one; set them on the host's own")
	case c.Synchronous != "" && c.File == nil:
		return rule.Invalid("WithSynchronous", "is for sqlite.Open; a host sets it in the DSN of its own handle")
	case c.Tables.Schema != "" && sqlite:
		return rule.Invalid("WithSchema", "is for PostgreSQL; SQLite has no schemas")
	case c.Leads != nil && strings.Contains(c.Leads.Name, ".") && sqlite:
		return rule.Invalid("leads", "is in a schema, which SQLite has none of")
	case c.CodesInMemory && !sqlite:
		return rule.Invalid("WithCodesInMemory", "is for SQLite; PostgreSQL has its own cache")
	}
	return nil
}

// assemble returns the store with the state that its roles keep.
func assemble(db *gorm.DB, d dialect.Dialect, c *config.Config) (*engine, error) {
	reader := c.Reader
	if reader == nil {
		reader = db
	}
	st, err := scope.NewStore(c, d, db, reader)
	if err != nil {
		return nil, err
	}
	st.OnNoted((&textindex.Index{}).Noted)
	hub := threads.NewHub(st, c.Doorbell)
	st.OnWritten(func(user uuid.UUID) {
		hub.Ring(user)
		if c.Doorbell != nil {
			c.Doorbell.Ring(watch.MarkOf(user))
		}
	})
	return &engine{st: st, rooms: &rooms{
		statements: threads.NewStatements(st.Tables, d),
		codes:      &embeddings.Codes{},
		leadTypes:  &reports.LeadTypes{},
		pools:      health.PoolsOf(db, reader, c.Replicas),
		hub:        hub,
	}}, nil
}

// engine is a store.Store outside or inside of a transaction.
type engine struct {
	st    *scope.Store
	rooms *rooms
}

// rooms is the state that the roles of a store and of its transactions share beside the scope.
type rooms struct {
	statements *threads.Statements
	codes      *embeddings.Codes
	leadTypes  *reports.LeadTypes
	// pools are the pools that the store was opened with, also inside a transaction.
	pools []health.Pool
	// hub wakes tails and watches.
	hub   *watch.Hub
	close sync.Once
}

var (
	_ store.Store = (*engine)(nil)
	_ store.Scope = view{}
)

func (e *engine) ForUser(userID uuid.UUID) store.Scope { return view{e.st.ForUser(userID), e.rooms} }

func (e *engine) AllUsers() store.Scope { return view{e.st.AllUsers(), e.rooms} }

func (e *engine) Transaction(ctx context.Context, fn func(tx store.Store) error) error {
	if fn == nil {
		return scope.ErrNil("fn")
	}
	return e.st.Transaction(ctx, func(tx *scope.Store) error { return fn(&engine{tx, e.rooms}) })
}

func (e *engine) WithTx(tx *gorm.DB) store.Store { return &engine{e.st.WithTx(tx), e.rooms} }

func (e *engine) Health() store.Health { return health.New(e.st, e.rooms.pools) }

func (e *engine) DB(ctx context.Context) *gorm.DB { return query.On(ctx, e.st.Writer).Host() }

func (e *engine) Close() error {
	if e.st.InTx || e.st.Closer == nil {
		return nil
	}
	var err error
	e.rooms.close.Do(func() {
		e.rooms.hub.Close()
		e.st.Writer.Close()
		err = e.st.Closer()
	})
	return err
}

// messages are the parts of store.Messages, which are of several rooms.
type messages struct {
	threads.Messages
	store.MessageStreamer
}

// view is a store.Scope.
type view struct {
	sc    scope.Scope
	rooms *rooms
}

func (v view) Conversations() store.Conversations {
	return heirs.Conversations(v.sc, threads.NewConversations(v.sc, v.rooms.hub))
}

func (v view) Messages() store.Messages {
	return heirs.Messages(v.sc, messages{threads.NewMessages(v.sc, v.rooms.statements, v.rooms.hub), streams.New(v.sc, v.rooms.statements)})
}

func (v view) Suggestions() store.Suggestions {
	return heirs.Suggestions(v.sc, suggestions.New(v.sc, v.rooms.statements))
}

func (v view) Summaries() store.Summaries     { return heirs.Summaries(v.sc, threads.NewSummaries(v.sc)) }
func (v view) States() store.States           { return heirs.States(v.sc, states.New(v.sc)) }
func (v view) Deliveries() store.Deliveries   { return deliveries.New(v.sc, v.rooms.hub) }
func (v view) Search() store.Search           { return search.New(v.sc, v.rooms.codes) }
func (v view) Embeddings() store.Embeddings   { return embeddings.New(v.sc) }
func (v view) Reports() store.Reports         { return reports.New(v.sc, v.rooms.leadTypes) }
func (v view) Maintenance() store.Maintenance { return maintenance.New(v.sc) }

// PostgresPins returns the settings of a connection that have to be others, with the values that
// they need, and the same as a fault. err is that of a database that does not answer.
func PostgresPins(ctx context.Context, pool *sql.DB) (pins map[string]string, fault, err error) {
	return health.PostgresPins(ctx, pool)
}
