package deliveries

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/watch"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

const (
	// maxWorkers and maxRunName bound RunOptions.
	maxWorkers = 1000
	maxRunName = 200
	// gap is the least time between two looks at what is due.
	gap = 20 * time.Millisecond
	// maxPause is the longest wait after an error of the database.
	maxPause = 5 * time.Second
)

func (s deliveries) Run(ctx context.Context, o store.RunOptions, send store.SendFunc) error {
	if send == nil {
		return scope.ErrNil("send")
	}
	o, err := checkRun(s.sc, o)
	if err != nil {
		return err
	}
	if _, err := s.sc.Writing(ctx); err != nil {
		return query.Wrap("run deliveries", err)
	}
	r := &runner{deliveries: s, options: o, send: send, free: make(chan struct{}, o.Workers)}
	for range o.Workers {
		r.free <- struct{}{}
	}
	waiting, err := s.hub.Watch(s.sc.User, o.Every)
	if err != nil {
		return err
	}
	defer waiting.Leave()
	defer r.sending.Wait()
	return query.Wrap("run deliveries", r.run(ctx, waiting))
}

// checkRun fills in the defaults.
func checkRun(sc scope.Scope, o store.RunOptions) (store.RunOptions, error) {
	if sc.InTx {
		return o, rule.Invalid("transaction", "is open; what others sent would not be seen in it")
	}
	for field, d := range map[string]struct {
		value *time.Duration
		unset time.Duration
	}{
		"lease": {&o.Lease, store.DefaultLease}, "timeout": {&o.Timeout, time.Minute}, "every": {&o.Every, time.Second},
		"backoff": {&o.Backoff, 30 * time.Second}, "max_backoff": {&o.MaxBackoff, time.Hour},
	} {
		if *d.value < 0 {
			return o, rule.Invalid(field, "is negative")
		}
		if *d.value == 0 {
			*d.value = d.unset
		}
	}
	for field, n := range map[string]struct {
		value      *int
		unset, top int
	}{
		"workers": {&o.Workers, 4, maxWorkers}, "max_attempts": {&o.MaxAttempts, 10, 1 << 30},
	} {
		if *n.value < 0 || *n.value > n.top {
			return o, rule.Invalid(field, "is not between 1 and %d", n.top)
		}
		if *n.value == 0 {
			*n.value = n.unset
		}
	}
	sc.Clean.Text(&o.Name)
	if err := check.Length("name", o.Name, maxRunName); err != nil {
		return o, err
	}
	if err := check.Text("name", o.Name); err != nil {
		return o, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return o, err
	}
	o.Name += "/" + id.String()
	if o.Channels, err = checkChannels(sc, o.Channels); err != nil {
		return o, err
	}
	_, err = checkLease(sc, o.Lease)
	return o, err
}

// runner is one call of Run.
type runner struct {
	deliveries
	options store.RunOptions
	send    store.SendFunc
	// free has a token for each worker that sends nothing.
	free    chan struct{}
	sending sync.WaitGroup
}

// run claims as much as there are free workers, until ctx ends or the database has an error that
// will not go away.
func (r *runner) run(ctx context.Context, waiting *watch.Watch) error {
	for try := 0; ; {
		n, err := r.takeFree(ctx)
		if err != nil {
			return err
		}
		claimed, err := r.claim(ctx, store.ClaimOptions{
			Worker: r.options.Name, Channels: r.options.Channels, Limit: n, Lease: r.options.Lease,
		})
		for range n - len(claimed) {
			r.free <- struct{}{}
		}
		for _, c := range claimed {
			r.sending.Go(func() {
				defer func() { r.free <- struct{}{} }()
				r.deliver(ctx, c)
			})
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && lasting(err):
			return err
		case err != nil:
			try++
			if err := query.Sleep(ctx, min(maxPause, gap<<min(try, 10))); err != nil {
				return err
			}
			continue
		}
		try = 0
		switch {
		case len(claimed) == n:
			continue // there may be more
		case r.options.Once:
			if r.sending.Wait(); len(claimed) == 0 {
				return nil
			}
			continue
		}
		if err := waiting.Wait(ctx, gap); err != nil {
			return err
		}
	}
}

// takeFree waits for a free worker and takes all that are.
func (r *runner) takeFree(ctx context.Context) (n int, err error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-r.free:
		n = 1
	}
	for {
		select {
		case <-r.free:
			n++
		default:
			return min(n, store.MaxLimit), nil
		}
	}
}

// lasting tells whether an error will not go away by itself.
func lasting(err error) bool {
	for _, is := range []error{store.ErrInvalid, store.ErrSchema, store.ErrSetting, store.ErrClosed, store.ErrFileGone, store.ErrUnsupported} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// backoff is how long after a failed attempt, counted from 1, the next one is due. It is random,
// so that what failed together is not tried again together.
func backoff(o store.RunOptions, attempt int64) time.Duration {
	wait := min(o.Backoff, o.MaxBackoff)
	for range min(attempt-1, 62) {
		if wait > o.MaxBackoff/2 {
			wait = o.MaxBackoff
			break
		}
		wait *= 2
	}
	return wait - rand.N(wait/4+1)
}
