package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storetest"
)

// TestHostTransactions has the transactions of a host's database, whose pool has several
// connections. TestFile has the same part under the race detector.
func TestHostTransactions(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	for name, config := range map[string]gorm.Config{
		"plain":        {},
		"prepared":     {PrepareStmt: true, TranslateError: true},
		"through GORM": {DefaultContextTimeout: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(tb testing.TB, opts ...convostore.Option) store.Store {
				tb.Helper()
				return host(tb, config, opts...)
			}, capabilities, storetest.Transactions)
		})
	}
}

func host(tb testing.TB, config gorm.Config, opts ...convostore.Option) store.Store {
	tb.Helper()
	config.Logger = logger.Discard
	path := filepath.Join(tb.TempDir(), "host.db")
	migratedFile(tb, path, opts)
	dsn := "file:" + path +
		"?_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_txlock=immediate&_time_format=sqlite"
	db, err := gorm.Open(sqlite.Dialector(dsn), &config)
	require.NoError(tb, err)
	pool, err := db.DB()
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, pool.Close()) })
	st, err := convostore.New(tb.Context(), db, opts...)
	require.NoError(tb, err)
	return st
}
