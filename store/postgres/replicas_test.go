package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
)

// cluster is a primary and a standby of it, and the DSNs of a service on them, whose role
// has no rights but to rows.
type cluster struct {
	primary, standby       *pgtest.Server
	primaryDSN, standbyDSN string
	admin                  *sql.DB // on the standby
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	c := &cluster{primary: pgtest.StartServer(t)}
	st, err := postgres.Open(t.Context(), c.primary.DSN(), withoutIndex)
	require.NoError(t, err)
	require.NoError(t, st.DB(t.Context()).Exec("CREATE ROLE app LOGIN IN ROLE pg_read_all_data, pg_write_all_data").Error)
	require.NoError(t, st.Close())
	c.standby = c.primary.StartStandby(t)
	c.primaryDSN, c.standbyDSN = asApp(t, c.primary.DSN()), asApp(t, c.standby.DSN())
	c.admin, err = sql.Open("pgx", c.standby.DSN())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.admin.Close()) })
	return c
}

func asApp(t testing.TB, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.User = url.User("app")
	return u.String()
}

// open opens a store with the standby, and waits until the standby is in use.
func (c *cluster) open(t *testing.T, p postgres.ReplicaPolicy) store.Store {
	t.Helper()
	st, err := postgres.Open(t.Context(), c.primaryDSN, postgres.WithReplicas(c.standbyDSN), postgres.WithReplicaPolicy(p))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	inUse(t, st, true)
	return st
}

// other opens a store of another process, which knows the primary alone.
func (c *cluster) other(t *testing.T) store.Store {
	t.Helper()
	st, err := postgres.Open(t.Context(), c.primaryDSN)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

func (c *cluster) onStandby(t *testing.T, statement string) {
	t.Helper()
	_, err := c.admin.ExecContext(context.WithoutCancel(t.Context()), statement) // also in a cleanup
	require.NoError(t, err)
}

// until asks again and again until the answer is yes. It asks in the goroutine of the test,
// so that a check inside which fails ends the test, and not the asking alone.
func until(t testing.TB, why func() string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !yes(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("this never came: " + why())
		}
	}
}

func what(s string) func() string { return func() string { return s } }

// pause lasts until resume or the end of the test.
func (c *cluster) pause(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { c.resume(t) })
	c.onStandby(t, "SELECT pg_wal_replay_pause()")
	c.replayIs(t, "paused")
}

// resume does nothing where the replay is not paused.
func (c *cluster) resume(t *testing.T) {
	t.Helper()
	c.onStandby(t, "SELECT pg_wal_replay_resume()")
	c.replayIs(t, "not paused")
}

func (c *cluster) replayIs(t *testing.T, wanted string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also in a cleanup
	until(t, what("a replay that is "+wanted), func() bool {
		var state string
		require.NoError(t, c.admin.QueryRowContext(ctx, "SELECT pg_get_wal_replay_pause_state()").Scan(&state))
		return state == wanted
	})
}

func state(st store.Store) store.ReplicaState { return st.Health().Replicas()[0] }

func inUse(t testing.TB, st store.Store, wanted bool) {
	t.Helper()
	until(t, func() string { return fmt.Sprintf("in use: %t; it is %+v", wanted, state(st)) },
		func() bool { return state(st).InUse == wanted })
}

// thread makes a conversation with some messages.
func thread(t testing.TB, st store.Store, user uuid.UUID, messages int) uuid.UUID {
	t.Helper()
	c := &conversation.Conversation{}
	for i := range messages {
		c.Messages = append(c.Messages, &message.Message{Role: message.RoleUser, Content: fmt.Sprint("message ", i)})
	}
	require.NoError(t, st.ForUser(user).Conversations().Create(t.Context(), c))
	return c.ID
}

func more() *message.Message { return &message.Message{Role: message.RoleUser, Content: "more"} }

