package convostore

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/internal/engine"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/store"
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
func New(ctx context.Context, db *gorm.DB, opts ...Option) (store.Store, error) {
	c, err := config.New(opts...)
	if err != nil {
		return nil, err
	}
	return engine.New(ctx, db, c)
}

// NewNaming returns a GORM naming strategy that tells the models of this library where
// their tables are, for a prefix and a schema, either of which may be empty. All other
// models are left to the host's own strategy; a nil host is GORM's default one:
//
//	gorm.Open(dialector, &gorm.Config{NamingStrategy: convostore.NewNaming("chat_", "", nil)})
//
// A store of New on such a handle finds its prefix and schema by itself.
func NewNaming(prefix, schemaName string, host schema.Namer) schema.Namer {
	return config.NewNaming(prefix, schemaName, host)
}
