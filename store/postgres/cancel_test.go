package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/storetest"
)

// backend is the process of the server that a pool of one connection talks to.
func backend(t *testing.T, st store.Store) (pid int) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Raw("SELECT pg_backend_pid()").Scan(&pid).Error)
	return pid
}

func said(text string) *message.Message {
	return &message.Message{Role: message.RoleUser, Content: text}
}

// waiters are calls that need a row of messages, one of each way that statements are run.
func waiters(id uuid.UUID) map[string]func(ctx context.Context, st store.Store, s store.Scope) error {
	return map[string]func(ctx context.Context, st store.Store, s store.Scope) error{
		"a read": func(ctx context.Context, _ store.Store, s store.Scope) error {
			_, err := s.Messages().List(ctx, id, store.MessageFilter{}, store.PageRequest{})
			return err
		},
		"a walk": func(ctx context.Context, _ store.Store, s store.Scope) error {
			for _, err := range s.Messages().AllByUser(ctx, store.MessageFilter{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"one statement": func(ctx context.Context, _ store.Store, s store.Scope) error {
			_, err := s.Messages().Append(ctx, id, said("never"))
			return err
		},
		"a transaction": func(ctx context.Context, _ store.Store, s store.Scope) error {
			m := said("never")
			m.IdempotencyKey = "key"
			_, err := s.Messages().AppendMany(ctx, id, []*message.Message{m}, store.AppendOptions{})
			return err
		},
		"a copy": func(ctx context.Context, _ store.Store, s store.Scope) error {
			_, err := s.Messages().Import(ctx, each(unkeyed(60), id), store.ImportOptions{})
			return err
		},
		"a transaction of the host's": func(ctx context.Context, st store.Store, _ store.Scope) error {
			return st.Transaction(ctx, func(tx store.Store) error {
				if err := tx.DB(ctx).Exec("UPDATE conversations SET title = 'never'").Error; err != nil {
					return err
				}
				return tx.DB(ctx).Exec("DELETE FROM messages").Error
			})
		},
	}
}

// TestEndedContextKeepsConnection ends the context of calls that wait for a lock: the server
// gives them up, and the same connection serves the next call.
func TestEndedContextKeepsConnection(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]convostore.Option{
		"prepared": postgres.WithMaxConns(1),
		"simple":   postgres.WithSimpleProtocol(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := fresh(t, "simple", postgres.Open, withoutIndex)
			one := reopen(t, other, option, postgres.WithMaxConns(1))
			mine := one.ForUser(uuid.New())
			c := &conversation.Conversation{Title: "kept", Messages: []*message.Message{said("first")}}
			require.NoError(t, mine.Conversations().Create(t.Context(), c))
			for name, call := range waiters(c.ID) {
				t.Run(name, func(t *testing.T) {
					pid := backend(t, one)
					giveUp(t, other, pid, func(ctx context.Context) error { return call(ctx, one, mine) })
					assert.Equal(t, pid, backend(t, one), "the connection")
					kept, err := mine.Conversations().Get(t.Context(), c.ID)
					require.NoError(t, err)
					assert.Equal(t, "kept", kept.Title)
					assert.Len(t, storetest.CheckConversation(t, mine, c.ID), 1)
				})
			}
		})
	}
}

// giveUp ends the context of a call as soon as the server says that it waits for the lock
// that another session has on messages.
func giveUp(t *testing.T, other store.Store, pid int, call func(ctx context.Context) error) {
	t.Helper()
	lock := other.DB(context.WithoutCancel(t.Context())).Begin()
	require.NoError(t, lock.Error)
	defer func() { require.NoError(t, lock.Rollback().Error) }()
	require.NoError(t, lock.Exec("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE").Error)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- call(ctx) }()
	require.Eventually(t, func() bool { return waits(lock, pid) }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func waits(db *gorm.DB, pid int) (is bool) {
	err := db.Raw("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE pid = ? AND NOT granted)", pid).Scan(&is).Error
	return is && err == nil
}

// reopen opens the database of a store once more.
func reopen(t *testing.T, of store.Store, opts ...convostore.Option) store.Store {
	t.Helper()
	st, err := postgres.Open(t.Context(), dsnOf(t, of), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

// dsnOf is the address of a store's database on the test server.
func dsnOf(t *testing.T, st store.Store) string {
	t.Helper()
	config, err := pgx.ParseConfig(pgtest.DSN(t))
	require.NoError(t, err)
	var name string
	require.NoError(t, st.DB(t.Context()).Raw("SELECT current_database()").Scan(&name).Error)
	return fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s sslmode=disable", config.Host, config.Port, config.User, config.Password, name)
}

// TestEndedContextOfDeadServer has the network swallow a statement: no answer to the request
// to stop it comes either, and the call still returns.
func TestEndedContextOfDeadServer(t *testing.T) {
	t.Parallel()
	st := fresh(t, "simple", postgres.Open, withoutIndex)
	p := newProxy(t, dsnOf(t, st))
	far, err := postgres.Open(t.Context(), p.dsn, postgres.WithMaxConns(1))
	require.NoError(t, err)
	defer func() { require.NoError(t, far.Close()) }()
	mine := far.ForUser(uuid.New())
	c := &conversation.Conversation{Title: "kept", Messages: []*message.Message{said("first")}}
	require.NoError(t, mine.Conversations().Create(t.Context(), c))
	for name, call := range waiters(c.ID) {
		t.Run(name, func(t *testing.T) {
			backend(t, far) // there is a connection to cut
			p.sever()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- call(ctx, far, mine) }()
			select {
			case err := <-ended:
				require.ErrorIs(t, err, context.DeadlineExceeded)
			case <-time.After(time.Minute):
				t.Fatal("the call hangs on a server that is gone")
			}
			p.mend()
			_, err := mine.Conversations().Get(t.Context(), c.ID)
			require.NoError(t, err, "there are other connections")
		})
	}
}
