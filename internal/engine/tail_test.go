package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
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

// TestTailsMissNothing: tails in two stores follow what writers in two others do, while the
// server ends all connections again and again, and each ends with what is stored, in order.
func TestTailsMissNothing(t *testing.T) {
	t.Parallel()
	tails, changes, cuts := 50, 400, 3
	if testrun.Full() {
		tails, changes, cuts = 200, 4000, 10
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		first := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
		r := &tailRun{db: d, tails: tails, changes: changes, readers: []store.Store{first, d.Store(t)}}
		r.run(t, r.stores(d.Store(t), d.Store(t)), func() {
			for i := range cuts {
				r.waitFor(t, (i+1)*changes/(cuts+1))
				endConnections(t, d, first)
			}
		})
	})
}

// tailRun is a number of tails, on some conversations, and of changes that others make.
type tailRun struct {
	db             bothtest.Database
	tails, changes int
	readers        []store.Store
	rooms          []*tailed
	// every is that of the tails.
	every time.Duration
	// written is how many of the changes were acknowledged.
	written atomic.Int64
}

// run has each tail follow until everything was written, and compares what it saw with what is
// stored. disturb runs meanwhile.
func (r *tailRun) run(t *testing.T, write func(ctx context.Context) error, disturb func()) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), r.patience())
	defer stop()
	for range max(1, r.tails/5) {
		room := &tailed{user: uuid.New()}
		c := &conversation.Conversation{Messages: []*message.Message{{Role: message.RoleUser, Content: "first"}}}
		require.NoError(t, r.readers[0].ForUser(room.user).Conversations().Create(ctx, c))
		room.id, room.messages = c.ID, []uuid.UUID{c.Messages[0].ID}
		r.rooms = append(r.rooms, room)
	}
	var following, writing sync.WaitGroup
	failed := make([]error, r.tails)
	for i := range r.tails {
		following.Go(func() { failed[i] = followToEnd(ctx, r.readers[i%len(r.readers)], r.rooms[i%len(r.rooms)], r.every) })
	}
	var wrote error
	writing.Go(func() { wrote = write(ctx) })
	disturb()
	writing.Wait()
	require.NoError(t, wrote)
	following.Wait()
	require.NoError(t, errors.Join(failed...))
}

// finish says the last words in each conversation.
func (r *tailRun) finish(ctx context.Context, st store.Store) error {
	for _, room := range r.rooms {
		last := &message.Message{ID: uuid.New(), Role: message.RoleUser, Content: lastWords}
		_, err := eventually(ctx, func() (bool, error) { return st.ForUser(room.user).Messages().Append(ctx, room.id, last) })
		if err != nil {
			return err
		}
	}
	return nil
}

// patience is how long the run may take on a slow machine.
func (r *tailRun) patience() time.Duration {
	return 5*time.Minute + time.Duration(r.changes)*20*time.Millisecond
}

// waitFor waits until some changes were acknowledged.
func (r *tailRun) waitFor(t *testing.T, changes int) {
	t.Helper()
	require.Eventually(t, func() bool { return r.written.Load() >= int64(changes) }, r.patience(), time.Millisecond)
}

// stores writes by two writers on each store.
func (r *tailRun) stores(writers ...store.Store) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		var writing sync.WaitGroup
		wrote := make([]error, 2*len(writers))
		for w := range wrote {
			writing.Go(func() {
				wrote[w] = writeSteps(ctx, writers[w%len(writers)], r.rooms, r.changes/len(wrote), func() { r.written.Add(1) })
			})
		}
		writing.Wait()
		if err := errors.Join(wrote...); err != nil {
			return err
		}
		return r.finish(ctx, writers[0])
	}
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

// writeSteps appends, edits, deletes and restores at random, each step until it is acknowledged,
// after which it calls wrote.
func writeSteps(ctx context.Context, st store.Store, rooms []*tailed, n int, wrote func()) error {
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
		wrote()
	}
	return nil
}

// lastWords end a conversation: who has seen them has seen all that was written before.
const lastWords = "last words"

// followToEnd follows a conversation until its last words, and compares what it saw with what is
// stored. It breaks off now and then and goes on from the text of its position.
func followToEnd(ctx context.Context, st store.Store, r *tailed, every time.Duration) error {
	ms := st.ForUser(r.user).Messages()
	view := map[int64]message.Message{}
	var at store.Position
	for ended := false; !ended; {
		from, err := store.ParsePosition(at.String())
		if err != nil {
			return err
		}
		for c, err := range ms.Tail(ctx, r.id, from, store.TailOptions{Every: every}) {
			if errors.Is(err, store.ErrNotFound) || ctx.Err() != nil {
				return err
			}
			if err != nil { // of the first read, which is not tried again
				select {
				case <-ctx.Done():
				case <-time.After(20 * time.Millisecond):
				}
				break
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
