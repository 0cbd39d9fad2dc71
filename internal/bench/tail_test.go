package bench

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// tailWriters append at once.
const tailWriters = 8

// BenchmarkTails appends from one store while another has tails, and while nobody has, in turns:
// as fast as it goes, and at a rate that a busy service may have. It reports
//
//	append-ratio    median time of an append without tails, by that with them
//	speed-ratio     appends a second with tails, by those without
//	p50-ms, p99-ms  from the return of an append until its message came out of a tail
//	cpu-us/change   processor time of this process and of the server's sessions for a change that
//	                comes out of a tail, beyond that of its append, and shared by all tails of it
//	statements/s    of the store with tails
//
// The environment sets the sizes: CONVOSTORE_BENCH_TAILS on CONVOSTORE_BENCH_CONVERSATIONS,
// CONVOSTORE_BENCH_ROUNDS of CONVOSTORE_BENCH_CHANGES, CONVOSTORE_BENCH_RATE a second. A round
// begins when every tail has seen a change.
func BenchmarkTails(b *testing.B) {
	tails, rooms := fromEnv(b, "CONVOSTORE_BENCH_TAILS", 1000), fromEnv(b, "CONVOSTORE_BENCH_CONVERSATIONS", 200)
	for _, d := range databases {
		rate := 200
		if d.postgres {
			rate = 500
		}
		rate = fromEnv(b, "CONVOSTORE_BENCH_RATE", rate)
		b.Run(d.name+"/paced", func(b *testing.B) { d.tails(b, tails, rooms, rate) })
		b.Run(d.name+"/full", func(b *testing.B) { d.tails(b, tails, rooms, 0) })
	}
}

func fromEnv(tb testing.TB, name string, standard int) int {
	tb.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	require.NoError(tb, err, name)
	return n
}

// tailRoom is a conversation with its user.
type tailRoom struct{ user, id uuid.UUID }

// tailBench is the state of one benchmark.
type tailBench struct {
	db      database
	address string
	rooms   []tailRoom
	// tails is how many there are, rate how many appends a second, 0 for as many as go.
	tails, changes, rate int
	writer, follower     store.Store
	// statements are those of follower.
	statements *statementCount
}

// statementCount is a handler that counts the statements that a store logs.
type statementCount struct{ n atomic.Int64 }

func (*statementCount) Enabled(context.Context, slog.Level) bool { return true }
func (c *statementCount) WithAttrs([]slog.Attr) slog.Handler     { return c }
func (c *statementCount) WithGroup(string) slog.Handler          { return c }
func (c *statementCount) Handle(context.Context, slog.Record) error {
	c.n.Add(1)
	return nil
}

func (d database) tails(b *testing.B, tails, rooms, rate int) {
	b.Helper()
	ctx := b.Context()
	w := &tailBench{
		db: d, address: d.fresh(b), rooms: make([]tailRoom, rooms), tails: tails, rate: rate,
		changes: fromEnv(b, "CONVOSTORE_BENCH_CHANGES", cmp.Or(3*rate, 4000)), statements: &statementCount{},
	}
	for st, options := range map[*store.Store][]convostore.Option{
		&w.writer: nil, &w.follower: {convostore.WithLogger(slog.New(w.statements), 0)},
	} {
		opened, err := d.open(ctx, w.address, withoutSearch, options...)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, opened.Close()) })
		*st = opened
	}
	for i := range w.rooms {
		c := &conversation.Conversation{}
		w.rooms[i].user = uuid.New()
		require.NoError(b, w.writer.ForUser(w.rooms[i].user).Conversations().Create(ctx, c))
		w.rooms[i].id = c.ID
	}
	for b.Loop() {
		w.measure(b, fromEnv(b, "CONVOSTORE_BENCH_ROUNDS", 6))
	}
}

// tailRound is what one round showed.
type tailRound struct {
	took, cpu time.Duration
	// appends are how long each took, late how much later each delivery was than its return.
	appends, late []time.Duration
	statements    float64
}

