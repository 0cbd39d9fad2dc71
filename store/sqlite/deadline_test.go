package sqlite_test

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// holdLock has another connection hold a lock on the file until it is released.
func holdLock(t *testing.T, path, begin string) (release func()) {
	t.Helper()
	conn := foreign(t, path)
	_, err := conn.ExecContext(t.Context(), begin)
	require.NoError(t, err)
	return func() {
		_, err := conn.ExecContext(t.Context(), "ROLLBACK")
		require.NoError(t, err)
	}
}

// foreign is a connection of somebody else's, with half the busy timeout of the store.
func foreign(t *testing.T, path string) *sql.Conn {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_busy_timeout=2500")
	require.NoError(t, err)
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		require.NoError(t, pool.Close())
	})
	return conn
}

// givesUp requires that call ends at its deadline though the lock is still held: before
// another connection has waited for half as long as the busy timeout of the store.
func givesUp(t *testing.T, path, begin string, call func(ctx context.Context) error) {
	t.Helper()
	waiter := foreign(t, path)
	release := holdLock(t, path, begin)
	waited := make(chan error, 1)
	go func() {
		_, err := waiter.ExecContext(context.WithoutCancel(t.Context()), "BEGIN IMMEDIATE")
		waited <- err
	}()
	returned := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Millisecond)
		defer cancel()
		returned <- call(ctx)
	}()
	select {
	case err := <-returned:
		require.ErrorIs(t, err, context.DeadlineExceeded)
	case err := <-waited:
		require.Fail(t, "the call goes on waiting", "after the other one got %v", err)
	}
	release()
	require.NoError(t, <-waited)
	_, err := waiter.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
}

func TestDeadlineUnderALock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st, err := sqlite.Open(t.Context(), path, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	hello := func() *message.Message { return &message.Message{Role: message.RoleUser, Content: "hello"} }
	for name, call := range map[string]func(context.Context) error{
		"Append": func(ctx context.Context) error {
			_, err := mine.Messages().Append(ctx, c.ID, hello())
			return err
		},
		"AppendMany": func(ctx context.Context) error {
			_, err := mine.Messages().AppendMany(ctx, c.ID, []*message.Message{hello(), hello()}, store.AppendOptions{})
			return err
		},
		"Create": func(ctx context.Context) error { return mine.Conversations().Create(ctx, &conversation.Conversation{}) },
		"SetTitle": func(ctx context.Context) error {
			_, err := mine.Conversations().SetTitle(ctx, c.ID, "title")
			return err
		},
		"EraseUser": func(ctx context.Context) error {
			_, err := mine.Maintenance().EraseUser(ctx)
			return err
		},
		"Retain": func(ctx context.Context) error {
			_, err := mine.Maintenance().Retain(ctx, store.RetentionPolicy{ArchiveAfter: time.Nanosecond})
			return err
		},
		"Analyze":    func(ctx context.Context) error { return st.AllUsers().Maintenance().Analyze(ctx) },
		"Reindex":    func(ctx context.Context) error { return st.AllUsers().Maintenance().Reindex(ctx) },
		"VacuumFull": func(ctx context.Context) error { return st.AllUsers().Maintenance().VacuumFull(ctx) },
		"Transaction": func(ctx context.Context) error {
			return st.Transaction(ctx, func(store.Store) error { return nil })
		},
		"migrate.DownTo": func(ctx context.Context) error { return migrate.DownTo(ctx, st.DB(ctx), migrate.Options{}, 0) },
		"RebuildSearch":  func(ctx context.Context) error { return migrate.RebuildSearch(ctx, st.DB(ctx), migrate.Options{}) },
	} {
		t.Run(name, func(t *testing.T) { givesUp(t, path, "BEGIN IMMEDIATE", call) })
	}
	got, err := mine.Messages().Last(t.Context(), c.ID, 9)
	require.NoError(t, err)
	require.Empty(t, got)
}

// TestOpenUnderALock has files on which Open has something to do.
func TestOpenUnderALock(t *testing.T) {
	t.Parallel()
	open := func(path string, opts ...convostore.Option) func(context.Context) error {
		return func(ctx context.Context) error {
			st, err := sqlite.Open(ctx, path, opts...)
			if err == nil {
				err = st.Close()
			}
			return err
		}
	}
	t.Run("not yet in WAL mode", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "a.db")
		givesUp(t, path, "BEGIN EXCLUSIVE", open(path))
		require.NoError(t, open(path)(t.Context()))
	})
	t.Run("not yet migrated", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "a.db")
		require.NoError(t, open(path)(t.Context()))
		givesUp(t, path, "BEGIN IMMEDIATE", open(path, convostore.WithMigrate(migrate.Options{})))
		require.NoError(t, open(path, convostore.WithMigrate(migrate.Options{}))(t.Context()))
	})
}