// last is the seq of the last message that a scope sees.
func last(ctx context.Context, sc store.Scope, id uuid.UUID) (int64, error) {
	ms, err := sc.Messages().Last(ctx, id, 1)
	if err != nil || len(ms) == 0 {
		return 0, err
	}
	return ms[0].Seq, nil
}

func sees(t *testing.T, ctx context.Context, sc store.Scope, id uuid.UUID, wanted int64, why string) { //nolint:revive // t first
	t.Helper()
	seq, err := last(ctx, sc, id)
	require.NoError(t, err, why)
	require.Equal(t, wanted, seq, why)
}

// Replicas share their servers, and some subtests break them: they run one by one, and each
// undoes what it did. Where one fails the servers may be in any state, and what the others
// would say then is worth nothing.
func TestReplicas(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"options", c.testOptions},
		{"who sees what", c.testRules},
		{"every write is read", c.testReadYourWrites},
		{"a paused replay", c.testPaused},
		{"broken connections", c.testBroken},
		{"recovery conflicts", c.testConflicts},
		{"a killed replica", c.testKilled},
		{"a replica that is cut off", c.testCutOff},
		{"several replicas, some dead", c.testSeveral},
		{"a promoted replica", c.testPromoted},
	} {
		if !t.Run(test.name, test.run) {
			t.Fatalf("the subtests after %q are left out", test.name)
		}
	}
}

// While the replay is paused a replica is stale for sure, and still young enough to be in
// use.
func (c *cluster) testRules(t *testing.T) {
	policy := postgres.ReplicaPolicy{Every: 20 * time.Millisecond, MaxLag: time.Hour, HostTransaction: time.Hour}
	other, ctx := c.other(t), t.Context()
	open := func(t *testing.T, p postgres.ReplicaPolicy) (st store.Store, u, v, id, of uuid.UUID) {
		t.Helper()
		u, v = uuid.New(), uuid.New()
		id, of = thread(t, other, u, 1), thread(t, other, v, 1)
		st = c.open(t, p)
		at := time.Now()
		until(t, what("a replica that has everything, the mark of the schema's check included"), func() bool {
			_, err := last(ctx, st.ForUser(u), id)
			return err == nil && state(st).Reads > 0 && state(st).Age < time.Since(at)
		})
		c.pause(t)
		return st, u, v, id, of
	}
	append1 := func(t *testing.T, ctx context.Context, sc store.Scope, id uuid.UUID) {
		t.Helper()
		_, err := sc.Messages().Append(ctx, id, more())
		require.NoError(t, err)
	}
	// stale shows that what a test proves is not proved by a replica that is up to date.
	stale := func(t *testing.T, st store.Store, v, of uuid.UUID) {
		t.Helper()
		append1(t, ctx, other.ForUser(v), of)
		reads := state(st).Reads
		sees(t, ctx, st.ForUser(v), of, 1, "another process wrote")
		require.Greater(t, state(st).Reads, reads)
		sees(t, store.WithPrimary(ctx), st.ForUser(v), of, 2, "on the primary")
	}

	t.Run("ForUser", func(t *testing.T) {
		st, u, v, id, of := open(t, policy)
		append1(t, ctx, st.ForUser(u), id)
		sees(t, ctx, st.ForUser(u), id, 2, "the user's own")
		stale(t, st, v, of)
		sees(t, ctx, st.AllUsers(), id, 1, "everybody's is not the user's")
		found, err := st.ForUser(v).Conversations().Get(ctx, thread(t, other, v, 0))
		require.NoError(t, err, "what a replica does not have yet is looked for on the primary")
		require.Equal(t, v, found.UserID)
	})
	t.Run("AllUsers", func(t *testing.T) {
		st, u, v, id, of := open(t, policy)
		append1(t, ctx, st.AllUsers(), id)
		sees(t, ctx, st.AllUsers(), id, 2, "everybody's")
		sees(t, ctx, st.ForUser(u), id, 2, "whose it was")
		stale(t, st, v, of)
	})
	t.Run("AllUsersSeeAll", func(t *testing.T) {
		p := policy
		p.AllUsersSeeAll = true
		st, u, v, id, of := open(t, p)
		append1(t, ctx, st.ForUser(u), id)
		sees(t, ctx, st.AllUsers(), id, 2, "everybody's")
		stale(t, st, v, of)
	})
	t.Run("WithSession", func(t *testing.T) {
		st, u, v, id, of := open(t, policy)
		client := store.WithSession(ctx)
		append1(t, client, st.ForUser(u), id)
		sees(t, ctx, st.AllUsers(), id, 1, "without the session")
		sees(t, store.WithSession(client), st.AllUsers(), id, 2, "with it")
		stale(t, st, v, of)
	})
	t.Run("Transaction", func(t *testing.T) {
		st, u, v, id, of := open(t, policy)
		client := store.WithSession(ctx)
		require.NoError(t, st.Transaction(client, func(tx store.Store) error {
			append1(t, ctx, tx.ForUser(u), id)
			sees(t, ctx, tx.ForUser(u), id, 2, "inside")
			return nil
		}))
		sees(t, ctx, st.ForUser(u), id, 2, "its user")
		sees(t, client, st.AllUsers(), id, 2, "its session")
		stale(t, st, v, of)
	})
	t.Run("WithTx", func(t *testing.T) {
		st, u, v, id, of := open(t, policy)
		require.NoError(t, st.DB(ctx).Transaction(func(tx *gorm.DB) error {
			append1(t, ctx, st.WithTx(tx).ForUser(u), id)
			return nil
		}))
		sees(t, ctx, st.ForUser(u), id, 2, "its user")
		stale(t, st, v, of)
	})
}