func (w *tailBench) measure(b *testing.B, rounds int) {
	b.Helper()
	var appends, speeds, cpus, statements []float64
	var late []time.Duration
	w.round(b, false) // the first one fills caches
	for range rounds {
		alone, beside := w.round(b, false), w.round(b, true)
		b.Logf("append %v alone, %v beside tails; processor %v and %v", middleOf(alone.appends), middleOf(beside.appends), alone.cpu, beside.cpu)
		appends = append(appends, middleOf(alone.appends).Seconds()/middleOf(beside.appends).Seconds())
		speeds = append(speeds, alone.took.Seconds()/beside.took.Seconds())
		cpus = append(cpus, float64((beside.cpu-alone.cpu).Microseconds())/float64(w.changes))
		statements = append(statements, beside.statements)
		late = append(late, beside.late...)
	}
	b.ReportMetric(middleOf(appends), "append-ratio")
	b.ReportMetric(middleOf(speeds), "speed-ratio")
	b.ReportMetric(float64(middleOf(late).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(late[len(late)*99/100].Microseconds())/1000, "p99-ms") // middleOf has sorted them
	b.ReportMetric(middleOf(cpus), "cpu-us/change")
	b.ReportMetric(middleOf(statements), "statements/s")
}

// middleOf sorts values and returns the one in the middle.
func middleOf[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// seen is when a change came out of a tail.
type seen struct {
	change int
	at     time.Time
}

// round appends changes, with tails or without.
func (w *tailBench) round(b *testing.B, withTails bool) (r tailRound) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var following sync.WaitGroup
	came := make([][]seen, w.tails)
	expected, begin, end := int64(0), make(chan struct{}), make(chan struct{})
	if withTails {
		for i := range w.changes {
			expected += int64(w.tailsOf(i % len(w.rooms)))
		}
		var count atomic.Int64
		w.follow(ctx, &following, func(tail, change int) {
			if change >= 0 {
				came[tail] = append(came[tail], seen{change, time.Now()})
			}
			switch count.Add(1) {
			case int64(w.tails):
				close(begin)
			case int64(w.tails) + expected:
				close(end)
			}
		})
		w.append(b, -1, w.rooms...)
		w.wait(b, begin)
	}
	asked, used, begun := w.statements.n.Load(), w.processorTime(b), time.Now()
	returned := w.write(b, &r)
	r.took = time.Since(begun)
	if withTails {
		w.wait(b, end)
	}
	r.cpu = w.processorTime(b) - used
	r.statements = float64(w.statements.n.Load()-asked) / time.Since(begun).Seconds()
	stop()
	following.Wait()
	for _, of := range came {
		for _, s := range of {
			r.late = append(r.late, max(0, s.at.Sub(returned[s.change])))
		}
	}
	return r
}

// wait waits for the tails, which miss nothing.
func (*tailBench) wait(b *testing.B, done chan struct{}) {
	b.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		require.Fail(b, "the tails lack changes")
	}
}

// append appends a change to conversations.
func (w *tailBench) append(b *testing.B, change int, rooms ...tailRoom) {
	b.Helper()
	for _, room := range rooms {
		m := &message.Message{Role: message.RoleUser, Content: strconv.Itoa(change)}
		_, err := w.writer.ForUser(room.user).Messages().Append(b.Context(), room.id, m)
		assert.NoError(b, err)
	}
}

// tailsOf is how many tails a conversation has.
func (w *tailBench) tailsOf(room int) int { return (w.tails - room + len(w.rooms) - 1) / len(w.rooms) }

// write appends the changes and returns when each append returned.
func (w *tailBench) write(b *testing.B, r *tailRound) []time.Time {
	b.Helper()
	returned := make([]time.Time, w.changes)
	r.appends = make([]time.Duration, w.changes)
	var writing sync.WaitGroup
	begun := time.Now()
	for n := range tailWriters {
		writing.Go(func() {
			for i := n; i < w.changes; i += tailWriters {
				if w.rate > 0 {
					time.Sleep(time.Until(begun.Add(time.Second * time.Duration(i) / time.Duration(w.rate))))
				}
				from := time.Now()
				w.append(b, i, w.rooms[i%len(w.rooms)])
				returned[i] = time.Now()
				r.appends[i] = returned[i].Sub(from)
			}
		})
	}
	writing.Wait()
	return returned
}

// follow starts the tails, each from where its conversation stands.
func (w *tailBench) follow(ctx context.Context, following *sync.WaitGroup, came func(tail, change int)) {
	var ready sync.WaitGroup
	for tail := range w.tails {
		ready.Add(1)
		following.Go(func() {
			room := w.rooms[tail%len(w.rooms)]
			mine := w.follower.ForUser(room.user)
			c, err := mine.Conversations().Get(ctx, room.id)
			ready.Done()
			if err != nil {
				return
			}
			for change, err := range mine.Messages().Tail(ctx, room.id, store.PositionOf(c), store.TailOptions{}) {
				if err == nil {
					n, _ := strconv.Atoi(change.Message.Content)
					came(tail, n)
				}
			}
		})
	}
	ready.Wait()
}

// processorTime is what this process and the sessions of the database have used of all
// processors, as far as this machine knows.
func (w *tailBench) processorTime(b *testing.B) (used time.Duration) {
	b.Helper()
	pids := []string{"self"}
	if w.db.postgres {
		require.NoError(b, w.writer.DB(b.Context()).
			Raw("SELECT CAST(pid AS text) FROM pg_stat_activity WHERE datname = current_database()").Scan(&pids).Error)
		pids = append(pids, "self")
	}
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue // it has ended, or this is another system
		}
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after)
		for _, ticks := range fields[11:13] { // in the kernel and out of it, 100 a second
			n, err := strconv.Atoi(ticks)
			require.NoError(b, err)
			used += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return used
}
