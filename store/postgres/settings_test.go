package postgres_test

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	driver "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/tourtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
)

// breaking are settings that change what the library's statements mean, with a value that does.
var breaking = map[string]string{
	"client_encoding":               "LATIN1",
	"DateStyle":                     "SQL, DMY",
	"standard_conforming_strings":   "off",
	"array_nulls":                   "off",
	"quote_all_identifiers":         "on",
	"gin_fuzzy_search_limit":        "1",
	"bytea_output":                  "escape",
	"extra_float_digits":            "-15",
	"exit_on_error":                 "on",
	"session_replication_role":      "replica",
	"default_transaction_isolation": "serializable",
}

// harmless are settings that sound as if they did.
var harmless = map[string]string{
	"IntervalStyle":                  "sql_standard",
	"TimeZone":                       "Japan",
	"transform_null_equals":          "on",
	"default_transaction_deferrable": "on",
	"row_security":                   "off",
	"backslash_quote":                "off",
	"escape_string_warning":          "off",
	"default_text_search_config":     "pg_catalog.german",
	"plan_cache_mode":                "force_generic_plan",
	"enable_seqscan":                 "off",
	"check_function_bodies":          "off",
	"lc_numeric":                     "C",
	"xmloption":                      "document",
}

// at is a DSN with one setting more.
func at(dsn, name, value string) string {
	return dsn + "&" + name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// plainHost is a host's handle without prepared statements.
func plainHost(tb testing.TB, dsn string) *gorm.DB {
	tb.Helper()
	db, err := gorm.Open(driver.Open(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(tb, err)
	pool, err := db.DB()
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, pool.Close()) })
	return db
}

// migrated is a database, and the answers of a tour of it.
func migrated(t *testing.T) (dsn, answers string) {
	t.Helper()
	dsn = pgtest.Database(t)
	st, err := postgres.Open(t.Context(), dsn, append(tourtest.Options(), convostore.WithMigrate(migrate.Options{}))...)
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	answers = tourtest.Run(t, st)
	require.NotContains(t, answers, "ERROR")
	return dsn, answers
}

// requireTour compares line by line, since the whole is long.
func requireTour(t *testing.T, want string, st store.Store) {
	t.Helper()
	got := tourtest.Run(t, st)
	lines := strings.Split(got, "\n")
	for i, line := range strings.Split(want, "\n") {
		require.Equal(t, line, lines[i])
	}
	require.Equal(t, want, got)
}

// requireFault requires the error of one setting, with what a host needs to mend it.
func requireFault(t *testing.T, err error, setting, value string) {
	t.Helper()
	tourtest.RequireFault(t, err, setting, value)
	var fault *store.SettingError
	require.ErrorAs(t, err, &fault)
	require.NotEqual(t, fault.Want, fault.Value)
}

