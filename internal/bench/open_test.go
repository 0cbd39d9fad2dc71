package bench

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// database is one of the two, with how each side opens it.
type database struct {
	name     string
	postgres bool
	fresh    func(tb testing.TB) string
	open     func(ctx context.Context, address string, o migrate.Options, more ...convostore.Option) (store.Store, error)
	byHand   func(ctx context.Context, address string) (side, error)
}

var databases = []database{
	{
		name:  "sqlite",
		fresh: func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "bench.db") },
		open: func(ctx context.Context, address string, o migrate.Options, more ...convostore.Option) (store.Store, error) {
			return sqlite.Open(ctx, address, append(more, convostore.WithMigrate(o))...)
		},
		byHand: openHandSQLite,
	},
	{
		name:     "postgres",
		postgres: true,
		fresh:    pgtest.Database,
		open: func(ctx context.Context, address string, o migrate.Options, more ...convostore.Option) (store.Store, error) {
			return postgres.Open(ctx, address, append(more, postgres.WithMaxConns(connections), convostore.WithMigrate(o))...)
		},
		byHand: openHandPostgres,
	},
}

// async is PostgreSQL that answers before its log is on the disk, for both sides.
var async = database{
	name: "postgres-async", postgres: true, open: databases[1].open, byHand: databases[1].byHand,
	fresh: func(tb testing.TB) string {
		dsn := pgtest.Database(tb)
		setDatabase(tb, dsn, "synchronous_commit", "off")
		return dsn
	},
}

// setDatabase changes a setting of a database for all who connect from now on.
func setDatabase(tb testing.TB, dsn, name, value string) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), dsn)
	require.NoError(tb, err)
	defer conn.Close(tb.Context()) //nolint:errcheck // it was of use
	_, err = conn.Exec(tb.Context(), fmt.Sprintf(`DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %%I SET %s = ''%s''', current_database());
	END $$`, name, value))
	require.NoError(tb, err)
}

// withoutWords leaves the indexes of words out: they cost both sides the same, and would
// hide a part of the difference.
var withoutWords = migrate.Options{WithoutFullText: true}

// fixtures are the two sides, each on a database of its own with the same rows.
func (d database) fixtures(tb testing.TB) (hand, lib *fixture) {
	tb.Helper()
	return d.fixture(tb, false), d.fixture(tb, true)
}

func (d database) fixture(tb testing.TB, withLibrary bool) *fixture {
	tb.Helper()
	ctx := context.Background()
	address := d.fresh(tb)
	st, err := d.open(ctx, address, withoutWords)
	require.NoError(tb, err)
	db, err := st.DB(ctx).DB()
	require.NoError(tb, err)
	fill(tb, db, d.postgres, standard)
	require.NoError(tb, st.Close())
	return d.at(tb, address, standard, withLibrary)
}

// at opens a side on a database that is filled already.
func (d database) at(tb testing.TB, address string, z size, withLibrary bool) *fixture {
	tb.Helper()
	ctx := context.Background()
	st, err := d.open(ctx, address, withoutWords)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, st.Close()) })
	db, err := st.DB(ctx).DB()
	require.NoError(tb, err)
	f := &fixture{side: library{st}, size: z, database: d, label: sideNames[1]}
	f.use(db)
	if !withLibrary {
		f.label = sideNames[0]
		f.side, err = d.byHand(ctx, address)
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, f.close()) })
	}
	return f
}

// use lets what is not timed run on db.
func (f *fixture) use(db *sql.DB) {
	f.exec = func(ctx context.Context, statement string) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	}
	f.pending = func(ctx context.Context, conversation, first, n int) error {
		return pending(ctx, db, f.database.postgres, f.size, conversation, first, n)
	}
}
