package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	driver "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/storetest"
)

// distributed opens a database of a cluster whose tables are distributed. Tests take turns
// with a few, since making one takes seconds.
func distributed(tb testing.TB, open opener, o migrate.Options, opts ...store.Option) store.Store {
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
		if err := migrate.Up(context.Background(), db, o); err != nil {
			return err
		}
		return migrate.Distribute(context.Background(), db, o, migrate.DistributeOptions{Shards: 4})
	})
}

// empty removes the rows, and the tables that a test made.
func empty(dsn string, o migrate.Options) error {
	return onDSN(dsn, func(db *gorm.DB) error {
		for _, table := range []string{"message_embedding_claims", "message_embeddings", "ai_suggestions", "messages", "conversations"} {
			if o.Schema != "" {
				table = o.Schema + "." + o.Prefix + table
			}
			if err := db.Exec("DELETE FROM " + table).Error; err != nil {
				return err
			}
		}
		return dropOthers(db)
	})
}

func dropOthers(db *gorm.DB) error {
	var others []string
	err := db.Raw(`SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'public' AND c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_dist_partition p WHERE p.logicalrelid = c.oid AND NOT p.autoconverted)`).
		Scan(&others).Error
	for _, table := range others {
		if err := db.Exec("DROP TABLE " + table).Error; err != nil {
			return err
		}
	}
	return err
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

func onCitus(tb testing.TB, opts ...store.Option) store.Store {
	tb.Helper()
	return distributed(tb, postgres.Open, migrate.Options{}, opts...)
}

func hostOnCitus(tb testing.TB, opts ...store.Option) store.Store {
	tb.Helper()
	return distributed(tb, openHost, migrate.Options{WithoutVectorIndex: true}, opts...)
}

func elsewhereOnCitus(tb testing.TB, opts ...store.Option) store.Store {
	tb.Helper()
	return distributed(tb, postgres.Open, migrate.Options{Prefix: "chat_", Schema: "crm"},
		append(opts, store.WithTablePrefix("chat_"), store.WithSchema("crm"))...)
}

func TestCitus(t *testing.T) {
	pgtest.CitusDSN(t)
	t.Parallel()
	storetest.Run(t, onCitus, capabilities)
}
