package deliveries

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

// outcome is what came of one call of a SendFunc.
type outcome struct {
	result store.DeliveryResult
	err    error
}

var (
	errLeaseLost = errors.New("convostore: the lease of the delivery was lost")
	errTimeout   = errors.New("convostore: the provider took too long")
	errNoReturn  = errors.New("convostore: the send function ended its goroutine")
)

// deliver hands one message over and reports what came of it. What it does goes on when ctx ends.
func (r *runner) deliver(ctx context.Context, c *store.Claimed) {
	ctx = context.WithoutCancel(ctx)
	out := r.sendRenewing(ctx, c)
	scoped := deliveries{r.sc.As(c.Entry.UserID), r.hub}
	id := c.Entry.ID
	r.report(ctx, func(ctx context.Context) error {
		var err error
		if out.err == nil {
			if _, err = scoped.Done(ctx, id, r.options.Name, out.result); errors.Is(err, store.ErrInvalid) {
				// What the provider said cannot be stored. The message was sent all the same.
				_, err = scoped.Done(ctx, id, r.options.Name, store.DeliveryResult{})
			}
			return err
		}
		_, err = scoped.Fail(ctx, id, r.options.Name, r.failure(c, out.err))
		return err
	})
}

// failure is what the error of an attempt means.
func (r *runner) failure(c *store.Claimed, err error) store.Failure {
	f := store.Failure{Error: err.Error(), RetryAfter: backoff(r.options, c.Entry.Attempts)}
	if t, ok := errors.AsType[*store.TemporaryError](err); ok && t.After > 0 {
		f.RetryAfter = min(t.After, maxAfter)
	}
	_, permanent := errors.AsType[*store.PermanentError](err)
	f.Final = permanent || c.Entry.Attempts >= int64(r.options.MaxAttempts)
	return f
}

// maxAfter bounds what a provider may ask for.
const maxAfter = 30 * 24 * time.Hour

// patience is how long at least a report is tried that the database does not take.
const patience = 15 * time.Second

// report reports until it is stored, or somebody else has the entry. If the database does not
// answer for a lease, the entry is left to the next worker.
func (r *runner) report(ctx context.Context, report func(ctx context.Context) error) {
	ctx, done := context.WithTimeout(ctx, max(r.options.Lease, patience))
	defer done()
	for try := 1; ; try++ {
		err := report(ctx)
		if err == nil || errors.Is(err, store.ErrConflict) && isLease(err) || errors.Is(err, store.ErrNotFound) || lasting(err) {
			return
		}
		if query.Sleep(ctx, min(maxPause, gap<<min(try, 10))) != nil {
			return
		}
	}
}

func isLease(err error) bool {
	_, ok := errors.AsType[*store.LeaseError](err)
	return ok
}

// sendRenewing calls the SendFunc and renews the lease meanwhile. A call that does not return when
// its time is over loses the lease.
func (r *runner) sendRenewing(ctx context.Context, c *store.Claimed) outcome {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sent := make(chan outcome, 1)
	go r.call(ctx, c, sent)
	timeout := time.NewTimer(r.options.Timeout)
	defer timeout.Stop()
	renewal := time.NewTicker(max(r.options.Lease/3, time.Millisecond))
	defer renewal.Stop()
	until, ticks := time.Now().Add(r.options.Lease), renewal.C
	for {
		select {
		case out := <-sent:
			if out.err != nil && errors.Is(out.err, context.Canceled) && context.Cause(ctx) != nil {
				out.err = fmt.Errorf("%w: %w", context.Cause(ctx), out.err)
			}
			return out
		case <-timeout.C:
			cancel(errTimeout)
			ticks = nil
		case <-ticks:
			switch err := r.renew(ctx, c); {
			case err == nil:
				until = time.Now().Add(r.options.Lease)
			case isLease(err) || errors.Is(err, store.ErrNotFound) || time.Now().After(until):
				cancel(errLeaseLost)
				ticks = nil
			}
		}
	}
}

func (r *runner) renew(ctx context.Context, c *store.Claimed) error {
	ctx, done := context.WithTimeout(ctx, max(r.options.Lease/3, time.Second))
	defer done()
	_, err := deliveries{r.sc.As(c.Entry.UserID), r.hub}.Renew(ctx, c.Entry.ID, r.options.Name, r.options.Lease)
	return err
}

// call calls the SendFunc, whose panic, and whose end of its goroutine, is a failed attempt.
func (r *runner) call(ctx context.Context, c *store.Claimed, sent chan<- outcome) {
	out := outcome{err: errNoReturn}
	defer func() {
		if p := recover(); p != nil {
			out.err = fmt.Errorf("convostore: the send function panicked: %v", p)
		}
		sent <- out
	}()
	out.result, out.err = r.send(ctx, c)
}
