package engine_test

import (
	"runtime"
	"strings"
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
