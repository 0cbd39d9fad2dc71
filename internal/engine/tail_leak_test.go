package engine_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// TestTailsLeaveNoGoroutine: the poller and the doorbell run while somebody waits. The stacks of
// other tests that run meanwhile are not looked at, since this one is not parallel.
func TestTailsLeaveNoGoroutine(t *testing.T) {
	open := func(t *testing.T, d bothtest.Database) {
		ctx := t.Context()
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
		mine := st.ForUser(uuid.New())
		c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "a"}}}
		require.NoError(t, mine.Conversations().Create(ctx, c))
		require.Empty(t, waiting(), "before anybody waits")
		for range 3 {
			for _, err := range mine.Messages().Tail(ctx, c.ID, store.Position{}, store.TailOptions{}) {
				require.NoError(t, err)
				require.Eventually(t, func() bool { return len(waiting()) == 2 }, 10*time.Second, time.Millisecond, "one that polls and one that listens")
				break
			}
			require.Empty(t, waiting(), "after the last one left")
			for _, err := range mine.Conversations().Watch(ctx, store.WatchOptions{Since: time.Unix(0, 0)}) {
				require.NoError(t, err)
				break
			}
			require.Empty(t, waiting(), "after the last one left")
		}
		for _, err := range mine.Messages().Tail(ctx, c.ID, store.Position{}, store.TailOptions{}) {
			if err != nil {
				require.ErrorIs(t, err, store.ErrClosed)
				break
			}
			require.NoError(t, st.Close())
			require.Empty(t, waiting(), "after Close")
		}
	}
	t.Run("sqlite", func(t *testing.T) { open(t, bothtest.Database{SQLite: true, DSN: t.TempDir() + "/chat.db"}) })
	t.Run("postgres", func(t *testing.T) { open(t, bothtest.Database{DSN: pgtest.Database(t)}) })
}

// waiting are the goroutines of pollers and of those who listen.
func waiting() (all []string) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "watch.(*Hub).poll(") || strings.Contains(stack, ").Listen(") {
			all = append(all, stack)
		}
	}
	return all
}

// TestManyTailsLeaveNothing: tails that were left, whose context ended, that ended with the store
// and one whose caller was slow leave no goroutine, no connection and no memory of what they read.
func TestManyTailsLeaveNothing(t *testing.T) {
	tails := 100
	if testrun.Full() {
		tails = 1000
	}
	for name, d := range map[string]bothtest.Database{
		"sqlite": {SQLite: true, DSN: t.TempDir() + "/chat.db"}, "postgres": {},
	} {
		t.Run(name, func(t *testing.T) {
			if !d.SQLite {
				d.DSN = pgtest.Database(t)
			}
			st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
			mine := st.ForUser(uuid.New())
			c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "a"}}}
			require.NoError(t, mine.Conversations().Create(t.Context(), c))
			before := runtime.NumGoroutine()
			for _, end := range []string{"left", "cancelled", "closed"} {
				manyTails(t, st, mine, c.ID, tails, end)
				require.Eventually(t, func() bool { return len(waiting()) == 0 && runtime.NumGoroutine() <= before+10 },
					time.Minute, time.Millisecond, "%d goroutines after %s, %d before", runtime.NumGoroutine(), end, before)
				if end != "closed" {
					pool, err := st.DB(t.Context()).DB()
					require.NoError(t, err)
					// The notice of the last append is sent on a connection of the pool, which nobody waits for.
					require.Eventually(t, func() bool { return pool.Stats().InUse == 0 },
						time.Minute, time.Millisecond, "connections are in use for ever after %s", end)
				}
			}
		})
	}
}

// manyTails starts tails and ends them after each has seen a change.
func manyTails(t *testing.T, st store.Store, mine store.Scope, id uuid.UUID, tails int, end string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var following, came sync.WaitGroup
	came.Add(tails)
	slow := make(chan struct{})
	for i := range tails {
		following.Go(func() {
			for change, err := range mine.Messages().Tail(ctx, id, store.Position{}, store.TailOptions{}) {
				switch {
				case err != nil:
					return
				case change.Message.Content == end:
					came.Done()
					if end == "left" {
						return
					}
				case i == 0:
					<-slow
				}
			}
		})
	}
	for _, content := range []string{"b", end} {
		_, err := mine.Messages().Append(ctx, id, &message.Message{Role: message.RoleUser, Content: content})
		require.NoError(t, err)
	}
	close(slow)
	came.Wait()
	switch end {
	case "cancelled":
		stop()
	case "closed":
		require.NoError(t, st.Close())
	}
	following.Wait()
}
