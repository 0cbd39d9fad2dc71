package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	driver "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/storetest"
)

// capabilities are those of every PostgreSQL whose locale is not C.
var capabilities = storetest.Capabilities{Name: storetest.Postgres, NotDistributed: true}

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

type opener func(ctx context.Context, dsn string, opts ...convostore.Option) (store.Store, error)

// fresh opens a copy of a database that the mode has migrated: migrating each would take
// most of the time.
func fresh(tb testing.TB, mode string, open opener, opts ...convostore.Option) store.Store {
	tb.Helper()
	c, err := config.New(opts...)
	require.NoError(tb, err)
	dsn := pgtest.Copy(tb, fmt.Sprintf("%s %+v", mode, c.Naming()), func(dsn string) error {
		st, err := open(context.Background(), dsn, opts...)
		if err != nil {
			return err
		}
		return st.Close()
	})
	st, err := open(tb.Context(), dsn, opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, st.Close()) })
	return st
}

func open(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return fresh(tb, "open", postgres.Open, append(opts, convostore.WithMigrate(migrate.Options{}))...)
}

// withoutIndex makes every similarity search exact.
var withoutIndex = convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true})

func elsewhere(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return open(tb, append(opts, convostore.WithTablePrefix("chat_"), convostore.WithSchema("crm"))...)
}

func simple(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return fresh(tb, "simple", postgres.Open, append(opts, withoutIndex, postgres.WithSimpleProtocol())...)
}

func simpleElsewhere(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return simple(tb, append(opts, convostore.WithTablePrefix("chat_"), convostore.WithSchema("crm"))...)
}

func host(tb testing.TB, opts ...convostore.Option) store.Store {
	tb.Helper()
	return fresh(tb, "host", openHost, append(opts, withoutIndex)...)
}

// openHost is a service with its own GORM: prepared statements, errors translated, no
// default transaction and no nested one.
func openHost(ctx context.Context, dsn string, opts ...convostore.Option) (store.Store, error) {
	db, err := gorm.Open(driver.Open(dsn), &gorm.Config{
		Logger: logger.Discard, PrepareStmt: true, TranslateError: true, SkipDefaultTransaction: true, DisableNestedTransaction: true,
	})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	st, err := convostore.New(ctx, db, opts...)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return hosted{st, pool}, nil
}

// hosted closes the host's pool as well, which the store does not.
type hosted struct {
	store.Store
	pool *sql.DB
}

func (h hosted) Close() error { return h.pool.Close() }

// TestOpen runs the whole contract. Under the race detector it runs what has many callers, or has
// each method called: the other parts call the same methods one after the other.
func TestOpen(t *testing.T) {
	t.Parallel()
	var parts []storetest.Part // all
	if testrun.Race {
		parts = []storetest.Part{storetest.CRUD, storetest.Transactions, storetest.Concurrency, storetest.Streams, storetest.Tail}
	}
	storetest.Run(t, open, capabilities, parts...)
}

// TestModes runs the contract on the other ways to open the same database, without the race
// detector: the library's Go code is the same in all of them. What differs is how statements
// are sent, what the tables are called, and in whose transaction they run, which CRUD tells
// for each method, and Transactions for a host's own settings. Two that have nothing to do with
// each other are one mode. A full run has the other parts.
func TestModes(t *testing.T) {
	testrun.WithoutRace(t)
	t.Parallel()
	for _, mode := range []struct {
		name          string
		open          storetest.Factory
		parts, others []storetest.Part
	}{
		{"host", host, []storetest.Part{storetest.CRUD, storetest.Transactions}, []storetest.Part{storetest.Concurrency, storetest.Pagination, storetest.Refusals}},
		{"simple protocol", simple, []storetest.Part{storetest.Transactions}, []storetest.Part{storetest.Tenancy, storetest.Embedding, storetest.Search}},
		{"simple protocol, prefix and schema in a host's transaction", storetest.InTransaction(simpleElsewhere), []storetest.Part{storetest.CRUD}, nil},
	} {
		if testrun.Full() {
			mode.parts = mode.others
		}
		if len(mode.parts) == 0 {
			continue
		}
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, mode.open, capabilities, mode.parts...)
		})
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	storetest.RunClosed(t, open)
}

func TestReports(t *testing.T) {
	testrun.OnlyFull(t)
	t.Parallel()
	storetest.Run(t, open, capabilities, storetest.Reports)
}

func TestOpenDoesNotMigrate(t *testing.T) {
	t.Parallel()
	st, err := postgres.Open(t.Context(), pgtest.Database(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	err = st.ForUser(uuid.New()).Conversations().Create(t.Context(), &conversation.Conversation{})
	require.ErrorIs(t, err, store.ErrSchema)
	require.ErrorContains(t, err, "migrate.Up", "the error says what to call")
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"postgres://u:secret@host:port/db", "host=127.0.0.1 port=1 password=secret connect_timeout=1"} {
		_, err := postgres.Open(t.Context(), dsn)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := postgres.Open(t.Context(), pgtest.Database(t), convostore.WithTablePrefix(`x"; --`))
	require.ErrorIs(t, err, store.ErrInvalid)
	_, err = postgres.Open(t.Context(), pgtest.Database(t), postgres.WithMaxConns(0))
	require.ErrorIs(t, err, store.ErrInvalid)
}

func TestCloseAgain(t *testing.T) {
	t.Parallel()
	st, err := postgres.Open(t.Context(), pgtest.Database(t))
	require.NoError(t, err)
	require.NoError(t, st.Close())
	require.NoError(t, st.Close())
}
