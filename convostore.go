package convostore

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/engine"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/store"
)

// New returns a store on the host's database: PostgreSQL or SQLite, with any driver that
// GORM has. A db that is nil, was not opened or is of another database is ErrInvalid, and so
// is a nil option. If ctx has ended, New returns its error and does nothing.
//
// New starts no goroutine. It migrates only with WithMigrate, under ctx; the store does not
// keep ctx. The host keeps db and closes it: Close of this store does nothing.
//
// Statements go straight to the connection pool of db and are reported to db's logger. If
// db has GORM plugins or a DefaultContextTimeout, statements go through GORM, so that these
// apply to them. Callbacks that were registered without a plugin are not called.
//
// New asks the database for its settings: one statement on PostgreSQL, a few on SQLite. Where
// one changes what the library's statements mean, the error is a *store.SettingError with its
// name. On SQLite the host's connections must have foreign keys on, a busy timeout, and
// transactions that begin immediate, all of them set in the DSN; package store/sqlite opens such
// a database. docs/host.md lists every setting. What a host changes later, Health().Ready finds.
func New(ctx context.Context, db *gorm.DB, opts ...Option) (store.Store, error) {
	c, err := config.New(opts...)
	if err != nil {
		return nil, err
	}
	return engine.New(ctx, db, c)
}

// NewNaming returns a GORM naming strategy that maps the models of this library to tables
// with a prefix, in a schema, or both; either may be empty. It is for hosts that query the
// models with plain GORM:
//
//	gorm.Open(dialector, &gorm.Config{NamingStrategy: convostore.NewNaming("chat_", "", nil)})
//
// All other models are named by host; a nil host is GORM's default strategy. New takes the
// prefix and the schema from the strategy of its db, unless options set them.
func NewNaming(prefix, schemaName string, host schema.Namer) schema.Namer {
	return config.NewNaming(prefix, schemaName, host)
}
