package watch

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

const (
	// minGap is the least time between two looks, and busy how many times as long as a look took.
	// The two bound what a bell that never stops can cost.
	minGap = 20 * time.Millisecond
	busy   = 4
	// patience is how long a look may take. A server that was cut off may not answer at all.
	patience = 15 * time.Second
)

// start starts the poller. The caller holds mu.
func (h *Hub) start() {
	ctx, stop := context.WithCancel(context.Background())
	r := &run{stop: stop, wake: make(chan struct{}, 1)}
	h.run = r
	r.done.Go(func() { h.poll(ctx, r) })
	if h.doorbell != nil {
		r.done.Go(func() { h.doorbell.Listen(ctx, h.Heard) })
	}
}

// poll looks at every interval, and sooner after a ring, until ctx ends.
func (h *Hub) poll(ctx context.Context, r *run) {
	looked, full, gap, fails := time.Now(), time.Now(), time.Duration(0), 0
	for h.wait(ctx, r, looked.Add(gap), full) {
		keys, all, due := h.due(r, full)
		if !due {
			continue
		}
		looked = time.Now()
		if all {
			full = looked
		}
		failed := h.look(ctx, r, keys, all)
		gap = max(minGap, min(busy*time.Since(looked), store.DefaultTailEvery))
		if fails++; !failed {
			fails = 0
			continue
		}
		// Also where somebody looks once an hour: what rang is still to be read.
		gap = max(gap, min(store.DefaultTailEvery, minGap<<min(fails, 6)))
		h.again(r)
	}
}

// wait waits until the next look, which is not before earliest: a ring, or an interval after the
// last full one. It returns false when ctx has ended.
func (h *Hub) wait(ctx context.Context, r *run, earliest, full time.Time) bool {
	if !sleep(ctx, nil, time.Until(earliest)) {
		return false
	}
	if h.rung(r) {
		return ctx.Err() == nil
	}
	return sleep(ctx, r.wake, time.Until(full.Add(h.interval())))
}

// sleep waits for d or for wake, and returns false when ctx has ended.
func sleep(ctx context.Context, wake <-chan struct{}, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-timer.C:
	}
	return true
}

func (h *Hub) rung(r *run) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.run == r && !h.rings.empty()
}

// interval is the shortest that somebody asked for.
func (h *Hub) interval() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	shortest := time.Duration(0)
	for every := range h.every {
		if shortest == 0 || every < shortest {
			shortest = every
		}
	}
	if shortest == 0 {
		return store.DefaultTailEvery
	}
	return shortest
}

// due returns the conversations to look at: those of users whose rows were written, or all of them
// when an interval has passed. It takes the rings.
func (h *Hub) due(r *run, full time.Time) (keys []Key, all, due bool) {
	interval := h.interval()
	h.mu.Lock()
	defer h.mu.Unlock()
	all = time.Since(full) >= interval
	if h.run != r || h.rings.empty() && !all {
		return nil, false, false
	}
	for key, t := range h.topics {
		if all || !t.known || h.rings.concern(key.User) {
			keys = append(keys, key)
		}
	}
	h.rings = rings{}
	return keys, all, true
}

// again has the next look be at everything, after one that failed.
func (h *Hub) again(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.run == r {
		h.rings.anybody = true
	}
}

// look reads the states of conversations, all of them or some, and wakes the tails of those that
// have another one, with what came there.
func (h *Hub) look(ctx context.Context, r *run, keys []Key, all bool) (failed bool) {
	if len(keys) == 0 {
		return false
	}
	bounded, done := context.WithTimeout(ctx, patience)
	states, err := h.read(bounded, keys)
	done()
	if ctx.Err() != nil {
		return false
	}
	places := h.compare(r, keys, all, states, err)
	h.handNews(r, places, states, h.readNews(ctx, places))
	return err != nil
}

// compare wakes the tails of conversations that have another state, but for those whose news are
// to be read first, which it returns.
func (h *Hub) compare(r *run, keys []Key, all bool, states map[Key]State, err error) (places []Since) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.run != r {
		return nil
	}
	for _, key := range keys {
		t := h.topics[key]
		if t == nil {
			continue
		}
		if err != nil {
			t.fail(err, h.lasting(err))
			continue
		}
		state, live := states[key]
		state.Gone = !live
		if t.known && !t.state.Differs(state) {
			if all {
				h.rest(t)
			}
			continue
		}
		if since, worth := h.worthNews(key, t, state); worth {
			places = append(places, since)
			continue
		}
		h.keep(t, nil)
		t.state, t.known = state, true
		t.announce()
	}
	return places
}

// fail ends the tails of the topic with an error that will not go away. The caller holds mu.
func (t *topic) fail(err error, lasting bool) {
	if lasting && t.err == nil {
		t.err = err
		t.announce()
	}
}

// Watch is one who watches the conversations of a user, or of all if it is uuid.Nil.
type Watch struct {
	hub   *Hub
	mark  Mark
	every time.Duration
	wake  chan struct{}
}

// Watch returns a watch, or store.ErrClosed. Leave must be called.
func (h *Hub) Watch(user uuid.UUID, every time.Duration) (*Watch, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, store.ErrClosed
	}
	w := &Watch{hub: h, mark: MarkOf(user), every: every, wake: make(chan struct{}, 1)}
	h.watches[w] = struct{}{}
	h.enter(every)
	return w, nil
}

func (w *Watch) concerned(marks []Mark) bool {
	if w.mark == 0 || len(marks) == 0 {
		return true
	}
	for _, m := range marks {
		if m == 0 || m == w.mark {
			return true
		}
	}
	return false
}

func (w *Watch) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Wait waits for a ring, at most for the interval, but at least for gap. It returns the error of an
// ended ctx or store.ErrClosed.
func (w *Watch) Wait(ctx context.Context, gap time.Duration) error {
	ok := sleep(ctx, nil, gap) && sleep(ctx, w.wake, w.every)
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	switch {
	case !ok:
		return ctx.Err()
	case w.hub.closed:
		return store.ErrClosed
	}
	return nil
}

// Leave ends the watch, and the poller with the last who waits.
func (w *Watch) Leave() {
	w.hub.mu.Lock()
	delete(w.hub.watches, w)
	ended := w.hub.leave(w.every)
	w.hub.mu.Unlock()
	ended.end()
}
