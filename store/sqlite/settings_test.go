package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/tourtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// good are the settings that the library asks of a host.
const good = "_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_txlock=immediate"

// hostHandle is a host's own, with a pool of at most conns connections, 0 for any number.
func hostHandle(tb testing.TB, dsn string, conns int) *gorm.DB {
	tb.Helper()
	db, err := gorm.Open(sqlite.Dialector(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(tb, err)
	pool, err := db.DB()
	require.NoError(tb, err)
	pool.SetMaxOpenConns(conns)
	tb.Cleanup(func() { require.NoError(tb, pool.Close()) })
	return db
}

// without is good without one setting.
func without(setting string) string {
	var kept []string
	for _, s := range strings.Split(good, "&") {
		if !strings.HasPrefix(s, setting) {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, "&")
}

// breaking are settings with which the library does not work, by the DSN that has them.
var breaking = []struct {
	setting, value, dsn string
	// pragma sets it later; empty if nothing can, or if Ready does not look.
	pragma string
}{
	{"foreign_keys", "0", without("_foreign_keys"), "foreign_keys = off"},
	{"busy_timeout", "0", without("_busy_timeout"), "busy_timeout = 0"},
	{"txlock", "deferred", without("_txlock"), ""},
	{"txlock", "deferred", without("_txlock") + "&_txlock=deferred", ""},
	{"encoding", "UTF-16le", "_pragma=encoding('UTF-16le')&" + good, ""},
	{"encoding", "UTF-16be", "_pragma=encoding('UTF-16be')&" + good, ""},
	{"ignore_check_constraints", "1", good + "&_pragma=ignore_check_constraints(1)", "ignore_check_constraints = on"},
	{"journal_mode", "off", without("_journal_mode") + "&_journal_mode=OFF", "journal_mode = off"},
	{"case_sensitive_like", "1", good + "&_pragma=case_sensitive_like(1)", "case_sensitive_like = on"},
	{"_texttotime", "2026-01-02T03:04:05Z", good + "&_texttotime=1", ""},
	{"full_column_names", "1", good + "&_pragma=full_column_names(1)&_pragma=short_column_names(0)", "full_column_names = on; PRAGMA short_column_names = off"},
}

// TestSettingsOfAHost has a new file for each, which New refuses before it makes a table.
func TestSettingsOfAHost(t *testing.T) {
	t.Parallel()
	for _, b := range breaking {
		t.Run(b.setting+" "+b.value, func(t *testing.T) {
			t.Parallel()
			for _, conns := range []int{0, 1} {
				db := hostHandle(t, "file:"+filepath.Join(t.TempDir(), "host.db")+"?"+b.dsn, conns)
				_, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
				tourtest.RequireFault(t, err, b.setting, b.value)
				require.False(t, db.Migrator().HasTable("conversations"))
				if b.setting == "txlock" {
					continue // a transaction that has begun shows no longer how
				}
				tx := db.Begin()
				require.NoError(t, tx.Error)
				_, err = convostore.New(t.Context(), tx)
				tourtest.RequireFault(t, err, b.setting, b.value)
				require.NoError(t, tx.Rollback().Error, "the host's transaction goes on")
			}
		})
		if b.pragma == "" {
			continue
		}
		t.Run(b.setting+" later", func(t *testing.T) {
			t.Parallel()
			db := hostHandle(t, "file:"+filepath.Join(t.TempDir(), "host.db")+"?"+without("_journal_mode"), 1)
			st, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
			require.NoError(t, err)
			require.NoError(t, db.Exec("PRAGMA "+b.pragma).Error)
			r, err := st.Health().Ready(t.Context())
			tourtest.RequireFault(t, err, b.setting, b.value)
			require.NotEmpty(t, r.Database)
		})
	}
}

// TestPragmaOnOneConnection is the mistake that works until the pool opens a second connection.
func TestPragmaOnOneConnection(t *testing.T) {
	t.Parallel()
	db := hostHandle(t, "file:"+filepath.Join(t.TempDir(), "host.db")+"?"+without("_foreign_keys"), 0)
	require.NoError(t, db.Exec("PRAGMA foreign_keys = on").Error)
	_, err := convostore.New(t.Context(), db)
	tourtest.RequireFault(t, err, "foreign_keys", "0")
}

func TestSeveralSettings(t *testing.T) {
	t.Parallel()
	_, err := convostore.New(t.Context(), hostHandle(t, "file:"+filepath.Join(t.TempDir(), "host.db"), 0))
	require.ErrorContains(t, err, "foreign_keys")
	require.ErrorContains(t, err, "busy_timeout")
}

// TestDatabasesInMemory are those of a host: connections that each have their own, that share
// one, and a pool of one.
func TestDatabasesInMemory(t *testing.T) {
	t.Parallel()
	for _, own := range []string{":memory:", "file::memory:", "file:own?mode=memory"} {
		dsn := own + "?" + without("_journal_mode")
		if strings.Contains(own, "?") {
			dsn = own + "&" + without("_journal_mode")
		}
		_, err := convostore.New(t.Context(), hostHandle(t, dsn, 0), convostore.WithMigrate(migrate.Options{}))
		tourtest.RequireFault(t, err, "database", ":memory:")
		useful(t, hostHandle(t, dsn, 1))
	}
	shared := "file:shared?mode=memory&cache=shared&" + without("_journal_mode")
	useful(t, hostHandle(t, shared, 0))
	useful(t, hostHandle(t, "file:/shared?vfs=memdb&"+without("_journal_mode"), 0))
	useful(t, hostHandle(t, "file:/deferred?vfs=memdb&_foreign_keys=on", 1))
	_, err := convostore.New(t.Context(), hostHandle(t, "file:/deferred2?vfs=memdb&_foreign_keys=on", 0))
	tourtest.RequireFault(t, err, "txlock", "deferred")
}

// useful requires that New takes a handle, and leaves it as it was.
func useful(t *testing.T, db *gorm.DB) store.Store {
	t.Helper()
	state := func() (s string) {
		const q = `SELECT group_concat(name, ' ') || ' ' || (SELECT timeout FROM pragma_busy_timeout) FROM pragma_database_list`
		require.NoError(t, db.Raw(q).Row().Scan(&s))
		return s
	}
	before := state()
	st, err := convostore.New(t.Context(), db, append(tourtest.Options(), convostore.WithMigrate(migrate.Options{}))...)
	require.NoError(t, err)
	require.Equal(t, before, state())
	_, err = st.Health().Ready(t.Context())
	require.NoError(t, err)
	return st
}

// harmless are settings that sound as if they changed what statements mean, or how times are
// written and read.
var harmless = map[string]string{
	"a GORM default":     "_time_format=sqlite",
	"times as text":      "_time_format=datetime",
	"times as integers":  "_time_integer_format=unix_milli&_inttotime=1",
	"times read in zone": "_timezone=Asia/Kolkata",
	"selects reversed":   "_pragma=reverse_unordered_selects(1)",
	"triggers":           "_pragma=recursive_triggers(1)&_pragma=defer_foreign_keys(1)",
	"full column names":  "_pragma=full_column_names(1)",
	"no column names":    "_pragma=short_column_names(0)",
	"old results":        "_pragma=count_changes(1)&_pragma=empty_result_callbacks(1)",
	"schema":             "_pragma=legacy_alter_table(1)&_pragma=trusted_schema(0)&_pragma=writable_schema(1)",
	"quotes":             "_dqs=0&_defensive=1",
	"pages":              "_pragma=page_size(512)&_pragma=auto_vacuum(1)&_pragma=secure_delete(1)&_pragma=cell_size_check(1)&_pragma=cache_spill(0)",
	"plans":              "_pragma=automatic_index(0)&_pragma=temp_store(2)&_pragma=mmap_size(1000000)",
	"dirty reads":        "_pragma=read_uncommitted(1)",
	"no sync":            "_pragma=synchronous(off)",
	"WAL":                "_journal_mode=WAL",
	"journal deleted":    "_pragma=journal_mode(delete)",
	"journal in memory":  "_pragma=journal_mode(memory)",
}

// TestHarmlessSettings has the same answers under each as with the library's own settings.
func TestHarmlessSettings(t *testing.T) {
	t.Parallel()
	st := memory(t, tourtest.Options()...)
	want := tourtest.Run(t, st)
	require.NotContains(t, want, "SQL")
	for name, dsn := range harmless {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := useful(t, hostHandle(t, "file:"+filepath.Join(t.TempDir(), "host.db")+"?"+without("_journal_mode")+"&"+dsn, 0))
			got := strings.Split(tourtest.Run(t, st), "\n")
			for i, line := range strings.Split(want, "\n") {
				require.Equal(t, line, got[i])
			}
			drifts, err := migrate.Verify(t.Context(), st.DB(t.Context()), migrate.Options{})
			require.NoError(t, err)
			require.Empty(t, drifts)
		})
	}
}

// TestNewBesideAWriter must not wait for it: the busy timeout is longer than the test may take.
func TestNewBesideAWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "host.db")
	db := hostHandle(t, "file:"+path+"?"+without("_busy_timeout")+"&_busy_timeout=3600000", 0)
	st := useful(t, db)
	defer holdLock(t, path, "BEGIN IMMEDIATE")()
	_, err := convostore.New(t.Context(), db)
	require.NoError(t, err)
	_, err = st.Health().Ready(t.Context())
	require.NoError(t, err)
}

