package engine_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storetest"
)

// The variables that make TestCrashChild the process that gets killed.
const (
	envDialect = "CONVOSTORE_CRASH_DIALECT"
	envDSN     = "CONVOSTORE_CRASH_DSN"
	envUser    = "CONVOSTORE_CRASH_USER"
	envThreads = "CONVOSTORE_CRASH_THREADS"
)

// crashThreads is how many conversations are appended to at once.
const crashThreads = 4

var openers = map[string]func(context.Context, string, ...convostore.Option) (store.Store, error){
	"sqlite":   sqlite.Open,
	"postgres": postgres.Open,
}

func TestCrashOfTheProcessSQLite(t *testing.T) {
	t.Parallel()
	crashProcess(t, "sqlite", filepath.Join(t.TempDir(), "crash.db"))
}

func TestCrashOfTheProcessPostgres(t *testing.T) {
	t.Parallel()
	crashProcess(t, "postgres", pgtest.Database(t))
}

// crashProcess kills a writing process again and again: what it had acknowledged must be
// there, and every conversation sound.
func crashProcess(t *testing.T, dialect, dsn string) {
	t.Helper()
	rounds := 3
	if testrun.Full() {
		rounds = 10
	}
	st, err := openers[dialect](t.Context(), dsn, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	user := uuid.New()
	ids := crashConversations(t, st.ForUser(user))
	acknowledged := map[string]bool{}
	for range rounds {
		after := 1 + rand.IntN(200)
		for _, line := range startChild(t, "TestCrashChild",
			envDialect+"="+dialect, envDSN+"="+dsn, envUser+"="+user.String(), envThreads+"="+fmt.Sprint(ids)).killAfter(t, after) {
			acknowledged[line] = true
		}
		assertKept(t, st, user, ids, acknowledged)
	}
	assert.GreaterOrEqual(t, len(acknowledged), rounds, "each child acknowledged something")
}

func crashConversations(t *testing.T, s store.Scope) []uuid.UUID {
	t.Helper()
	var ids []uuid.UUID
	for range crashThreads {
		c := &conversation.Conversation{}
		require.NoError(t, s.Conversations().Create(t.Context(), c))
		ids = append(ids, c.ID)
	}
	return ids
}

// assertKept requires sound conversations with every acknowledged "seq id" in them. It
// returns how many messages there are.
func assertKept(t *testing.T, st store.Store, user uuid.UUID, ids []uuid.UUID, acknowledged map[string]bool) int {
	t.Helper()
	there := map[string]bool{}
	// In one snapshot: what a killed client had sent may still be committed meanwhile.
	snapshot := &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
	if st.DB(t.Context()).Name() == "sqlite" {
		snapshot = nil // every transaction is one
	}
	err := st.DB(t.Context()).Transaction(func(tx *gorm.DB) error {
		for _, id := range ids {
			for _, m := range storetest.CheckConversation(t, st.WithTx(tx).ForUser(user), id) {
				there[acknowledgement(m)] = true
			}
		}
		return nil
	}, snapshot)
	require.NoError(t, err)
	for line := range acknowledged {
		require.True(t, there[line], "acknowledged and lost: %s", line)
	}
	return len(there)
}

func acknowledgement(m *message.Message) string { return fmt.Sprintln(m.Seq, m.ID) }

// TestCrashChild is no test: it appends until it is killed, and prints every
// acknowledged message in one write.
func TestCrashChild(t *testing.T) {
	if os.Getenv(envDSN) == "" {
		t.Skip("started by the crash tests alone")
	}
	st, err := openers[os.Getenv(envDialect)](t.Context(), os.Getenv(envDSN))
	require.NoError(t, err)
	mine := st.ForUser(uuid.MustParse(os.Getenv(envUser)))
	var wg sync.WaitGroup
	for i, id := range parseIDs(os.Getenv(envThreads)) {
		wg.Go(func() {
			for n := 0; ; n++ {
				m := &message.Message{Direction: message.Directions()[(i+n)%2], Content: "crash"}
				if _, err := mine.Messages().Append(t.Context(), id, m); err != nil {
					t.Error(err)
					return
				}
				fmt.Print(acknowledgement(m))
			}
		})
	}
	wg.Wait()
}

// parseIDs reads what fmt.Sprint made of a list of ids.
func parseIDs(list string) (ids []uuid.UUID) {
	for _, field := range strings.Fields(strings.Trim(list, "[]")) {
		ids = append(ids, uuid.MustParse(field))
	}
	return ids
}

// TestCrashOfTheServer kills PostgreSQL under load. Each writer ends a round at its first
// error and begins the next one with the same message again, since it cannot know
// whether that was written: at the end each message is there exactly once.
func TestCrashOfTheServer(t *testing.T) {
	t.Parallel()
	rounds := 3
	if testrun.Full() {
		rounds = 5
	}
	server := pgtest.StartServer(t)
	st, err := postgres.Open(t.Context(), server.DSN(), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	user := uuid.New()
	mine := st.ForUser(user)
	ids := crashConversations(t, mine)
	w := &serverWriters{mine: mine, ids: ids, acknowledged: map[string]bool{}}
	for range rounds {
		w.enough = make(chan struct{})
		w.target = w.count.Load() + int64(50+rand.IntN(200))
		done := make(chan struct{})
		go func() { w.run(t.Context()); close(done) }()
		select {
		case <-w.enough:
		case <-done:
			t.Fatal("every writer failed before the kill")
		}
		require.NoError(t, server.Kill())
		<-done
		require.NoError(t, server.Restart())
	}
	require.NoError(t, w.finish(t.Context()))
	assert.Equal(t, len(w.acknowledged), assertKept(t, st, user, ids, w.acknowledged), "each message once")
}

// serverWriters are two for each conversation.
type serverWriters struct {
	mine   store.Scope
	ids    []uuid.UUID
	count  atomic.Int64
	target int64
	enough chan struct{}

	mu           sync.Mutex
	acknowledged map[string]bool
	unsure       [2 * crashThreads]string // the key of each writer's message in flight
}

// run has every writer append until its first error.
func (w *serverWriters) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range w.unsure {
		wg.Go(func() {
			if w.retry(ctx, i) != nil {
				return
			}
			for w.append(ctx, i, uuid.NewString()) == nil {
				if w.count.Add(1) == w.target {
					close(w.enough)
				}
			}
		})
	}
	wg.Wait()
}

// append delivers a message; until it is acknowledged it stays in flight.
func (w *serverWriters) append(ctx context.Context, i int, key string) error {
	w.unsure[i] = key
	m := &message.Message{
		ID:   uuid.NewSHA1(uuid.Nil, []byte(key)),
		Role: message.RoleUser, Content: key, IdempotencyKey: key,
	}
	if _, err := w.mine.Messages().Append(ctx, w.ids[i%len(w.ids)], m); err != nil {
		return err
	}
	w.unsure[i] = ""
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acknowledged[acknowledgement(m)] = true
	return nil
}

// retry delivers what was in flight again. Some connections of the pool have died with
// the server, and each costs a try.
func (w *serverWriters) retry(ctx context.Context, i int) (err error) {
	if w.unsure[i] == "" {
		return nil
	}
	for range 100 {
		if err = w.append(ctx, i, w.unsure[i]); err == nil {
			return nil
		}
	}
	return err
}

func (w *serverWriters) finish(ctx context.Context) error {
	var errs []error
	for i := range w.unsure {
		errs = append(errs, w.retry(ctx, i))
	}
	return errors.Join(errs...)
}
