package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// writes are one of each way to write.
func writes(st store.Store, c *conversation.Conversation, t *testing.T) map[string]func() error {
	t.Helper()
	mine := st.ForUser(c.UserID)
	hello := func() *message.Message { return &message.Message{Role: message.RoleUser, Content: "hello"} }
	return map[string]func() error{
		"Append": func() error {
			_, err := mine.Messages().Append(t.Context(), c.ID, hello())
			return err
		},
		"SetTitle": func() error {
			_, err := mine.Conversations().SetTitle(t.Context(), c.ID, "title")
			return err
		},
		"Create": func() error { return mine.Conversations().Create(t.Context(), &conversation.Conversation{}) },
		"Transaction": func() error {
			return st.Transaction(t.Context(), func(tx store.Store) error {
				_, err := tx.ForUser(c.UserID).Messages().Append(t.Context(), c.ID, hello())
				return err
			})
		},
		"EraseUser": func() error {
			_, err := mine.Maintenance().EraseUser(t.Context())
			return err
		},
	}
}

// TestFileGone takes the file away from under a store and from under a host's handle. No write
// is acknowledged, nothing is left in the file when it comes back, and then all goes on.
func TestFileGone(t *testing.T) {
	t.Parallel()
	rename := func(t *testing.T, from, to string) {
		t.Helper()
		require.NoError(t, os.Rename(from, to))
	}
	for name, take := range map[string]struct {
		away, back func(t *testing.T, path string)
	}{
		"renamed": {
			func(t *testing.T, path string) { t.Helper(); rename(t, path, path+".away") },
			func(t *testing.T, path string) { t.Helper(); rename(t, path+".away", path) },
		},
		"replaced": {
			func(t *testing.T, path string) {
				t.Helper()
				require.NoError(t, os.Link(path, path+".away"))
				require.NoError(t, os.WriteFile(path+".new", nil, 0o600))
				rename(t, path+".new", path)
			},
			func(t *testing.T, path string) { t.Helper(); rename(t, path+".away", path) },
		},
		"log deleted": {
			func(t *testing.T, path string) { t.Helper(); rename(t, path+"-wal", path+".away") },
			func(t *testing.T, path string) { t.Helper(); rename(t, path+".away", path+"-wal") },
		},
	} {
		for whose, open := range map[string]func(t *testing.T, path string) store.Store{
			"store": openAt, "host": hostAt,
		} {
			t.Run(name+", "+whose, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				st := open(t, path)
				c := &conversation.Conversation{}
				require.NoError(t, st.ForUser(uuid.New()).Conversations().Create(t.Context(), c))
				take.away(t, path)
				for what, write := range writes(st, c, t) {
					if name == "log deleted" && whose == "host" && what != "Append" && what != "Transaction" && what != "EraseUser" {
						continue // a single statement of a host: its pool may have closed the log
					}
					require.ErrorIs(t, write(), store.ErrFileGone, what)
				}
				if name != "log deleted" || whose == "store" {
					_, err := st.Health().Ready(t.Context())
					require.ErrorIs(t, err, store.ErrFileGone)
				}
				take.back(t, path)
				n, err := st.ForUser(c.UserID).Maintenance().Counts(t.Context())
				require.NoError(t, err)
				require.Equal(t, store.Counts{Conversations: 1}, n)
				for _, what := range []string{"Append", "SetTitle", "Transaction"} {
					require.NoError(t, writes(st, c, t)[what](), what)
				}
				_, err = st.Health().Ready(t.Context())
				require.NoError(t, err)
			})
		}
	}
}

func openAt(t *testing.T, path string) store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

func hostAt(t *testing.T, path string) store.Store {
	t.Helper()
	db, err := gorm.Open(sqlite.Dialector("file:"+path+
		"?_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_txlock=immediate&_time_format=sqlite"), &gorm.Config{})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	st, err := convostore.New(t.Context(), db, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	return st
}

func TestSynchronous(t *testing.T) {
	t.Parallel()
	for want, opts := range map[int][]convostore.Option{
		2: nil, 1: {sqlite.WithSynchronous(sqlite.Normal)},
	} {
		st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), opts...)
		require.NoError(t, err)
		var got, limit int
		require.NoError(t, st.DB(t.Context()).Raw("PRAGMA synchronous").Row().Scan(&got))
		require.NoError(t, st.DB(t.Context()).Raw("PRAGMA journal_size_limit").Row().Scan(&limit))
		require.Equal(t, want, got)
		require.Equal(t, 64<<20, limit)
		require.NoError(t, st.Close())
	}
	for _, bad := range []sqlite.Synchronous{"", "OFF", "EXTRA", "full"} {
		_, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), sqlite.WithSynchronous(bad))
		require.ErrorIs(t, err, store.ErrInvalid)
		require.ErrorContains(t, err, "WithSynchronous")
	}
	_, err := sqlite.OpenMemory(t.Context(), sqlite.WithSynchronous(sqlite.Normal))
	require.ErrorIs(t, err, store.ErrInvalid)
}

func TestPoolOptions(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]convostore.Option{
		"no connection": sqlite.WithMaxConns(0), "idle": sqlite.WithConnMaxIdleTime(0), "life": sqlite.WithConnMaxLifetime(-time.Second),
		"no connection of PostgreSQL": postgres.WithMaxConns(0), "idle on PostgreSQL": postgres.WithConnMaxIdleTime(-1), "life on PostgreSQL": postgres.WithConnMaxLifetime(0),
	} {
		_, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), option)
		require.ErrorIs(t, err, store.ErrInvalid, name)
	}
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), convostore.WithMigrate(migrate.Options{}),
		sqlite.WithMaxConns(3), sqlite.WithConnMaxIdleTime(time.Minute), sqlite.WithConnMaxLifetime(time.Nanosecond))
	require.NoError(t, err)
	mine := st.ForUser(uuid.New())
	for range 5 {
		_, err := mine.Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{})
		require.NoError(t, err)
	}
	stats := st.Health().PoolStats()
	require.Equal(t, 1, stats[0].MaxOpenConnections)
	require.Equal(t, 3, stats[1].MaxOpenConnections)
	require.NotZero(t, stats[1].MaxLifetimeClosed)
	require.Zero(t, stats[0].MaxLifetimeClosed, "the writer stays")
	for _, option := range []convostore.Option{sqlite.WithMaxConns(2), sqlite.WithConnMaxLifetime(time.Hour), sqlite.WithSynchronous(sqlite.Full)} {
		_, err = convostore.New(t.Context(), st.DB(t.Context()), option)
		require.ErrorIs(t, err, store.ErrInvalid, "a host's handle")
		_, err = sqlite.OpenMemory(t.Context(), option)
		require.ErrorIs(t, err, store.ErrInvalid, "memory")
	}
	require.NoError(t, st.Close())
}