// TestReadOnlyHosts read, and need nothing that is for writers.
func TestReadOnlyHosts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "host.db")
	useful(t, hostHandle(t, "file:"+path+"?"+good, 0))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, dsn := range []string{"mode=ro&_foreign_keys=on&_busy_timeout=5000&_txlock=immediate", "_pragma=query_only(1)"} {
		st, err := convostore.New(t.Context(), hostHandle(t, "file:"+path+"?"+dsn, 0))
		require.NoError(t, err, dsn)
		_, err = st.AllUsers().Maintenance().Counts(t.Context())
		require.NoError(t, err)
	}
	_, err = convostore.New(t.Context(), hostHandle(t, "file:"+path+"?"+good, 0),
		convostore.WithReader(hostHandle(t, "file:"+path+"?mode=ro&_pragma=case_sensitive_like(1)", 0)))
	tourtest.RequireFault(t, err, "case_sensitive_like", "1")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after, "a probe writes nothing")
}

// TestNewWhilePoolIsTaken has the host use every connection but one.
func TestNewWhilePoolIsTaken(t *testing.T) {
	t.Parallel()
	db := hostHandle(t, "file:"+filepath.Join(t.TempDir(), "host.db")+"?"+good, 2)
	pool, err := db.DB()
	require.NoError(t, err)
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	_, err = convostore.New(t.Context(), db)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = convostore.New(ctx, db)
	require.ErrorIs(t, err, context.Canceled)
}