// TestSettingsPinned has a database and a DSN with other settings than the store needs.
func TestSettingsPinned(t *testing.T) {
	t.Parallel()
	dsn, answers := migrated(t)
	pool, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	var name string
	require.NoError(t, pool.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
	alter := func(t *testing.T, setting, to string) {
		t.Helper()
		_, err := pool.ExecContext(t.Context(), "ALTER ROLE current_user IN DATABASE "+name+" SET "+setting+to)
		require.NoError(t, err)
	}
	for setting, value := range breaking {
		t.Run(setting, func(t *testing.T) {
			alter(t, setting, " = '"+value+"'")
			defer alter(t, setting, " TO DEFAULT")
			for what, opts := range map[string][]convostore.Option{"extended": nil, "simple": {postgres.WithSimpleProtocol()}} {
				st, err := postgres.Open(t.Context(), dsn, append(tourtest.Options(), opts...)...)
				require.NoError(t, err, what)
				_, err = st.Health().Ready(t.Context())
				require.NoError(t, err, what)
				requireTour(t, answers, st)
				require.NoError(t, st.Close())
			}
		})
		t.Run(setting+" in the DSN", func(t *testing.T) {
			for _, dsn := range []string{at(dsn, strings.ToUpper(setting), value), at(dsn, "options", "-c"+setting+"="+strings.ReplaceAll(value, " ", ""))} {
				st, err := postgres.Open(t.Context(), dsn, tourtest.Options()...)
				require.NoError(t, err)
				requireTour(t, answers, st)
				require.NoError(t, st.Close())
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		for setting, value := range breaking {
			alter(t, setting, " = '"+value+"'")
		}
		st, err := postgres.Open(t.Context(), dsn, tourtest.Options()...)
		require.NoError(t, err)
		requireTour(t, answers, st)
		require.NoError(t, st.Close())
	})
}

// TestSettingsOfAHost has a host's own connections, also inside its transaction.
func TestSettingsOfAHost(t *testing.T) {
	t.Parallel()
	dsn, answers := migrated(t)
	for setting, value := range breaking {
		t.Run(setting, func(t *testing.T) {
			db := plainHost(t, at(dsn, setting, value))
			_, err := convostore.New(t.Context(), db)
			requireFault(t, err, setting, value)

			tx := db.Begin()
			require.NoError(t, tx.Error)
			_, err = convostore.New(t.Context(), tx)
			requireFault(t, err, setting, value)
			require.NoError(t, tx.Exec("SELECT 1").Error, "the host's transaction goes on")
			require.NoError(t, tx.Rollback().Error)
		})
		t.Run(setting+" later", func(t *testing.T) {
			db := plainHost(t, dsn)
			pool, err := db.DB()
			require.NoError(t, err)
			pool.SetMaxOpenConns(1)
			st, err := convostore.New(t.Context(), db)
			require.NoError(t, err)
			require.NoError(t, db.Exec("SELECT set_config(?, ?, false)", setting, value).Error)
			r, err := st.Health().Ready(t.Context())
			requireFault(t, err, setting, value)
			require.NotEmpty(t, r.Database)
		})
	}
	t.Run("several", func(t *testing.T) {
		_, err := convostore.New(t.Context(), plainHost(t, at(at(dsn, "array_nulls", "off"), "exit_on_error", "on")))
		require.ErrorContains(t, err, "array_nulls")
		require.ErrorContains(t, err, "exit_on_error")
	})
	for setting, value := range harmless {
		t.Run(setting, func(t *testing.T) {
			dsn := at(dsn, setting, value)
			simple, err := convostore.New(t.Context(), plainHost(t, at(dsn, "default_query_exec_mode", "simple_protocol")), tourtest.Options()...)
			require.NoError(t, err)
			requireTour(t, answers, simple)
			st, err := convostore.New(t.Context(), plainHost(t, dsn), tourtest.Options()...)
			require.NoError(t, err)
			requireTour(t, answers, st)
			_, err = st.Health().Ready(t.Context())
			require.NoError(t, err)
			drifts, err := migrate.Verify(t.Context(), st.DB(t.Context()), migrate.Options{})
			require.NoError(t, err)
			require.Empty(t, drifts)
		})
	}
}

// TestQueryModes has the ways in which pgx sends a statement.
func TestQueryModes(t *testing.T) {
	t.Parallel()
	dsn, answers := migrated(t)
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		st, err := convostore.New(t.Context(), plainHost(t, at(dsn, "default_query_exec_mode", mode)), tourtest.Options()...)
		require.NoError(t, err, mode)
		requireTour(t, answers, st)
	}
}

// TestReadOnlyHost reads, and is told of each write that it cannot do.
func TestReadOnlyHost(t *testing.T) {
	t.Parallel()
	dsn, _ := migrated(t)
	st, err := convostore.New(t.Context(), plainHost(t, at(dsn, "default_transaction_read_only", "on")))
	require.NoError(t, err)
	_, err = st.Health().Ready(t.Context())
	require.NoError(t, err)
	_, err = st.AllUsers().Maintenance().Counts(t.Context())
	require.NoError(t, err)
	_, err = st.AllUsers().Maintenance().RemoveOrphans(t.Context())
	require.ErrorContains(t, err, "25006")
}

// TestServerEncoding has databases whose encoding no connection can change.
func TestServerEncoding(t *testing.T) {
	t.Parallel()
	pool, err := sql.Open("pgx", pgtest.DSN(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	for _, encoding := range []string{"SQL_ASCII", "LATIN1", "EUC_JP"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Encoded(t, encoding)
			_, err := postgres.Open(t.Context(), dsn, convostore.WithMigrate(migrate.Options{}))
			requireFault(t, err, "server_encoding", encoding)
			db := plainHost(t, dsn)
			_, err = convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
			requireFault(t, err, "server_encoding", encoding)
			require.False(t, db.Migrator().HasTable("conversations"), "nothing is made in such a database")
		})
	}
}

// TestProbeIsOneStatement counts what New and Open send.
func TestProbeIsOneStatement(t *testing.T) {
	t.Parallel()
	dsn, _ := migrated(t)
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	sent := &sentStatements{}
	config.Tracer = sent
	pool := stdlib.OpenDB(*config)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	db, err := gorm.Open(driver.New(driver.Config{Conn: pool}), &gorm.Config{Logger: logger.Discard, DisableAutomaticPing: true})
	require.NoError(t, err)
	st, err := convostore.New(t.Context(), db)
	require.NoError(t, err)
	require.Equal(t, 1, sent.take())
	_, err = st.Health().Ready(t.Context())
	require.NoError(t, err)
	require.Equal(t, 9, sent.take(), "as many as without the settings")
}
