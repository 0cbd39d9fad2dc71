package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	driver "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/storetest"
)

// distributed opens a database of a cluster whose tables are distributed. Tests take turns
// with a few, since making one takes seconds.
func distributed(tb testing.TB, open opener, o migrate.Options, opts ...convostore.Option) store.Store {
	tb.Helper()
	dsn := pgtest.LendCitus(tb, fmt.Sprintf("%+v", o), func(dsn string) error { return spread(dsn, o) },
		func(dsn string) error { return empty(dsn, o) })
	st, err := open(tb.Context(), dsn, opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, st.Close()) })
	return st
}

func spread(dsn string, o migrate.Options) error {
	return onDSN(dsn, func(db *gorm.DB) error {
		// For TestCitusOneShard, and for the sessions that come after this one.
		name := db.Migrator().CurrentDatabase()
		if err := db.Exec("ALTER DATABASE " + name + " SET citus.enable_stat_counters = on").Error; err != nil {
			return err
		}
		if err := migrate.Up(context.Background(), db, o); err != nil {
			return err
		}
		return migrate.Distribute(context.Background(), db, o, migrate.DistributeOptions{Shards: 4})
	})
}

// empty removes the rows and the tables that a test made, and mends the record of what
// ran.
func empty(dsn string, o migrate.Options) error {
	name := func(table string) string {
		if o.Schema != "" {
			return o.Schema + "." + o.Prefix + table
		}
		return o.Prefix + table
	}
	return onDSN(dsn, func(db *gorm.DB) error {
		for _, table := range append([]string{naming.AppStates}, backwards(naming.WithRows())...) {
			if err := db.Exec("DELETE FROM " + name(table)).Error; err != nil {
				return err
			}
		}
		record := name("convostore_migrations")
		if err := db.Exec("DELETE FROM "+record+" WHERE version >= ?", migrate.Latest()).Error; err != nil {
			return err
		}
		if err := db.Exec("INSERT INTO "+record+" (version, name) VALUES (?, 'newest')", migrate.Latest()).Error; err != nil {
			return err
		}
		return eachOther(db, "DROP TABLE %s")
	})
}

// backwards has children before their parents.
func backwards(tables []string) []string {
	slices.Reverse(tables)
	return tables
}

// others are the tables in the schema public that are not the library's.
const others = `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'public' AND c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_attribute a
		WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'app', 'applied_at'))`

// eachOther runs a statement on each of them.
func eachOther(db *gorm.DB, statement string) error {
	var tables []string
	if err := db.Raw(others).Scan(&tables).Error; err != nil {
		return err
	}
	for _, table := range tables {
		if err := db.Exec(fmt.Sprintf(statement, table)).Error; err != nil {
			return err
		}
	}
	return nil
}

func onDSN(dsn string, do func(db *gorm.DB) error) error {
	db, err := gorm.Open(driver.Open(dsn), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	defer pool.Close() //nolint:errcheck // all that was done was waited for
	return do(db)
}

func onCitus(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return distributed(tb, postgres.Open, migrate.Options{}, opts...)
}

func hostOnCitus(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return distributed(tb, openHost, migrate.Options{WithoutVectorIndex: true}, opts...)
}

func elsewhereOnCitus(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return distributed(tb, postgres.Open, migrate.Options{Prefix: "chat_", Schema: "crm"},
		append(opts, convostore.WithTablePrefix("chat_"), convostore.WithSchema("crm"))...)
}

// citus has capabilities less one.
var citus = storetest.Capabilities{Name: storetest.Postgres}

func TestCitus(t *testing.T) {
	pgtest.CitusDSN(t)
	t.Parallel()
	storetest.Run(t, onCitus, citus)
}

func TestCitusHost(t *testing.T) {
	pgtest.CitusDSN(t)
	t.Parallel()
	storetest.Run(t, hostOnCitus, citus, storetest.CRUD)
}

func TestCitusPrefixAndSchema(t *testing.T) {
	pgtest.CitusDSN(t)
	t.Parallel()
	storetest.Run(t, elsewhereOnCitus, citus, storetest.CRUD)
}

func TestCitusInTransaction(t *testing.T) {
	pgtest.CitusDSN(t)
	t.Parallel()
	storetest.Run(t, storetest.InTransaction(onCitus), citus, storetest.CRUD)
}

func TestCitusReports(t *testing.T) {
	pgtest.CitusDSN(t)
	t.Parallel()
	storetest.Run(t, onCitus, citus, storetest.Reports)
}

// TestCitusOneShard has every method of a user's scope stay on the shards of that user:
// the cluster counts what goes to one shard and what to several.
func TestCitusOneShard(t *testing.T) {
	pgtest.CitusDSN(t)
	t.Parallel()
	single, first := int64(0), true
	storetest.RunCalls(t, onCitus, func(t *testing.T, st store.Store, c storetest.Call, statements func() []storetest.Statement) {
		t.Helper()
		db := st.DB(t.Context())
		if first {
			require.NoError(t, eachOther(db, "SELECT create_reference_table('%s')"), "the leads are everywhere")
			first = false
			_, before := executions(t, db)
			_, err := st.AllUsers().Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{})
			require.NoError(t, err)
			_, after := executions(t, db)
			require.Greater(t, after, before, "everybody's go to several, and are counted")
		}
		one, many := executions(t, db)
		require.NoError(t, c.Run(), c.Method)
		oneMore, manyMore := executions(t, db)
		single += oneMore - one
		if manyMore != many {
			for _, s := range statements() {
				t.Log(s.SQL)
			}
			t.Errorf("%s: %d statements to several shards", c.Method, manyMore-many)
		}
	})
	require.Greater(t, single, int64(100))
}

func executions(t *testing.T, db *gorm.DB) (one, many int64) {
	t.Helper()
	require.NoError(t, db.Raw("SELECT query_execution_single_shard, query_execution_multi_shard FROM citus_stat_counters"+
		" WHERE name = current_database()").Row().Scan(&one, &many))
	return one, many
}