// TestOpenRefusesUTF16 has a file that somebody else made.
func TestOpenRefusesUTF16(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "host.db")
	db := hostHandle(t, "file:"+path+"?_pragma=encoding('UTF-16le')", 1)
	require.NoError(t, db.Exec("CREATE TABLE mine (a)").Error)
	var sorted bool
	require.NoError(t, db.Raw("SELECT 'z' < 'Ā'").Row().Scan(&sorted))
	require.False(t, sorted, "by the bytes of UTF-16, unlike everywhere else")
	_, err := sqlite.Open(t.Context(), path)
	tourtest.RequireFault(t, err, "encoding", "UTF-16le")
}

// TestStatusWhereTextsAreTimes reads when the migrations ran, through a driver that would make
// times of texts.
func TestStatusWhereTextsAreTimes(t *testing.T) {
	t.Parallel()
	db := hostHandle(t, "file:"+filepath.Join(t.TempDir(), "host.db")+"?"+good+"&_texttotime=1&_timezone=Asia/Kolkata", 0)
	require.NoError(t, migrate.Up(t.Context(), db, migrate.Options{}))
	steps, err := migrate.Status(t.Context(), db, migrate.Options{})
	require.NoError(t, err)
	require.NotNil(t, steps[0].AppliedAt)
}
