package conversation_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/zonetest"
	"github.com/convostore/convostore/migrate"
)

// eachDriver runs a test with each driver that this module has, and with the DSNs that hosts
// write. mattn's driver is a stub where there is no cgo.
func eachDriver(t *testing.T, config func() *gorm.Config, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	file := func(t *testing.T, driver, options string) gorm.Dialector {
		t.Helper()
		return sqlite.New(sqlite.Config{DriverName: driver, DSN: "file:" + filepath.Join(t.TempDir(), "host.db") + "?_foreign_keys=on&_busy_timeout=5000&_txlock=immediate" + options})
	}
	for name, dialector := range map[string]func(t *testing.T) gorm.Dialector{
		"postgres": func(t *testing.T) gorm.Dialector { t.Helper(); return postgres.Open(pgtest.Database(t)) },
		"postgres elsewhere": func(t *testing.T) gorm.Dialector {
			t.Helper()
			return postgres.Open(pgtest.Database(t) + "&timezone=Asia/Tokyo")
		},
		"modernc":                    func(t *testing.T) gorm.Dialector { t.Helper(); return file(t, "sqlite", "&_time_format=sqlite") },
		"modernc without the format": func(t *testing.T) gorm.Dialector { t.Helper(); return file(t, "sqlite", "") },
		"mattn":                      func(t *testing.T) gorm.Dialector { t.Helper(); return file(t, "sqlite3", "") },
		"mattn in a zone":            func(t *testing.T) gorm.Dialector { t.Helper(); return file(t, "sqlite3", "&_loc=auto") },
	} {
		t.Run(name, func(t *testing.T) {
			if pool, err := sql.Open("sqlite3", ":memory:"); name[:2] == "ma" && (err != nil || pool.Ping() != nil) {
				t.Skip("built without cgo")
			}
			c := config()
			c.Logger = logger.Discard
			db, err := gorm.Open(dialector(t), c)
			require.NoError(t, err)
			pool, err := db.DB()
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, pool.Close()) })
			require.NoError(t, migrate.Up(t.Context(), db, migrate.Options{Dimensions: dimensions, WithoutFullText: name[:2] == "ma"}))
			test(t, db)
		})
	}
}

// A row that was deleted a moment ago in New York is not hours old, and one in Tokyo is not of
// the future.
func TestPlainDeletesInOtherZones(t *testing.T) {
	zonetest.In(t, func(t *testing.T) {
		for name, config := range map[string]*gorm.Config{
			"GORM's own clock":   {},
			"a clock in Kolkata": {NowFunc: func() time.Time { return time.Now().In(time.FixedZone("", 19800)) }},
			"prepared":           {PrepareStmt: true},
		} {
			t.Run(name, func(t *testing.T) {
				eachDriver(t, func() *gorm.Config { c := *config; return &c }, zonetest.Deletes)
			})
		}
	})
}

func TestPlainTimesOfOtherOffsets(t *testing.T) {
	eachDriver(t, func() *gorm.Config { return &gorm.Config{} }, zonetest.Times)
}