// testReadYourWrites has a commit acknowledged before it is written: what a replica has is
// to be compared with what the primary has in memory.
func (c *cluster) testReadYourWrites(t *testing.T) {
	const workers, users = 4, 16
	pairs := 250
	if testrun.Full() {
		pairs = 2500
	}
	dsn := c.primaryDSN + "&options=-c%20synchronous_commit%3Doff"
	st, err := postgres.Open(t.Context(), dsn, postgres.WithReplicas(c.standbyDSN),
		postgres.WithReplicaPolicy(postgres.ReplicaPolicy{Every: 10 * time.Millisecond}))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	inUse(t, st, true)
	var stale, direct, others atomic.Int64
	before, begin := state(st).Reads, time.Now()
	replica := c.replicaAlone(t)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			mine, threads, written := make([]uuid.UUID, users), make([]uuid.UUID, users), make([]int64, users)
			for i := range users {
				mine[i], written[i] = uuid.New(), 1
				threads[i] = thread(t, st, mine[i], 1)
			}
			for n := range pairs {
				i := n / 5 % users
				m := more()
				_, err := st.ForUser(mine[i]).Messages().Append(t.Context(), threads[i], m)
				seq, readErr := last(t.Context(), st.ForUser(mine[i]), threads[i])
				if err := errors.Join(err, readErr); err != nil {
					t.Error(err)
					return
				}
				if seq != m.Seq {
					stale.Add(1)
				}
				if n%50 == 0 {
					seq, _ := last(t.Context(), replica.ForUser(mine[i]), threads[i])
					if seq != m.Seq {
						direct.Add(1)
					}
				}
				written[i] = m.Seq
				// Those who wrote a moment ago are at the edge of what the replica has.
				j := (i + []int{1, users - 1}[n%2]) % users
				seq, err = last(t.Context(), st.ForUser(mine[j]), threads[j])
				if err != nil {
					t.Error(err)
				}
				if seq != written[j] {
					stale.Add(1)
				}
				others.Add(1)
			}
		})
	}
	all.Wait()
	served := state(st).Reads - before
	t.Logf("%d pairs in %s, %d stale; of %d other reads %d went to the replica; reading it at once was stale %d times of %d",
		workers*pairs, time.Since(begin).Round(time.Millisecond), stale.Load(), others.Load(), served, direct.Load(), workers*pairs/50)
	require.Zero(t, stale.Load())
	require.Positive(t, direct.Load(), "the replica is never stale: this proves nothing")
	require.Positive(t, served, "the replica is never read: this proves nothing")
}

