package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/rule"
)

// withStep is the library's migrations and one more.
func withStep(postgresSQL, sqliteSQL string) fs.FS {
	all := fstest.MapFS{}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, err := fs.ReadFile(files, name)
			must(err)
			all[name] = &fstest.MapFile{Data: text}
		}
		return err
	}))
	for dialect, text := range map[string]string{postgres: postgresSQL, sqlite: sqliteSQL} {
		base := path.Join("sql", dialect, fmt.Sprintf("%04d_more", Latest()+1))
		all[base+".up.sql"] = &fstest.MapFile{Data: []byte(text)}
		all[base+".down.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func hanging() fs.FS {
	return withStep("SELECT pg_sleep(3600);",
		"CREATE TABLE endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;")
}

func broken() fs.FS {
	const text = "CREATE TABLE half (id integer);\nINSERT INTO half VALUES (1);\nINSERT INTO nowhere VALUES (1);"
	return withStep(text, text)
}

func TestAFailingMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		ctx := t.Context()
		m, err := openFiles(db, Options{}, broken())
		require.NoError(t, err)
		before := names(t, db)
		err = m.up(ctx, Latest()+1)
		require.ErrorContains(t, err, "(more)")
		require.ErrorContains(t, err, "nowhere")
		require.Equal(t, before, names(t, db), "the first migrations went too")

		require.NoError(t, Up(ctx, db, Options{}))
		before = names(t, db)
		require.ErrorContains(t, m.up(ctx, Latest()+1), "nowhere")
		require.Equal(t, before, names(t, db))
		requireVersion(t, db, Options{}, Latest())

		run(t, db, fmt.Sprintf("INSERT INTO convostore_migrations (version, name) VALUES (%d, 'more')", Latest()+1))
		require.ErrorContains(t, m.down(ctx, func(int64) int64 { return 0 }), "nowhere")
		require.Equal(t, before, names(t, db))
	})
}

func TestAnEndedContextLeavesNothing(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, db *gorm.DB) {
		m, err := openFiles(db, Options{}, hanging())
		require.NoError(t, err)
		before := names(t, db)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		require.Error(t, m.up(ctx, Latest()+1))
		require.Error(t, ctx.Err())
		require.Equal(t, before, names(t, db))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, Up(ended, db, Options{}), context.Canceled)
		require.NoError(t, Up(t.Context(), db, Options{}))
	})
}

// A host may have no busy_timeout at all.
func TestUpWaitsForAnotherWriter(t *testing.T) {
	t.Parallel()
	for _, driver := range sqliteDrivers() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			file := sqliteFile(t) + "?_busy_timeout=1"
			o, writer, db := Options{}, openDriver(t, driver, file), openDriver(t, driver, file)
			tx := writer.Begin()
			run(t, tx, "CREATE TABLE hosts (id integer)")

			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, Up(ctx, db, o), context.DeadlineExceeded)

			done := make(chan error, 1)
			go func() { done <- Up(context.WithoutCancel(t.Context()), db, o) }()
			time.Sleep(300 * time.Millisecond)
			require.Empty(t, done)
			require.NoError(t, tx.Commit().Error)
			require.NoError(t, <-done)
			requireNoDrift(t, db, o)
		})
	}
}

func TestBothDriversOfSQLite(t *testing.T) {
	t.Parallel()
	for _, driver := range sqliteDrivers() {
		for _, dsn := range []string{sqliteFile(t) + sqliteOptions, ":memory:"} {
			o, db := Options{}, openDriver(t, driver, dsn)
			pool, err := db.DB()
			require.NoError(t, err)
			pool.SetMaxOpenConns(1)
			require.NoError(t, Up(t.Context(), db, o))
			requireNoDrift(t, db, o)
			fill(t, db, o)
			steps, err := Status(t.Context(), db, o)
			require.NoError(t, err)
			require.WithinDuration(t, time.Now(), *steps[0].AppliedAt, time.Minute)
			m, err := openFiles(db, o, broken())
			require.NoError(t, err)
			require.Error(t, m.up(t.Context(), Latest()+1))
			require.EqualValues(t, 1, count(t, db, "messages"), "the connection and its rows are still there")
			require.NoError(t, DownTo(t.Context(), db, o, 0))
		}
	}
}

// mattnError has the shape of the error of mattn/go-sqlite3, which has no such type
// without cgo.
type (
	mattnCode  int
	mattnError struct{ Code, ExtendedCode mattnCode }
)

func (mattnError) Error() string { return "mattn" }

func TestBusyIsToldFromTheCode(t *testing.T) {
	t.Parallel()
	require.True(t, busy(fmt.Errorf("x: %w", mattnError{5, 517})))
	require.True(t, busy(&mattnError{6, 262}))
	require.False(t, busy(mattnError{6, 6}))
	require.False(t, busy(mattnError{19, 2067}))
	require.False(t, busy(errors.New("database is locked")))
	require.False(t, busy(rule.Invalid("prefix", "x")))
	require.False(t, busy(nil))
}
