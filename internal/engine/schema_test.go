package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// bothOpen runs a test with a way to open the same database several times.
func bothOpen(t *testing.T, test func(t *testing.T, open func(opts ...convostore.Option) (store.Store, error))) {
	t.Helper()
	closing := func(t *testing.T, st store.Store, err error) (store.Store, error) {
		t.Helper()
		if err == nil {
			t.Cleanup(func() { require.NoError(t, st.Close()) })
		}
		return st, err
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "schema.db")
		test(t, func(opts ...convostore.Option) (store.Store, error) {
			st, err := sqlite.Open(t.Context(), path, opts...)
			return closing(t, st, err)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := pgtest.Database(t)
		test(t, func(opts ...convostore.Option) (store.Store, error) {
			st, err := postgres.Open(t.Context(), dsn, opts...)
			return closing(t, st, err)
		})
	})
}

// While a service is deployed its old processes go on beside the new schema, if that says so.
func TestOldCodeBesideANewerSchema(t *testing.T) {
	t.Parallel()
	bothOpen(t, func(t *testing.T, open func(...convostore.Option) (store.Store, error)) {
		first, err := open(convostore.WithMigrate(migrate.Options{WithoutPgvector: true}))
		require.NoError(t, err)
		newer := migrate.Latest() + 1
		record := func(oldest int64) {
			db := first.DB(t.Context())
			require.NoError(t, db.Exec("DELETE FROM convostore_migrations WHERE version = ?", newer).Error)
			require.NoError(t, db.Exec("INSERT INTO convostore_migrations (version, name, oldest_code) VALUES (?, 'later', ?)", newer, oldest).Error)
		}
		record(migrate.Latest())
		require.NoError(t, first.DB(t.Context()).Exec("ALTER TABLE conversations ADD COLUMN later text").Error)
		second, err := open(convostore.WithMigrate(migrate.Options{WithoutPgvector: true}))
		require.NoError(t, err, "it need not migrate")
		for _, st := range []store.Store{first, second} {
			r, err := st.Health().Ready(t.Context())
			require.NoError(t, err)
			require.Equal(t, newer, r.Schema)
			require.Equal(t, r.Wanted, migrate.Latest())
			require.NoError(t, st.ForUser(uuid.New()).Conversations().Create(t.Context(), &conversation.Conversation{Title: "Old"}))
		}

		record(newer)
		says := fmt.Sprintf("version %d, which works with code that knows %d or more, and this code knows %d: update the library", newer, newer, migrate.Latest())
		_, err = first.Health().Ready(t.Context())
		require.ErrorIs(t, err, store.ErrSchema)
		require.ErrorContains(t, err, says)
		third, err := open()
		require.NoError(t, err)
		err = third.ForUser(uuid.New()).Conversations().Create(t.Context(), &conversation.Conversation{Title: "Old"})
		require.ErrorIs(t, err, store.ErrSchema)
		require.ErrorContains(t, err, says)
		_, err = open(convostore.WithMigrate(migrate.Options{WithoutPgvector: true}))
		require.ErrorIs(t, err, migrate.ErrNewer)
	})
}

// Names in two places that differ are refused before anything is made.
func TestContradictingNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts []convostore.Option
		says string
	}{
		"prefix":      {[]convostore.Option{convostore.WithTablePrefix("a_"), convostore.WithMigrate(migrate.Options{Prefix: "b_"})}, `WithMigrate: has the prefix "b_", and WithTablePrefix or NewNaming has "a_"`},
		"other order": {[]convostore.Option{convostore.WithMigrate(migrate.Options{Prefix: "b_"}), convostore.WithTablePrefix("a_")}, `has the prefix "b_"`},
		"schema":      {[]convostore.Option{convostore.WithSchema("one"), convostore.WithMigrate(migrate.Options{Schema: "two"})}, `has the schema "two", and WithSchema or NewNaming has "one"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			_, err := postgres.Open(t.Context(), dsn, c.opts...)
			require.ErrorIs(t, err, store.ErrInvalid)
			require.ErrorContains(t, err, c.says)
			st, err := postgres.Open(t.Context(), dsn)
			require.NoError(t, err)
			defer func() { require.NoError(t, st.Close()) }()
			var tables int
			require.NoError(t, st.DB(t.Context()).Raw("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')").Scan(&tables).Error)
			require.Zero(t, tables)
		})
	}
}

// What one place leaves out it takes from the other, and both mean the same tables.
func TestNamesFromEitherPlace(t *testing.T) {
	t.Parallel()
	o := migrate.Options{WithoutPgvector: true}
	both := o
	both.Prefix, both.Schema = "chat_", "crm"
	prefix := o
	prefix.Prefix = "chat_"
	for name, opts := range map[string][]convostore.Option{
		"of the migrations": {convostore.WithMigrate(both)},
		"of the store":      {convostore.WithMigrate(o), convostore.WithTablePrefix("chat_"), convostore.WithSchema("crm")},
		"of each":           {convostore.WithMigrate(prefix), convostore.WithSchema("crm")},
		"twice the same":    {convostore.WithMigrate(both), convostore.WithTablePrefix("chat_"), convostore.WithSchema("crm")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, err := postgres.Open(t.Context(), pgtest.Database(t), opts...)
			require.NoError(t, err)
			defer func() { require.NoError(t, st.Close()) }()
			require.NoError(t, st.ForUser(uuid.New()).Conversations().Create(t.Context(), &conversation.Conversation{Title: "New"}))
			var n int
			require.NoError(t, st.DB(t.Context()).Raw("SELECT count(*) FROM crm.chat_conversations").Scan(&n).Error)
			require.Equal(t, 1, n)
			_, err = st.Health().Ready(t.Context())
			require.NoError(t, err)
		})
	}
}

// Two schemas of one database keep vectors of their own with the extension in a third.
func TestVectorsInTwoSchemas(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	bare, err := postgres.Open(t.Context(), dsn)
	require.NoError(t, err)
	for _, s := range []string{"CREATE SCHEMA tools", "CREATE EXTENSION vector SCHEMA tools"} {
		require.NoError(t, bare.DB(t.Context()).Exec(s).Error)
	}
	require.NoError(t, bare.Close())
	user := uuid.New()
	for schema, dimensions := range map[string]int{"one": 3, "two": 2100} {
		st, err := postgres.Open(t.Context(), dsn, convostore.WithSchema(schema), convostore.WithMigrate(migrate.Options{Dimensions: dimensions}))
		require.NoError(t, err)
		vector := make(message.Vector, dimensions)
		vector[1] = 1
		require.NoError(t, st.ForUser(user).Conversations().Create(context.WithoutCancel(t.Context()), &conversation.Conversation{
			Title: schema, Messages: []*message.Message{{Role: message.RoleUser, Content: schema, Embeddings: []*message.Embedding{{Model: "m", Vector: vector}}}},
		}))
		found, err := st.ForUser(user).Search().SimilarMessages(t.Context(), store.SimilarTo{Vector: vector}, store.SimilarOptions{Model: "m", Limit: 10})
		require.NoError(t, err)
		require.Len(t, found.Hits, 1)
		require.Equal(t, schema, found.Hits[0].Message.Content)
		r, err := st.Health().Ready(t.Context())
		require.NoError(t, err)
		require.True(t, r.Vectors && r.VectorIndex)
		require.NoError(t, st.Close())
	}
}
