package engine_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// The sizes of the long runs by hand: 1,000 tails, 100,000 changes, 6 restarts.
const (
	envTails    = "CONVOSTORE_TEST_TAILS"
	envChanges  = "CONVOSTORE_TEST_CHANGES"
	envRestarts = "CONVOSTORE_TEST_RESTARTS"
)

// TestTailsOverRestarts: a server that is killed or restarted again and again delays the tails,
// which miss nothing.
func TestTailsOverRestarts(t *testing.T) {
	testrun.OnlyFull(t)
	server := pgtest.StartServer(t)
	restarts := setting(t, envRestarts, 4)
	d := bothtest.Database{DSN: server.DSN()}
	first := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
	r := &tailRun{
		db: d, tails: setting(t, envTails, 200), changes: setting(t, envChanges, 2000),
		readers: []store.Store{first, d.Store(t)},
	}
	r.run(t, r.stores(d.Store(t), d.Store(t)), func() {
		for i := range restarts {
			r.waitFor(t, (i+1)*r.changes/(restarts+1))
			if i%2 == 0 {
				require.NoError(t, server.Kill())
			}
			require.NoError(t, server.Restart())
			t.Logf("restarted after %d of %d changes", r.written.Load(), r.changes)
		}
	})
}

// The variables that make TestTailsChild the process that writes.
const (
	envTailSQLite  = "CONVOSTORE_TAIL_SQLITE"
	envTailDSN     = "CONVOSTORE_TAIL_DSN"
	envTailRooms   = "CONVOSTORE_TAIL_ROOMS"
	envTailChanges = "CONVOSTORE_TAIL_CHANGES"
)

// TestTailsAcrossProcesses: tails follow what another process writes by its doorbell alone, since
// they poll once an hour, and miss nothing when the connection that listens is ended.
func TestTailsAcrossProcesses(t *testing.T) {
	t.Parallel()
	tails, changes := 20, 200
	if testrun.Full() {
		tails, changes = setting(t, envTails, 200), setting(t, envChanges, 2000)
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		first := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutVectorIndex: true}))
		r := &tailRun{db: d, tails: tails, changes: changes, readers: []store.Store{first}, every: time.Hour}
		r.run(t, r.child(t), func() {
			if !d.SQLite {
				for range 3 {
					r.waitForListener(t)
					endListeners(t, first)
				}
			}
		})
	})
}

// waitForListener waits until the doorbell of a store listens.
func (r *tailRun) waitForListener(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	require.Eventually(t, func() bool { return listeners(ctx, r.readers[0]) > 0 }, r.patience(), time.Millisecond)
}

// listeners is how many sessions hold the lock of those who listen.
func listeners(ctx context.Context, st store.Store) (n int) {
	_ = st.DB(ctx).Raw("SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database AND datname = current_database() " +
		"WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted").Scan(&n).Error // 0 if the server is gone
	return n
}

// endListeners ends the connections that listen, and no others.
func endListeners(t *testing.T, st store.Store) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Exec("SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d "+
		"ON d.oid = l.database AND d.datname = current_database() WHERE l.locktype = 'advisory' AND l.mode = 'ShareLock'").Error)
}

// child writes by two writers in another process.
func (r *tailRun) child(t *testing.T) func(ctx context.Context) error {
	return func(context.Context) error {
		rooms := make([]string, len(r.rooms))
		for i, room := range r.rooms {
			rooms[i] = room.user.String() + "/" + room.id.String()
		}
		cmd, err := childCommandFor(t, r.patience(), "TestTailsChild", envTailSQLite+"="+fmt.Sprint(r.db.SQLite), envTailDSN+"="+r.db.DSN,
			envTailRooms+"="+strings.Join(rooms, ","), envTailChanges+"="+fmt.Sprint(r.changes))
		if err != nil {
			return err
		}
		return cmd.Run()
	}
}

// TestTailsChild writes what the tails of another process follow.
func TestTailsChild(t *testing.T) {
	if os.Getenv(envTailDSN) == "" {
		t.Skip("is started by TestTailsAcrossProcesses")
	}
	ctx := t.Context()
	d := bothtest.Database{SQLite: os.Getenv(envTailSQLite) == "true", DSN: os.Getenv(envTailDSN)}
	st := d.Store(t)
	r := &tailRun{db: d, changes: setting(t, envTailChanges, 0)}
	for _, text := range strings.Split(os.Getenv(envTailRooms), ",") {
		user, id, _ := strings.Cut(text, "/")
		room := &tailed{user: uuid.MustParse(user), id: uuid.MustParse(id)}
		first, err := st.ForUser(room.user).Messages().Last(ctx, room.id, 1)
		require.NoError(t, err)
		room.messages = []uuid.UUID{first[0].ID}
		r.rooms = append(r.rooms, room)
	}
	require.NoError(t, r.stores(st)(ctx))
}
