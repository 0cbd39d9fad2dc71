package scope

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

// maxShared is how many writes share a transaction at most. It bounds how long the first of
// them waits for the last.
const maxShared = 128

// group lets the writes of a store that come at the same time share a transaction, and so its
// one sync to the disk. It is for SQLite, which has one writer at a time.
//
// A caller that finds nobody leading leads: it begins a transaction and runs its own write.
// Then it lets those who wait run theirs in the same transaction, one after the other, each in
// a savepoint and in its own goroutine, so that a panic stays with its caller. When nobody
// waits any more it commits, and all return. Who comes during the commit leads or joins the
// next transaction. Nobody waits for company, and there is no goroutine of the group's own.
//
// Nobody returns before the transaction has ended, not even with an error, since an error may
// come from what another one wrote: a redelivery finds the message that was not committed yet.
type group struct {
	mu sync.Mutex
	// led says that somebody leads.
	led bool
	// waiting are the turns of those who wait, the first to come first.
	waiting []chan *round
}

// round is one transaction that several writes share. Only the one whose turn it is uses it,
// until ended is closed.
type round struct {
	on *Store
	// back ends the turn of one who is not the leader.
	back chan struct{}
	// broken says that the transaction must not be committed.
	broken bool
	// ended is closed when the transaction has ended, with err if it stored nothing.
	ended chan struct{}
	err   error
}

var (
	// errAgain says that the transaction was rolled back for the fault of another write. Nothing
	// was stored, and the write runs once more.
	errAgain = fmt.Errorf("%w: over another write that shared it", store.ErrRolledBack)
	// errUnknown is for the writes of a transaction whose commit did not return.
	errUnknown = errors.New("convostore: the transaction that was shared with other writes ended in a panic")
)

// enter waits until it is the caller's turn. It returns the transaction to write in, or nil to
// a caller that must lead. It returns the error of ctx if that ends first.
func (g *group) enter(ctx context.Context) (*round, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	if !g.led {
		g.led = true
		g.mu.Unlock()
		return nil, nil //nolint:nilnil // nil means to lead
	}
	turn := make(chan *round, 1)
	g.waiting = append(g.waiting, turn)
	g.mu.Unlock()
	select {
	case r := <-turn:
		return r, nil
	case <-ctx.Done():
	}
	if g.leave(turn) {
		return nil, ctx.Err()
	}
	return <-turn, nil // the turn came first and must be taken, if only to pass it on
}

// leave tells whether the caller was still waiting.
func (g *group) leave(turn chan *round) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, turn)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	return i >= 0
}

// next gives the one who waits longest a turn in r, and tells whether there was one.
func (g *group) next(r *round) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pass(r)
}

// handOver makes the one who waits longest lead, if there is one.
func (g *group) handOver() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.led = g.pass(nil)
}

func (g *group) pass(r *round) bool {
	if len(g.waiting) == 0 {
		return false
	}
	g.waiting[0] <- r
	g.waiting = slices.Delete(g.waiting, 0, 1)
	return true
}

// alone tells whether nobody waits.
func (g *group) alone() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting) == 0
}

// share runs fn in a transaction that it may share with other writes of the store, and runs it
// again where Transaction would. A single fn has one statement that writes, and runs without a
// transaction while nobody else waits.
func (s *Store) share(ctx context.Context, single bool, fn func(on *Store) error) error {
	t := s.written.Begin()
	defer s.noteCommit(ctx, t)
	noting := func(on *Store) error {
		if !on.InTx {
			return fn(on)
		}
		mine := *on // the transaction is of several callers, each of whom notes its own writes
		mine.txWrites = t
		return fn(&mine)
	}
	err := s.Retry(ctx, func() error {
		for try := 1; ; try++ {
			err := s.shareOnce(ctx, single, noting)
			if try == MaxTries || err != errAgain { //nolint:errorlint // only the very error says so
				return err
			}
		}
	})
	s.noteWritten(ctx)
	return err
}

func (s *Store) shareOnce(ctx context.Context, single bool, fn func(on *Store) error) error {
	r, err := s.group.enter(ctx)
	switch {
	case err != nil:
		return err
	case r == nil:
		return s.lead(ctx, single, fn)
	}
	final, err := r.follow(ctx, fn)
	if final {
		return err
	}
	if <-r.ended; r.err != nil {
		return r.err
	}
	return err
}

// lead runs fn, and the writes of those who wait.
func (s *Store) lead(ctx context.Context, single bool, fn func(on *Store) error) error {
	defer s.group.handOver()
	if single && s.group.alone() {
		return s.watched(func() error { return fn(s) })
	}
	r := &round{ended: make(chan struct{}), back: make(chan struct{}, 1), err: errUnknown}
	defer close(r.ended)
	r.err = s.Writer.Detached(ctx, func(tx *query.Handle) error {
		r.on = s.withHandle(tx)
		// The first write needs no savepoint: if it fails, the transaction holds nothing else.
		if err := whole(ctx, r.on, fn); err != nil {
			return err
		}
		for n := 1; n < maxShared && s.group.next(r); n++ {
			if <-r.back; r.broken {
				return errAgain
			}
		}
		return s.file().CheckWritten()
	})
	if r.broken {
		r.err = errAgain
	}
	return r.err
}

// whole runs fn, and fails if ctx has ended by then, as a transaction does.
func whole(ctx context.Context, on *Store, fn func(on *Store) error) error {
	if err := fn(on); err != nil {
		return err
	}
	return ctx.Err()
}

// follow runs fn in a savepoint of the leader's transaction. A final error holds however the
// transaction ends: nothing of fn is stored.
func (r *round) follow(ctx context.Context, fn func(on *Store) error) (final bool, err error) {
	r.broken = true // also after a panic
	defer func() { r.back <- struct{}{} }()
	lingering, done, err := r.on.setSavepoint(ctx)
	if err != nil {
		r.broken = r.on.Writer.Lost() != nil
		return true, err
	}
	defer done()
	err = whole(ctx, r.on, fn)
	if end := r.on.endSavepoint(lingering, err == nil); end != nil {
		if !errors.Is(err, store.ErrRolledBack) { // the savepoint is gone with the transaction
			err = errors.Join(err, end)
		}
		return true, err
	}
	r.broken = false
	return false, err
}
