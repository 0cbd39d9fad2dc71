package engine_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// TestOptionsAreSharedByStores opens eight databases at once with one list of options that
// has room at its end, as a host has that builds it with append.
func TestOptionsAreSharedByStores(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, targets []string, open func(context.Context, string, ...convostore.Option) (store.Store, error)) {
		t.Helper()
		var applied atomic.Int64
		opts := []convostore.Option{
			func(*config.Config) error { applied.Add(1); return nil },
			convostore.WithMigrate(migrate.Options{}),
			convostore.WithLeads(store.HostTable{Name: "leads", Columns: []string{"tier"}}),
		}
		opts = append(make([]convostore.Option, 0, len(opts)+8), opts...)
		stores := make([]store.Store, len(targets))
		var opening sync.WaitGroup
		for i, target := range targets {
			opening.Go(func() {
				var err error
				stores[i], err = open(t.Context(), target, opts...)
				assert.NoError(t, err)
			})
		}
		opening.Wait()
		for _, st := range stores {
			require.NotNil(t, st)
			t.Cleanup(func() { require.NoError(t, st.Close()) })
			require.NoError(t, st.ForUser(uuid.New()).Conversations().Create(t.Context(), &conversation.Conversation{Subject: "one"}))
		}
		require.EqualValues(t, len(targets), applied.Load(), "each store applied the option once")
		for _, o := range opts[:cap(opts)][len(opts):] {
			require.Nil(t, o, "the room at the end is the caller's")
		}
		for _, st := range stores {
			page, err := st.AllUsers().Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{})
			require.NoError(t, err)
			require.Len(t, page.Items, 1, "a database has its own rows alone")
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		targets := make([]string, 8)
		for i := range targets {
			targets[i] = filepath.Join(t.TempDir(), "chat.db")
		}
		run(t, targets, sqlite.Open)
	})
	t.Run("SQLite in memory", func(t *testing.T) {
		t.Parallel()
		run(t, make([]string, 8), func(ctx context.Context, _ string, opts ...convostore.Option) (store.Store, error) {
			return sqlite.OpenMemory(ctx, opts...)
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		targets := make([]string, 4)
		for i := range targets {
			targets[i] = pgtest.Database(t)
		}
		run(t, targets, postgres.Open)
	})
}

// TestOptionsOfReplicasAddUp opens with one option twice, which counts twice, and with the
// same list once more.
func TestOptionsOfReplicasAddUp(t *testing.T) {
	t.Parallel()
	opts := []convostore.Option{postgres.WithReplicas("a", "b"), postgres.WithReplicas("c")}
	for range 2 {
		c, err := config.New(opts...)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b", "c"}, c.Postgres.Replicas)
	}
}

func TestNilOptionIsInvalid(t *testing.T) {
	t.Parallel()
	opts := []convostore.Option{convostore.WithNULStripped(), nil}
	path := filepath.Join(t.TempDir(), "chat.db")
	for name, open := range map[string]func() (store.Store, error){
		"New":        func() (store.Store, error) { return convostore.New(t.Context(), &gorm.DB{}, opts...) },
		"Open":       func() (store.Store, error) { return sqlite.Open(t.Context(), path, opts...) },
		"OpenMemory": func() (store.Store, error) { return sqlite.OpenMemory(t.Context(), opts...) },
		"PostgreSQL": func() (store.Store, error) { return postgres.Open(t.Context(), "host=nowhere.invalid", opts...) },
	} {
		_, err := open()
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, "opts", invalid.Field, name)
		require.Contains(t, invalid.Rule, "place 2 of 2", name)
	}
	require.NoFileExists(t, path)
}

func TestNewWithoutADatabaseIsInvalid(t *testing.T) {
	t.Parallel()
	for name, db := range map[string]*gorm.DB{
		"nil": nil, "zero": {}, "without a dialector": {Config: &gorm.Config{}},
	} {
		_, err := convostore.New(t.Context(), db)
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, "db", invalid.Field, name)
	}
}

// TestContextThatIsOver opens nothing and migrates nothing.
func TestContextThatIsOver(t *testing.T) {
	t.Parallel()
	why := errors.New("the host shuts down")
	over, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	up := convostore.WithMigrate(migrate.Options{})

	path := filepath.Join(t.TempDir(), "chat.db")
	_, err := sqlite.Open(over, path, up)
	require.ErrorIs(t, err, context.Canceled)
	require.NoFileExists(t, path)
	_, err = sqlite.OpenMemory(over)
	require.ErrorIs(t, err, context.Canceled)

	onHosts(t, func(t *testing.T, db *gorm.DB) {
		_, err := convostore.New(over, db, up)
		require.ErrorIs(t, err, context.Canceled)
		version, err := migrate.Version(t.Context(), db, migrate.Options{})
		require.NoError(t, err)
		require.Zero(t, version, "nothing was migrated")
	})
}

// TestContextEndsWhileMigrating ends the context after New has looked at it: the
// migration runs under the caller's.
func TestContextEndsWhileMigrating(t *testing.T) {
	t.Parallel()
	onHosts(t, func(t *testing.T, db *gorm.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := convostore.New(&looked{ctx, cancel}, db, convostore.WithMigrate(migrate.Options{}))
		require.ErrorIs(t, err, context.Canceled)
		version, err := migrate.Version(t.Context(), db, migrate.Options{})
		require.NoError(t, err)
		require.Zero(t, version, "nothing was migrated")
	})
}

// looked is a context that ends once somebody asked whether it is over.
type looked struct {
	context.Context
	end func()
}

func (l *looked) Err() error {
	defer l.end()
	return l.Context.Err()
}

// onHosts runs a test on an empty database of each kind that a host has opened.
func onHosts(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, hostFile(t, &gorm.Config{Logger: logger.Discard}))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		db, err := gorm.Open(gormpostgres.Open(pgtest.Database(t)), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		pool, err := db.DB()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
		test(t, db)
	})
}
