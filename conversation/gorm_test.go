package conversation_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
)

// dimensions is small, so that tests can spell their vectors out.
const dimensions = 3

// eachDatabase runs the test on both databases, with migrated tables and a gorm.DB as a host
// would open it. It uses plain GORM because hosts may use the models without the store.
func eachDatabase(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, migrated(t, sqliteDialector(t))) })
	t.Run("postgres", func(t *testing.T) { test(t, migrated(t, postgres.Open(pgtest.Database(t)))) })
}

func sqliteDialector(t *testing.T) gorm.Dialector {
	t.Helper()
	return sqlite.New(sqlite.Config{
		DriverName: "sqlite",
		DSN:        filepath.Join(t.TempDir(), "host.db") + "?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_txlock=immediate&_time_format=sqlite",
	})
}

func migrated(t *testing.T, dialector gorm.Dialector) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	require.NoError(t, migrate.Up(t.Context(), db, migrate.Options{Dimensions: dimensions}))
	return db
}
