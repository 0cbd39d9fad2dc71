package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// tailWriters append at once, tailRounds times in turns with tails and without.
const (
	tailWriters = 8
	tailRounds  = 6
)

// BenchmarkTails appends from one process while another has tails, and while nobody has. It
// reports the median ratio of the rounds' throughputs, and how long after its append had returned
// a message came out of a tail. CONVOSTORE_BENCH_TAILS and CONVOSTORE_BENCH_CHANGES set how many
// tails and how many appends a round has.
func BenchmarkTails(b *testing.B) {
	tails, changes := fromEnv(b, "CONVOSTORE_BENCH_TAILS", 1000), fromEnv(b, "CONVOSTORE_BENCH_CHANGES", 2000)
	for _, d := range databases {
		b.Run(d.name, func(b *testing.B) {
			for b.Loop() {
				d.tails(b, tails, changes)
			}
		})
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

func (d database) tails(b *testing.B, tails, changes int) {
	b.Helper()
	ctx := b.Context()
	address := d.fresh(b)
	var sts [2]store.Store
	for i := range sts {
		st, err := d.open(ctx, address, withoutSearch)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, st.Close()) })
		sts[i] = st
	}
	rooms := make([]tailRoom, tails)
	for i := range rooms {
		c := &conversation.Conversation{}
		rooms[i].user = uuid.New()
		require.NoError(b, sts[0].ForUser(rooms[i].user).Conversations().Create(ctx, c))
		rooms[i].id = c.ID
	}
	var ratios []float64
	var late []time.Duration
	for range tailRounds {
		alone, _ := tailRound(b, sts[0], rooms, changes, nil)
		beside, seen := tailRound(b, sts[0], rooms, changes, sts[1])
		ratios = append(ratios, alone.Seconds()/beside.Seconds())
		late = append(late, seen...)
	}
	slices.Sort(ratios)
	slices.Sort(late)
	b.ReportMetric(ratios[len(ratios)/2], "append-ratio")
	b.ReportMetric(float64(late[len(late)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(late[len(late)*99/100].Microseconds())/1000, "p99-ms")
}

// tailRound appends, with a tail of each conversation on another store unless that is nil. It
// returns how long the appends took, and how much later than they returned their messages came.
func tailRound(b *testing.B, st store.Store, rooms []tailRoom, changes int, follower store.Store) (took time.Duration, late []time.Duration) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var following sync.WaitGroup
	var came, returned sync.Map
	var left sync.WaitGroup
	if follower != nil {
		left.Add(changes)
		var ready sync.WaitGroup
		for _, r := range rooms {
			ready.Add(1)
			following.Go(func() {
				followRoom(ctx, follower, r, ready.Done, func(m *message.Message) { came.Store(m.ID, time.Now()); left.Done() })
			})
		}
		ready.Wait()
	}
	begun := time.Now()
	var writing sync.WaitGroup
	failed := make([]error, tailWriters)
	for w := range tailWriters {
		writing.Go(func() {
			for i := w; i < changes; i += tailWriters {
				r := rooms[i%len(rooms)]
				m := &message.Message{ID: uuid.New(), Role: message.RoleUser, Content: fmt.Sprint("change ", i)}
				if _, err := st.ForUser(r.user).Messages().Append(ctx, r.id, m); err != nil {
					failed[w] = err
					return
				}
				returned.Store(m.ID, time.Now())
			}
		})
	}
	writing.Wait()
	took = time.Since(begun)
	require.NoError(b, errors.Join(failed...))
	left.Wait()
	stop()
	following.Wait()
	came.Range(func(id, at any) bool {
		then, _ := returned.Load(id)
		late = append(late, max(0, at.(time.Time).Sub(then.(time.Time)))) //nolint:forcetypeassert // it is what was stored
		return true
	})
	return took, late
}

// followRoom tails a conversation from where it stands.
func followRoom(ctx context.Context, st store.Store, r tailRoom, ready func(), came func(*message.Message)) {
	mine := st.ForUser(r.user)
	c, err := mine.Conversations().Get(ctx, r.id)
	ready()
	if err != nil {
		return
	}
	for change, err := range mine.Messages().Tail(ctx, r.id, store.PositionOf(c), store.TailOptions{}) {
		if err == nil {
			came(change.Message)
		}
	}
}
