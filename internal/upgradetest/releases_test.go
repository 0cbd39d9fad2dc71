package upgradetest

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	gormpostgres "gorm.io/driver/postgres"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store/sqlite"
)

// head is this code, in the place of a release that has not been made yet.
const head release = "head"

// releases are the versions of the module whose databases and programs this code must work with.
// Each has a folder in testdata; docs/migrations.md says how a release adds its own.
var releases = []release{head}

// release is a version of the module, such as "v0.1.0".
type release string

// options are those that every fixture was migrated with. They do not change.
var options = migrate.Options{Dimensions: dimensions}

const dimensions = 3

const (
	sqliteFile  = "sqlite.db.gz"
	postgresSQL = "postgres.sql"
)

func (r release) path(name string) string { return filepath.Join("testdata", string(r), name) }

// eachFixture runs a test on a copy of each fixture.
func eachFixture(t *testing.T, test func(t *testing.T, r release, d database)) {
	t.Helper()
	for _, r := range releases {
		t.Run(string(r), func(t *testing.T) {
			t.Parallel()
			eachDatabase(t, func(t *testing.T, d database) { test(t, r, d.load(t, r)) })
		})
	}
}

func eachDatabase(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, database{name: name})
		})
	}
}

// database is SQLite or PostgreSQL, and with a dsn one database of it.
type database struct{ name, dsn string }

// empty returns a new database, without tables.
func (d database) empty(t *testing.T) database {
	t.Helper()
	if d.name == "sqlite" {
		d.dsn = filepath.Join(t.TempDir(), "chat.db")
	} else {
		d.dsn = pgtest.Database(t)
	}
	return d
}

// load returns a copy of the fixture.
func (d database) load(t *testing.T, r release) database {
	t.Helper()
	d = d.empty(t)
	if d.name == "sqlite" {
		unpack(t, r.path(sqliteFile), d.dsn)
		return d
	}
	script, err := os.ReadFile(r.path(postgresSQL))
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), d.dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	_, err = conn.PgConn().Exec(t.Context(), string(script)).ReadAll()
	require.NoError(t, err)
	return d
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	packed, err := os.Open(from)
	require.NoError(t, err)
	defer func() { require.NoError(t, packed.Close()) }()
	in, err := gzip.NewReader(packed)
	require.NoError(t, err)
	out, err := os.Create(to)
	require.NoError(t, err)
	_, err = io.Copy(out, in) //nolint:gosec // a file of the test's own
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

// open returns a host's GORM, closed at the end of the test.
func (d database) open(t *testing.T) *gorm.DB {
	t.Helper()
	dialector := gormpostgres.Open(d.dsn)
	if d.name == "sqlite" {
		dialector = sqlite.Dialector("file:" + d.dsn + "?_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_txlock=immediate&_time_format=sqlite")
	}
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return db.WithContext(t.Context())
}