// replicaAlone opens a store that reads from the standby whatever it has.
func (c *cluster) replicaAlone(t *testing.T) store.Store {
	t.Helper()
	st, err := postgres.Open(t.Context(), c.standbyDSN)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

func (c *cluster) testPaused(t *testing.T) {
	st, other := c.open(t, postgres.ReplicaPolicy{Every: 20 * time.Millisecond, MaxLag: time.Second}), c.other(t)
	u, alone := uuid.New(), c.replicaAlone(t)
	id := thread(t, other, u, 1)
	until(t, what("the thread on the replica"), func() bool { _, err := last(t.Context(), alone.ForUser(u), id); return err == nil })
	c.pause(t)
	_, err := other.ForUser(u).Messages().Append(t.Context(), id, more())
	require.NoError(t, err)
	// A busy machine gives other reasons in between: an answer may take longer than MaxLag.
	until(t, func() string { return fmt.Sprintf("a replica left out as paused: %+v", state(st)) }, func() bool {
		s := state(st)
		return !s.InUse && strings.Contains(s.Reason, "paused") && s.Behind > 0
	})
	sees(t, t.Context(), st.ForUser(u), id, 2, "nobody reads what is older than MaxLag")
	sees(t, t.Context(), alone.ForUser(u), id, 1, "the replica still does not have it")
	c.resume(t)
	reads := state(st).Reads
	until(t, what("reads on the replica again"), func() bool {
		_, err := last(t.Context(), st.ForUser(u), id)
		return err == nil && state(st).Reads > reads
	})
}

// readers reads threads of a known length until stop is called, which returns how often,
// and fails the test at the first error or wrong answer. The end of the test stops them too.
func readers(t *testing.T, st store.Store, messages int) (stop func() int64) {
	t.Helper()
	u := uuid.New()
	id := thread(t, st, u, messages)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	var reads atomic.Int64
	for range 4 {
		done.Go(func() {
			for ctx.Err() == nil {
				c, err := st.ForUser(u).Conversations().Thread(context.WithoutCancel(ctx), id)
				if err != nil {
					t.Error(err)
					return
				}
				if !assert.Len(t, c.Messages, messages, "nothing missing, nothing twice") {
					return
				}
				reads.Add(1)
			}
		})
	}
	stop = func() int64 {
		cancel()
		done.Wait()
		return reads.Load()
	}
	t.Cleanup(func() { stop() })
	return stop
}

// testBroken ends the connections of reads that go on, also between two rows.
func (c *cluster) testBroken(t *testing.T) {
	st := c.open(t, postgres.ReplicaPolicy{Every: 5 * time.Millisecond})
	stop := readers(t, st, 500)
	until(t, what("reads that were broken off"), func() bool {
		c.onStandby(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%messages%' AND state <> 'idle'")
		return state(st).Fallbacks > 10
	})
	t.Logf("%d reads, %+v", stop(), state(st))
}

// testConflicts has the replay of a lock end the reads that are in its way.
func (c *cluster) testConflicts(t *testing.T) {
	t.Cleanup(func() {
		c.onStandby(t, "ALTER SYSTEM RESET max_standby_streaming_delay")
		c.onStandby(t, "SELECT pg_reload_conf()")
	})
	c.onStandby(t, "ALTER SYSTEM SET max_standby_streaming_delay = 0")
	c.onStandby(t, "SELECT pg_reload_conf()")
	primary, err := sql.Open("pgx", c.primary.DSN())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, primary.Close()) })
	st := c.open(t, postgres.ReplicaPolicy{Every: 5 * time.Millisecond})
	// More than a socket holds: the server keeps the lock of a read until the reader has taken it all.
	stop := readers(t, st, 3000)
	until(t, what("reads that the replay ended"), func() bool {
		tx, err := primary.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), "LOCK TABLE messages")
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		return state(st).Fallbacks > 3
	})
	t.Logf("%d reads, %+v", stop(), state(st))
}

