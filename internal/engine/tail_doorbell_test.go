package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
)

// TestDoorbell: what another process writes comes long before the next poll, also after the
// connection that listens was lost. Without a doorbell it comes by the poll.
func TestDoorbell(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx, user := t.Context(), uuid.New()
		writer := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
		c := &conversation.Conversation{}
		require.NoError(t, writer.ForUser(user).Conversations().Create(ctx, c))
		write := func() {
			_, err := eventually(ctx, func() (bool, error) {
				return writer.ForUser(user).Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "a"})
			})
			require.NoError(t, err)
		}
		follow := func(st store.Store, every time.Duration, from store.Position, n int64) {
			write()
			for change, err := range st.ForUser(user).Messages().Tail(ctx, c.ID, from, store.TailOptions{Every: every}) {
				require.NoError(t, err)
				if change.Position.Seq == from.Seq+n {
					return
				}
				if change.Position.Seq == from.Seq+n/2 {
					endConnections(t, d, writer)
				}
				write()
			}
		}
		follow(d.Store(t), time.Hour, store.Position{}, 6)
		if !d.SQLite {
			follow(d.Store(t, postgres.WithoutDoorbell()), store.MinTailEvery, store.Position{Seq: 6}, 4)
			_, err := d.Open(ctx, postgres.WithDoorbell("postgres://%"))
			require.Error(t, err)
		}
	})
}

// TestDoorbellOfClose: what a store wrote right before it was closed comes at once as well.
func TestDoorbellOfClose(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx, user, n := t.Context(), uuid.New(), int64(0)
		follower := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
		c := &conversation.Conversation{}
		require.NoError(t, follower.ForUser(user).Conversations().Create(ctx, c))
		write := func() {
			st, err := d.Open(ctx)
			require.NoError(t, err)
			for range 3 {
				_, err = st.ForUser(user).Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "a"})
				require.NoError(t, err)
			}
			require.NoError(t, st.Close())
			n += 3
		}
		write()
		bounded, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		for change, err := range follower.ForUser(user).Messages().Tail(bounded, c.ID, store.Position{}, store.TailOptions{Every: time.Hour}) {
			require.NoError(t, err, "after %d", n)
			if change.Position.Seq < n {
				continue
			}
			if n == 30 {
				return
			}
			write()
		}
	})
}

// TestTailsBehindPooler: LISTEN does not work behind PgBouncer in transaction mode. A store there
// does not try, and leaves no lock in the pooler's sessions; its tails poll, or listen on the server
// itself. What it writes is told to others all the same.
func TestTailsBehindPooler(t *testing.T) {
	t.Parallel()
	direct := bothtest.Database{DSN: pgtest.Database(t)}
	pooled := bothtest.Database{DSN: pgtest.Bouncer(t, direct.DSN, 4)}
	ctx, user := t.Context(), uuid.New()
	beside := direct.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
	behind := pooled.Store(t)
	c := &conversation.Conversation{}
	require.NoError(t, beside.ForUser(user).Conversations().Create(ctx, c))
	follow := func(follower, writer store.Store, every time.Duration) {
		bounded, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		seen := 0
		write := func() {
			_, err := writer.ForUser(user).Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, Content: "a"})
			require.NoError(t, err)
		}
		last, err := follower.ForUser(user).Conversations().Get(ctx, c.ID)
		require.NoError(t, err)
		write()
		for _, err := range follower.ForUser(user).Messages().Tail(bounded, c.ID, store.PositionOf(last), store.TailOptions{Every: every}) {
			require.NoError(t, err)
			if seen++; seen == 4 {
				break
			}
			write()
		}
	}
	follow(behind, beside, store.MinTailEvery)
	require.Zero(t, listeners(ctx, beside), "nobody listens through the pooler")
	follow(beside, behind, time.Hour)
	follow(pooled.Store(t, postgres.WithDoorbell(direct.DSN)), beside, time.Hour)
}
