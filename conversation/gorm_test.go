package conversation_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/convostore/convostore/internal/filetest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
)

// dimensions is small, so that tests can spell their vectors out.
const dimensions = 3

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// eachDatabase runs the test on both databases, with migrated tables and a gorm.DB as a host
// would open it. It uses plain GORM because hosts may use the models without the store.
func eachDatabase(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "host.db")
		filetest.Copy(t, path, "migrated", func(path string) error { return migrateAt(sqliteAt(path)) })
		test(t, handle(t, sqliteAt(path)))
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.Copy(t, "migrated", func(dsn string) error { return migrateAt(postgres.Open(dsn)) })
		test(t, handle(t, postgres.Open(dsn)))
	})
}

// migrateAt fills a database that tests get copies of.
func migrateAt(dialector gorm.Dialector) error {
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return errors.Join(migrate.Up(context.Background(), db, migrate.Options{Dimensions: dimensions}), pool.Close())
}

func sqliteDialector(t *testing.T) gorm.Dialector {
	t.Helper()
	return sqliteAt(filepath.Join(t.TempDir(), "host.db"))
}

func sqliteAt(path string) gorm.Dialector {
	return sqlite.New(sqlite.Config{
		DriverName: "sqlite",
		DSN:        path + "?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_txlock=immediate&_time_format=sqlite",
	})
}

func handle(t *testing.T, dialector gorm.Dialector) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return db
}
