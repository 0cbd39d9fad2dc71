package bench

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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
	open     func(ctx context.Context, address string, o migrate.Options, more ...store.Option) (store.Store, error)
	byHand   func(ctx context.Context, address string) (side, error)
}

var databases = []database{
	{
		name:  "sqlite",
		fresh: func(tb testing.TB) string { return filepath.Join(tb.TempDir(), "bench.db") },
		open: func(ctx context.Context, address string, o migrate.Options, more ...store.Option) (store.Store, error) {
			return sqlite.Open(ctx, address, append(more, store.WithMigrate(o))...)
		},
		byHand: openHandSQLite,
	},
	{
		name:     "postgres",
		postgres: true,
		fresh:    pgtest.Database,
		open: func(ctx context.Context, address string, o migrate.Options, more ...store.Option) (store.Store, error) {
			return postgres.Open(ctx, address, append(more, postgres.WithMaxConns(connections), store.WithMigrate(o))...)
		},
		byHand: openHandPostgres,
	},
}

// fixtures are the two sides, each on a database of its own with the same rows.
func (d database) fixtures(tb testing.TB) (hand, lib *fixture) {
	tb.Helper()
	return d.fixture(tb, false), d.fixture(tb, true)
}

func (d database) fixture(tb testing.TB, withLibrary bool) *fixture {
	tb.Helper()
	ctx := context.Background()
	address := d.fresh(tb)
	st, err := d.open(ctx, address, migrate.Options{})
	require.NoError(tb, err)
	db, err := st.DB(ctx).DB()
	require.NoError(tb, err)
	fill(tb, db, d.postgres, standard)
	f := &fixture{side: library{st}, size: standard, database: d}
	f.use(db)
	if !withLibrary {
		f.side, err = d.byHand(ctx, address)
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, f.close()) })
	}
	tb.Cleanup(func() { require.NoError(tb, st.Close()) })
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
