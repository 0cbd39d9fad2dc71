package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// once runs until nothing is due.
func (w *world) once(t *testing.T, o store.RunOptions, send store.SendFunc) {
	t.Helper()
	o.Once = true
	require.NoError(t, w.st.AllUsers().Deliveries().Run(t.Context(), o, send))
}

func testRunSends(t *testing.T, w *world) {
	c := w.asked(t)
	var want []string
	for range 25 {
		want = append(want, w.enqueue(t, w.reply(t, c)).MessageID.String())
	}
	other := &message.OutboxEntry{MessageID: w.reply(t, c).ID, Channel: "other"}
	require.NoError(t, w.mine.Deliveries().Enqueue(t.Context(), other))
	var mu sync.Mutex
	var sent []string
	running, most := 0, 0
	w.once(t, store.RunOptions{Workers: 3, Channels: []string{"mail"}, Name: "a test"}, func(_ context.Context, c *store.Claimed) (store.DeliveryResult, error) {
		mu.Lock()
		sent, running = append(sent, c.Key), running+1
		most = max(most, running)
		mu.Unlock()
		defer func() {
			mu.Lock()
			running--
			mu.Unlock()
		}()
		assert.True(t, strings.HasPrefix(c.Entry.ClaimedBy, "a test/"))
		return store.DeliveryResult{EmailMessageID: "<" + c.Key + "@example.com>"}, nil
	})
	slices.Sort(sent)
	slices.Sort(want)
	require.Equal(t, want, sent, "each once, and those of the channel alone")
	require.LessOrEqual(t, most, 3)
	for _, id := range want {
		found, err := w.mine.Messages().FindThread(t.Context(), &message.Message{Headers: message.Headers{"In-Reply-To": {"<" + id + "@example.com>"}}})
		require.NoError(t, err)
		require.Equal(t, c.ID, found.ID, "a reply to it is found")
	}
}

// testRunFails: what an attempt that fails in some way leads to.
func testRunFails(t *testing.T, w *world) {
	bad := errors.New("bad")
	for name, tt := range map[string]struct {
		send  store.SendFunc
		final bool
		text  string
		after time.Duration
	}{
		"an error": {func(context.Context, *store.Claimed) (r store.DeliveryResult, err error) { return r, bad }, false, "bad", 0},
		"a permanent error": {func(context.Context, *store.Claimed) (r store.DeliveryResult, err error) {
			return r, fmt.Errorf("a: %w", &store.PermanentError{Err: bad})
		}, true, "a: bad", 0},
		"a temporary error": {func(context.Context, *store.Claimed) (r store.DeliveryResult, err error) {
			return r, &store.TemporaryError{After: time.Hour, Err: bad}
		}, false, "bad", time.Hour},
		"an error of nothing": {func(context.Context, *store.Claimed) (r store.DeliveryResult, err error) {
			return r, &store.PermanentError{}
		}, true, "not sent", 0},
		"a panic":   {func(context.Context, *store.Claimed) (r store.DeliveryResult, err error) { panic("oh") }, false, "panicked: oh", 0},
		"no return": {func(context.Context, *store.Claimed) (r store.DeliveryResult, err error) { runtime.Goexit(); return }, false, "ended its goroutine", 0},
	} {
		c := w.asked(t)
		e := w.enqueue(t, w.reply(t, c))
		w.once(t, store.RunOptions{Backoff: time.Minute, MaxBackoff: 3 * time.Minute}, tt.send)
		got, err := w.mine.Deliveries().Get(t.Context(), e.ID)
		require.NoError(t, err, name)
		require.Contains(t, got.LastError, tt.text, name)
		require.Equal(t, tt.final, got.FailedAt != nil, name)
		require.Equal(t, tt.final, w.get(t, c.ID).Status == conversation.StatusNeedsReply, name)
		if wait := got.DueAt.Sub(w.clock.Now()); tt.after > 0 {
			require.Equal(t, tt.after, wait, name)
		} else if !tt.final {
			require.GreaterOrEqual(t, wait, 45*time.Second, name)
			require.LessOrEqual(t, wait, time.Minute, name)
		}
	}
	e := w.enqueue(t, w.reply(t, w.asked(t)))
	for attempt := range 4 {
		got, err := w.mine.Deliveries().Get(t.Context(), e.ID)
		require.NoError(t, err)
		require.Equal(t, int64(attempt), got.Attempts)
		require.True(t, got.Open())
		w.clock.add(2 * time.Hour)
		w.once(t, store.RunOptions{MaxAttempts: 4}, func(context.Context, *store.Claimed) (r store.DeliveryResult, err error) { return r, bad })
	}
	got, err := w.mine.Deliveries().Get(t.Context(), e.ID)
	require.NoError(t, err)
	require.NotNil(t, got.FailedAt, "the last attempt")
}

