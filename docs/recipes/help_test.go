// Package recipes has the code that the recipes beside it show. The test of documents at the root
// of the module checks that they show what is here.
package recipes

import (
	"context"
	"log"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// must keeps the examples short; a service returns the error.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// hostDB is a database of an application, in memory, with the settings that the library asks for.
func hostDB(name string) *gorm.DB {
	db, err := gorm.Open(sqlite.Dialector("file:/"+name+"?vfs=memdb&_foreign_keys=on&_busy_timeout=5000&_txlock=immediate"), &gorm.Config{Logger: logger.Discard})
	must(err)
	return db
}

// hostPostgres is the same on PostgreSQL.
func hostPostgres(t *testing.T) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(postgres.Open(pgtest.Database(t)), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	t.Cleanup(func() {
		pool, err := db.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	})
	return db
}

// memory is a store with one user.
func memory(ctx context.Context) (store.Store, store.Scope) {
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	return st, st.ForUser(uuid.New())
}