// busy waits until reads go to the replica.
func busy(t *testing.T, st store.Store) {
	t.Helper()
	reads := state(st).Reads
	until(t, func() string { return fmt.Sprintf("50 reads more than %d: %+v", reads, state(st)) },
		func() bool { return state(st).Reads > reads+50 })
}

func (c *cluster) testKilled(t *testing.T) {
	st := c.open(t, postgres.ReplicaPolicy{Every: 20 * time.Millisecond})
	stop := readers(t, st, 20)
	busy(t, st)
	down := true
	t.Cleanup(func() {
		if down {
			require.NoError(t, c.standby.Restart())
		}
	})
	require.NoError(t, c.standby.Kill())
	inUse(t, st, false)
	require.NotEmpty(t, state(st).Reason)
	require.NoError(t, c.standby.Restart())
	down = false
	inUse(t, st, true)
	busy(t, st)
	t.Logf("%d reads, %+v", stop(), state(st))
}

// testCutOff has the network swallow what goes to the replica and back: nothing is refused,
// nothing ends.
func (c *cluster) testCutOff(t *testing.T) {
	p := newProxy(t, c.standbyDSN)
	st, err := postgres.Open(t.Context(), c.primaryDSN, postgres.WithReplicas(p.dsn),
		postgres.WithReplicaPolicy(postgres.ReplicaPolicy{Every: 20 * time.Millisecond, MaxLag: time.Second}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	inUse(t, st, true)
	stop := readers(t, st, 20)
	busy(t, st)
	again := state(st).Fallbacks
	t.Cleanup(p.mend) // before the readers are waited for
	p.sever()
	until(t, func() string { return fmt.Sprintf("a replica left out as cut off: %+v", state(st)) },
		func() bool { return state(st).Fallbacks > again && !state(st).InUse })
	p.mend()
	inUse(t, st, true)
	t.Logf("%d reads, %+v", stop(), state(st))
}

// proxy passes on what goes to a server, unless it is cut.
type proxy struct {
	dsn string
	// gate is held by whoever passes something on, and by sever until mend.
	gate    sync.RWMutex
	severed bool // of the test's goroutine alone
	done    sync.WaitGroup
	mu      sync.Mutex
	open    []net.Conn
}

func newProxy(t *testing.T, dsn string) *proxy {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{dsn: fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", config.User, l.Addr(), config.Database)}
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		p.mend()
		p.closeAll()
		p.done.Wait()
	})
	p.done.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.keep(client, server)
			p.done.Go(func() { p.pass(server, client) })
			p.done.Go(func() { p.pass(client, server) })
		}
	})
	return p
}

// sever has everything be swallowed until mend.
func (p *proxy) sever() {
	p.gate.Lock()
	p.severed = true
}

// mend does nothing where nothing is severed.
func (p *proxy) mend() {
	if p.severed {
		p.severed = false
		p.gate.Unlock()
	}
}

func (p *proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, conns...)
}

// closeAll ends what somebody has left open, or the end of the test would wait for it.
func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.open {
		_ = conn.Close()
	}
}

// pass goes on until either end is closed, and closes the other.
func (p *proxy) pass(to, from net.Conn) {
	defer to.Close()   //nolint:errcheck // the other direction may have closed it
	defer from.Close() //nolint:errcheck // likewise
	buffer := make([]byte, 32*1024)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.gate.RLock()
		_, err = to.Write(buffer[:n])
		p.gate.RUnlock()
		if err != nil {
			return
		}
	}
}

