package pgtest

import (
	"database/sql"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

func databaseNames(t *testing.T, dsn string) (names []string) {
	t.Helper()
	rows, err := open(t, dsn).Query("SELECT datname FROM pg_database")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func TestWithDatabase(t *testing.T) {
	tests := map[string]struct{ dsn, want string }{
		"url":         {"postgres://u:p@h:1/db?sslmode=disable", "postgres://u:p@h:1/new?sslmode=disable"},
		"socket":      {"postgres://u@/db?host=/tmp/x", "postgres://u@/new?host=%2Ftmp%2Fx"},
		"nopath":      {"postgresql://u@h", "postgresql://u@h/new"},
		"query":       {"postgres://u@h/db?dbname=other", "postgres://u@h/new"},
		"keyvalue":    {"host=/tmp/x user=u dbname=db", "host=/tmp/x user=u dbname=db dbname=new"},
		"keyvalue db": {"host=h", "host=h dbname=new"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := withDatabase(test.dsn, "new")
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
	for _, bad := range []string{"postgres://%zz", "user=u password=", "user='u"} {
		_, err := withDatabase(bad, "new")
		assert.Error(t, err, bad)
	}
}

func TestDatabaseIsEmptyAndGoesWithTheTest(t *testing.T) {
	t.Parallel()
	var name string
	ok := t.Run("inner", func(t *testing.T) {
		db := open(t, Database(t))
		require.NoError(t, db.QueryRow("SELECT current_database()").Scan(&name))
		_, err := db.Exec("CREATE EXTENSION vector")
		require.NoError(t, err)
	})
	require.True(t, ok)
	assert.NotContains(t, databaseNames(t, DSN(t)), name)
}

func TestDatabaseTakesKeyValues(t *testing.T) {
	t.Parallel()
	var host, port string
	admin := open(t, DSN(t))
	require.NoError(t, admin.QueryRow("SELECT current_setting('unix_socket_directories')").Scan(&host))
	require.NoError(t, admin.QueryRow("SELECT current_setting('port')").Scan(&port))
	dsn := "host='" + host + "' port=" + port + " user=postgres dbname=postgres sslmode=disable"
	if open(t, dsn).Ping() != nil {
		t.Skip("the server set in " + EnvDSN + " is not reached by its own socket from here")
	}
	assert.NoError(t, open(t, DatabaseOn(t, dsn)).Ping())
}

func TestDatabasesAtOnce(t *testing.T) {
	t.Parallel()
	DSN(t) // a goroutine other than the test's own cannot skip it
	const n = 8
	var wg sync.WaitGroup
	dsns := make([]string, n)
	for i := range n {
		wg.Go(func() { dsns[i] = Database(t) })
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, dsn := range dsns {
		seen[dsn] = true
	}
	assert.Len(t, seen, n)
}

// spy is a TB that remembers how it was ended.
type spy struct {
	testing.TB
	skipped, failed bool
}

func (s *spy) Helper()      {}
func (s *spy) Skip(...any)  { s.skipped = true }
func (s *spy) Fatal(...any) { s.failed = true }

func TestMissingServer(t *testing.T) {
	t.Setenv(EnvDSN, "")
	for value, required := range map[string]bool{"": false, "0": false, "chromium": false, "1": true, "1,chromium": true, "chromium,1": true} {
		t.Setenv(EnvRequire, value)
		s := &spy{TB: t}
		assert.Empty(t, DSN(s))
		assert.Equal(t, required, s.failed)
		assert.Equal(t, !required, s.skipped)
	}
}

func BenchmarkDatabase(b *testing.B) {
	for b.Loop() {
		Database(b)
	}
}
