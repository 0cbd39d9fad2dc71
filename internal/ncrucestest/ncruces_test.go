// Package ncrucestest runs the conformance suite on github.com/ncruces/go-sqlite3, whose SQLite
// is translated to Go and needs no C compiler, through a host's own *gorm.DB. It is a module of
// its own, since that driver registers the name that mattn's has.
package ncrucestest

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
	"github.com/ncruces/go-sqlite3/gormlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/filetest"
	"github.com/convostore/convostore/internal/zonetest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// This driver has full text only as an extension, which a host registers.
func init() { sqlite3.AutoExtension(fts5.Register) }

const settings = "?_pragma=busy_timeout(5000)&_pragma=foreign_keys(on)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_txlock=immediate"

func host(tb testing.TB, config *gorm.Config, opts ...convostore.Option) store.Store {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "host.db")
	filetest.Copy(tb, path, "migrated", func(path string) error {
		db, pool, err := handleAt(path, &gorm.Config{})
		if err != nil {
			return err
		}
		return errors.Join(migrate.Up(context.Background(), db, migrate.Options{}), pool.Close())
	})
	db, pool, err := handleAt(path, config)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, pool.Close()) })
	st, err := convostore.New(tb.Context(), db, opts...)
	require.NoError(tb, err)
	return st
}

func handleAt(path string, config *gorm.Config) (*gorm.DB, *sql.DB, error) {
	config.Logger = logger.Discard
	db, err := gorm.Open(gormlite.Open("file:"+path+settings), config)
	if err != nil {
		return nil, nil, err
	}
	pool, err := db.DB()
	return db, pool, err
}

func plain(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return host(tb, &gorm.Config{}, opts...)
}

func prepared(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return host(tb, &gorm.Config{PrepareStmt: true, TranslateError: true, SkipDefaultTransaction: true}, opts...)
}

var capabilities = storetest.Capabilities{Name: storetest.SQLite, OneWriter: true, NotDistributed: true}

func TestHost(t *testing.T) {
	t.Parallel()
	storetest.Run(t, plain, capabilities)
}

func TestHostPrepared(t *testing.T) {
	t.Parallel()
	storetest.Run(t, prepared, capabilities, storetest.CRUD)
}

func TestHostInTransaction(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.InTransaction(plain), capabilities, storetest.CRUD)
}

func TestHostPreparedTransactions(t *testing.T) {
	t.Parallel()
	storetest.Run(t, prepared, capabilities, storetest.Transactions)
}

func TestPlainDeletesInOtherZones(t *testing.T) {
	zonetest.In(t, func(t *testing.T) { zonetest.Deletes(t, plainGORM(t)) })
}

func TestPlainTimesOfOtherOffsets(t *testing.T) {
	zonetest.In(t, func(t *testing.T) { zonetest.Times(t, plainGORM(t)) })
}

// plainGORM is a host's handle, without a store.
func plainGORM(t *testing.T) *gorm.DB {
	t.Helper()
	db := file(t, settings)
	require.NoError(t, migrate.Up(t.Context(), db, migrate.Options{Dimensions: zonetest.Dimensions}))
	return db
}