func (c *cluster) testSeveral(t *testing.T) {
	dead := strings.Replace(c.standbyDSN, "app@", "nobody@", 1)
	st, err := postgres.Open(t.Context(), c.primaryDSN, postgres.WithReplicas(dead, c.standbyDSN), postgres.WithReplicas(c.standbyDSN),
		postgres.WithReplicaPolicy(postgres.ReplicaPolicy{MaxLag: time.Hour})) // no busy machine is a replica's fault
	require.NoError(t, err, "a replica that does not answer")
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	states := st.Health().Replicas
	u := uuid.New()
	id := thread(t, st, u, 1)
	until(t, what("reads on both replicas"), func() bool {
		_, err := last(t.Context(), st.ForUser(u), id)
		return err == nil && states()[1].Reads > 10 && states()[2].Reads > 10
	})
	require.False(t, states()[0].InUse)
	require.Len(t, st.Health().PoolStats(), 4)
	require.Positive(t, monitors(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = st.ForUser(u).Conversations().Get(ctx, id)
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, states()[1].InUse && states()[2].InUse, "the caller's own end is no replica's fault")
	require.NoError(t, st.Close())
	require.Zero(t, monitors(t), "Close leaves none behind")
}

// monitors counts the goroutines of all stores with replicas.
func monitors(t *testing.T) int {
	t.Helper()
	var stacks strings.Builder
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&stacks, 2))
	return strings.Count(stacks.String(), "postgres.(*monitor)")
}

func (c *cluster) testPromoted(t *testing.T) {
	st := c.open(t, postgres.ReplicaPolicy{Every: 20 * time.Millisecond})
	stop := readers(t, st, 1)
	c.onStandby(t, "SELECT pg_promote()")
	until(t, func() string { return fmt.Sprintf("a replica left out as promoted: %+v", state(st)) },
		func() bool { return !state(st).InUse && strings.Contains(state(st).Reason, "not a standby") })
	stop()
}

func (c *cluster) testOptions(t *testing.T) {
	for _, p := range []postgres.ReplicaPolicy{
		{Every: -1}, {MaxLag: -1}, {HostTransaction: -1}, {Every: time.Second, MaxLag: time.Second}, {Every: 5 * time.Second},
	} {
		_, err := config.New(postgres.WithReplicaPolicy(p))
		require.ErrorIs(t, err, store.ErrInvalid, "%+v", p)
	}
	dsn := c.primary.DSN()
	_, several := postgres.Open(t.Context(), dsn, postgres.WithReplicas("host=a,b"))
	require.ErrorIs(t, several, store.ErrInvalid)
	_, err := postgres.Open(t.Context(), dsn, postgres.WithReplicas("host=127.0.0.1 port=x password=secret"))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
	st, err := postgres.Open(t.Context(), dsn, postgres.WithReplicas())
	require.NoError(t, err)
	require.Empty(t, st.Health().Replicas())
	require.NoError(t, st.Close())

	// The primary itself is no replica, and the store works without.
	st, err = postgres.Open(t.Context(), dsn, postgres.WithReplicas(dsn))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	until(t, what("the primary refused as a replica"), func() bool { return strings.Contains(state(st).Reason, "not a standby") })
	thread(t, st, uuid.New(), 1)
}

// BenchmarkReplicas reads what was just written, and what was written long ago.
func BenchmarkReplicas(b *testing.B) {
	c := newCluster(b)
	for name, dsns := range map[string][]string{"primary alone": nil, "with a replica": {c.standbyDSN}} {
		st, err := postgres.Open(b.Context(), c.primaryDSN, postgres.WithReplicas(dsns...))
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, st.Close()) })
		u, v := uuid.New(), uuid.New()
		id, of := thread(b, st, u, 1), thread(b, st, v, 1)
		if len(dsns) > 0 {
			inUse(b, st, true)
		}
		b.Run(name+"/write then read", func(b *testing.B) {
			for b.Loop() {
				_, err := st.ForUser(u).Messages().Append(b.Context(), id, more())
				_, readErr := last(b.Context(), st.ForUser(u), id)
				require.NoError(b, errors.Join(err, readErr))
			}
		})
		b.Run(name+"/read", func(b *testing.B) {
			for b.Loop() {
				_, err := last(b.Context(), st.ForUser(v), of)
				require.NoError(b, err)
			}
		})
	}
}