func testRunRefused(t *testing.T, w *world) {
	r := w.mine.Deliveries()
	send := func(context.Context, *store.Claimed) (r store.DeliveryResult, err error) { return r, nil }
	invalid(t, r.Run(t.Context(), store.RunOptions{}, nil), "send")
	for field, o := range map[string]store.RunOptions{
		"workers": {Workers: -1}, "lease": {Lease: -1}, "timeout": {Timeout: -1}, "every": {Every: -1}, "backoff": {Backoff: -1},
		"max_backoff": {MaxBackoff: -1}, "max_attempts": {MaxAttempts: -1}, "channels": {Channels: []string{""}}, "name": {Name: strings.Repeat("a", 201)},
	} {
		invalid(t, r.Run(t.Context(), o, send), field)
	}
	invalid(t, r.Run(t.Context(), store.RunOptions{Workers: 1001}, send), "workers")
	require.NoError(t, w.st.Transaction(t.Context(), func(tx store.Store) error {
		invalid(t, tx.ForUser(w.user).Deliveries().Run(t.Context(), store.RunOptions{}, send), "transaction")
		return nil
	}))
	// What the provider said cannot be stored, and the message was sent all the same.
	e := w.enqueue(t, w.reply(t, w.asked(t)))
	w.once(t, store.RunOptions{}, func(context.Context, *store.Claimed) (store.DeliveryResult, error) {
		return store.DeliveryResult{EmailMessageID: "\xff"}, nil
	})
	require.Equal(t, message.DeliverySent, w.message(t, e.MessageID).Delivery)
}

// running is a Run in a goroutine, which the end of the test ends.
func (w *world) running(t *testing.T, o store.RunOptions, send store.SendFunc) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.st.AllUsers().Deliveries().Run(ctx, o, send) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return stop
}

// testRunWakes: Run does not sleep until it looks again when something is written.
func testRunWakes(t *testing.T, w *world) {
	sent := make(chan string)
	w.running(t, store.RunOptions{Every: time.Hour}, func(_ context.Context, c *store.Claimed) (r store.DeliveryResult, err error) {
		sent <- c.Key
		return r, nil
	})
	c := w.asked(t)
	for range 3 {
		e := w.enqueue(t, w.reply(t, c))
		require.Equal(t, e.MessageID.String(), <-sent)
	}
}

// testRunEnds: what is being sent when ctx ends is sent and reported.
func testRunEnds(t *testing.T, w *world) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	stop := w.running(t, store.RunOptions{Workers: 1, Every: time.Millisecond}, func(ctx context.Context, _ *store.Claimed) (r store.DeliveryResult, err error) {
		close(begun)
		<-goOn
		return r, ctx.Err()
	})
	c := w.asked(t)
	first, second := w.enqueue(t, w.reply(t, c)), w.enqueue(t, w.reply(t, c))
	<-begun
	ended := make(chan error)
	go func() { ended <- stop() }()
	select {
	case err := <-ended:
		require.Fail(t, "it did not wait", "%v", err)
	case goOn <- struct{}{}:
	}
	require.ErrorIs(t, <-ended, context.Canceled)
	delivery := func(e *message.OutboxEntry) message.Delivery { d, _ := w.delivery(t, e.MessageID); return d }
	require.ElementsMatch(t, []message.Delivery{message.DeliverySent, message.DeliveryQueued}, []message.Delivery{delivery(first), delivery(second)})
}

// testRunRenews: nobody else gets what is sent for longer than a lease.
func testRunRenews(t *testing.T, w *world) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	stop := w.running(t, store.RunOptions{Every: time.Millisecond, Lease: 30 * time.Millisecond}, func(ctx context.Context, _ *store.Claimed) (r store.DeliveryResult, err error) {
		begun <- struct{}{}
		<-goOn
		return r, ctx.Err()
	})
	e := w.enqueue(t, w.reply(t, w.asked(t)))
	<-begun
	claimed := func() *message.OutboxEntry {
		got, err := w.mine.Deliveries().Get(t.Context(), e.ID)
		require.NoError(t, err)
		return got
	}
	first := *claimed().ClaimedUntil
	w.clock.add(20 * time.Millisecond)
	for !claimed().ClaimedUntil.After(first) { // until it is renewed
		runtime.Gosched()
	}
	close(goOn)
	require.ErrorIs(t, stop(), context.Canceled)
	require.NotNil(t, claimed().DoneAt)
	require.Equal(t, int64(1), claimed().Attempts)
}

// testRunLosesLease: a send whose entry is done by another worker ends.
func testRunLosesLease(t *testing.T, w *world) {
	begun := make(chan *store.Claimed)
	stop := w.running(t, store.RunOptions{Every: time.Millisecond, Lease: 30 * time.Millisecond}, func(ctx context.Context, c *store.Claimed) (r store.DeliveryResult, err error) {
		begun <- c
		<-ctx.Done()
		return r, ctx.Err()
	})
	e := w.enqueue(t, w.reply(t, w.asked(t)))
	<-begun
	must[*message.OutboxEntry](t)(w.mine.Deliveries().Done(t.Context(), e.ID, "a late worker", store.DeliveryResult{}))
	require.ErrorIs(t, stop(), context.Canceled, "the send has ended")
	got, err := w.mine.Deliveries().Get(t.Context(), e.ID)
	require.NoError(t, err)
	require.NotNil(t, got.DoneAt)
	require.Empty(t, got.LastError)
}

func testRunTimesOut(t *testing.T, w *world) {
	e := w.enqueue(t, w.reply(t, w.asked(t)))
	w.once(t, store.RunOptions{Timeout: time.Millisecond}, func(ctx context.Context, _ *store.Claimed) (r store.DeliveryResult, err error) {
		<-ctx.Done()
		return r, ctx.Err()
	})
	got, err := w.mine.Deliveries().Get(t.Context(), e.ID)
	require.NoError(t, err)
	require.True(t, got.Open())
	require.Contains(t, got.LastError, "took too long")
}
