package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
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
	"github.com/convostore/convostore/store/postgres"
)

// tailed is a conversation with those who follow it.
type tailed struct {
	user, id uuid.UUID
	mu       sync.Mutex
	messages []uuid.UUID
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, standard int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// TestTailsMissNothing: tails in two processes follow what writers in two others do, while the
// server ends all connections again and again, and each ends with what is stored, in order.
// CONVOSTORE_TEST_TAILS and CONVOSTORE_TEST_CHANGES set how many; 1,000 and 100,000 are the
// sizes of a long run.
func TestTailsMissNothing(t *testing.T) {
	t.Parallel()
	tails, changes, restarts := 50, 400, 3
	if testrun.Full() {
		tails, changes, restarts = 200, 4000, 10
	}
	tails, changes = setting(t, "CONVOSTORE_TEST_TAILS", tails), setting(t, "CONVOSTORE_TEST_CHANGES", changes)
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		ctx := t.Context()
		first := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
		readers, writers := []store.Store{first, d.Store(t)}, []store.Store{d.Store(t), d.Store(t)}
		rooms := make([]*tailed, max(1, tails/5))
		for i := range rooms {
			r := &tailed{user: uuid.New()}
			c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "first"}}}
			require.NoError(t, first.ForUser(r.user).Conversations().Create(ctx, c))
			r.id, r.messages = c.ID, []uuid.UUID{c.Messages[0].ID}
			rooms[i] = r
		}
		var following sync.WaitGroup
		failed := make([]error, tails)
		bounded, stop := context.WithTimeout(ctx, 5*time.Minute)
		defer stop()
		for i := range tails {
			following.Go(func() { failed[i] = followToEnd(bounded, readers[i%2], rooms[i%len(rooms)]) })
		}
		var writing sync.WaitGroup
		wrote := make([]error, 4)
		for w := range wrote {
			writing.Go(func() { wrote[w] = writeSteps(ctx, writers[w%2], rooms, changes/len(wrote)) })
		}
		done := make(chan struct{})
		go func() { writing.Wait(); close(done) }()
		for range restarts {
			endConnections(t, d, first)
		}
		<-done
		require.NoError(t, errors.Join(wrote...))
		for _, r := range rooms {
			_, err := eventually(ctx, func() (bool, error) {
				return writers[0].ForUser(r.user).Messages().Append(ctx, r.id, &message.Message{Role: message.RoleUser, Content: lastWords})
			})
			require.NoError(t, err)
		}
		following.Wait()
		require.NoError(t, errors.Join(failed...))
	})
}

// endConnections ends every connection to the database, as a server that restarts does.
func endConnections(t *testing.T, d bothtest.Database, st store.Store) {
	t.Helper()
	if d.SQLite {
		return
	}
	_ = st.DB(t.Context()).Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()").Error
}

// eventually calls fn until it works or ctx ends.
func eventually[T any](ctx context.Context, fn func() (T, error)) (T, error) {
	for {
		v, err := fn()
		if err == nil || ctx.Err() != nil || errors.Is(err, store.ErrInvalid) {
			return v, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// writeSteps appends, edits, deletes and restores at random, each step until it is acknowledged.
func writeSteps(ctx context.Context, st store.Store, rooms []*tailed, n int) error {
	for range n {
		r := rooms[rand.IntN(len(rooms))]
		ms := st.ForUser(r.user).Messages()
		r.mu.Lock()
		id := r.messages[rand.IntN(len(r.messages))]
		r.mu.Unlock()
		step := rand.IntN(4)
		m := &message.Message{ID: uuid.New(), Role: message.RoleUser, Content: "more"}
		_, err := eventually(ctx, func() (_ any, err error) {
			switch step {
			case 0:
				_, err = ms.Append(ctx, r.id, m)
			case 1:
				_, err = ms.Update(ctx, id, store.MessageUpdate{Content: &m.Content})
			case 2:
				_, err = ms.Delete(ctx, id)
			default:
				_, err = ms.Restore(ctx, id)
			}
			if errors.Is(err, store.ErrNotFound) {
				err = nil // it is deleted already
			}
			return nil, err
		})
		if err != nil {
			return err
		}
		if step == 0 {
			r.mu.Lock()
			r.messages = append(r.messages, m.ID)
			r.mu.Unlock()
		}
	}
	return nil
}

// lastWords end a conversation: who has seen them has seen all that was written before.
const lastWords = "last words"

// followToEnd follows a conversation until its last words, and compares what it saw with what is
// stored. It breaks off now and then and goes on from the text of its position.
func followToEnd(ctx context.Context, st store.Store, r *tailed) error {
	ms := st.ForUser(r.user).Messages()
	view := map[int64]message.Message{}
	var at store.Position
	for ended := false; !ended; {
		from, err := store.ParsePosition(at.String())
		if err != nil {
			return err
		}
		for c, err := range ms.Tail(ctx, r.id, from, store.TailOptions{}) {
			if errors.Is(err, store.ErrNotFound) || ctx.Err() != nil {
				return err
			}
			if err != nil {
				break // of the first read, which is not tried again
			}
			if c.Position.Seq < at.Seq || c.Position.Change < at.Change {
				return fmt.Errorf("the position went back from %s to %s", at, c.Position)
			}
			if c.Kind == store.ChangeAppended && c.Message.Seq != int64(len(view)+1) {
				return fmt.Errorf("seq %d came after %d", c.Message.Seq, len(view))
			}
			at, view[c.Message.Seq] = c.Position, *c.Message
			if ended = c.Message.Content == lastWords; ended || rand.IntN(50) == 0 {
				break
			}
		}
	}
	stored, err := eventually(ctx, func() (map[int64]message.Message, error) {
		rows := map[int64]message.Message{}
		for m, err := range ms.All(ctx, r.id, store.MessageFilter{Deleted: store.IncludeDeleted}) {
			if err != nil {
				return nil, err
			}
			rows[m.Seq] = *m
		}
		return rows, nil
	})
	if err != nil || len(stored) != len(view) {
		return errors.Join(err, fmt.Errorf("%d messages of %d were seen", len(view), len(stored)))
	}
	for seq, m := range stored {
		if seen := view[seq]; seen.Revision != m.Revision || seen.Content != m.Content || seen.Deleted() != m.Deleted() {
			return fmt.Errorf("message %d was seen at revision %d and is at %d", seq, seen.Revision, m.Revision)
		}
	}
	return nil
}

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
