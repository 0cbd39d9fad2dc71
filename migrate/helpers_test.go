package migrate

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite"

	"github.com/convostore/convostore/internal/pgtest"
)

const sqliteOptions = "?_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_synchronous=NORMAL&_txlock=immediate&_time_format=sqlite"

// eachDialect runs a test on an empty database of either kind.
func eachDialect(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, openTest(t, sqlite, sqliteFile(t)+sqliteOptions))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, openTest(t, postgres, pgtest.Database(t)))
	})
}

func sqliteFile(t *testing.T) string {
	t.Helper()
	// A subtest's name can bring a # into the path, where SQLite would cut it.
	return "file:" + (&url.URL{Path: filepath.ToSlash(filepath.Join(t.TempDir(), "chat.db"))}).EscapedPath()
}

func openTest(t *testing.T, dialect, dsn string, configs ...func(*gorm.Config)) *gorm.DB {
	t.Helper()
	db, err := connect(dialect, dsn, configs...)
	require.NoError(t, err)
	closeAfter(t, db)
	return db
}

func closeAfter(t *testing.T, db *gorm.DB) {
	t.Helper()
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
}

func connect(dialect, dsn string, configs ...func(*gorm.Config)) (*gorm.DB, error) {
	config := &gorm.Config{Logger: logger.Discard}
	for _, change := range configs {
		change(config)
	}
	if dialect == postgres {
		return gorm.Open(gormpostgres.Open(dsn), config)
	}
	return gorm.Open(gormsqlite.Dialector{DriverName: "sqlite", DSN: dsn}, config)
}

// names returns every table, index, function and the like of the database, so that a test can say
// that a call left nothing behind.
func names(t *testing.T, db *gorm.DB) []string {
	t.Helper()
	// SQLite makes its table of sequences with the first AUTOINCREMENT, and nobody can
	// drop it.
	query := "SELECT type || ' ' || name FROM sqlite_master WHERE name <> 'sqlite_sequence' ORDER BY 1"
	if db.Name() == postgres {
		query = `SELECT c.relkind::text || ' ' || n.nspname || '.' || c.relname FROM pg_class c
			JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
			UNION ALL SELECT 'function ' || n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
			WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
			UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' ORDER BY 1`
	}
	var found []string
	require.NoError(t, db.Raw(query).Scan(&found).Error)
	return found
}

func run(t *testing.T, db *gorm.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		require.NoError(t, db.Exec(s).Error, s)
	}
}

func count(t *testing.T, db *gorm.DB, table string) int64 {
	t.Helper()
	var n int64
	require.NoError(t, db.Table(table).Count(&n).Error)
	return n
}

func requireVersion(t *testing.T, db *gorm.DB, o Options, want int64) {
	t.Helper()
	got, err := Version(t.Context(), db, o)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

const (
	user    = "00000000-0000-7000-8000-000000000001"
	thread  = "00000000-0000-7000-8000-0000000000c1"
	inbound = "00000000-0000-7000-8000-0000000000a1"
)

// fill writes one row into each of the first migration's tables.
func fill(t *testing.T, db *gorm.DB, o Options) {
	t.Helper()
	name := o.tables().Quoted
	run(t, db,
		"INSERT INTO "+name("conversations")+" (id, user_id) VALUES ('"+thread+"', '"+user+"')",
		"INSERT INTO "+name("messages")+" (id, user_id, conversation_id, seq, role, content) VALUES ('"+inbound+"', '"+user+"', '"+thread+"', 1, 'user', 'Hi')",
		"INSERT INTO "+name("ai_suggestions")+" (id, user_id, conversation_id, in_reply_to_message_id, suggested_content) VALUES ('"+inbound+"', '"+user+"', '"+thread+"', '"+inbound+"', 'Ho')",
	)
}

// sqliteDrivers are the two that hosts use; mattn's is a stub where there is no cgo.
func sqliteDrivers() []string {
	if pool, err := sql.Open("sqlite3", ":memory:"); err == nil && pool.Ping() == nil {
		_ = pool.Close()
		return []string{"sqlite", "sqlite3"}
	}
	return []string{"sqlite"}
}

func openDriver(t *testing.T, driver, dsn string) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(gormsqlite.Dialector{DriverName: driver, DSN: dsn}, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	closeAfter(t, db)
	return db
}
