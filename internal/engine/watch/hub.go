// Package watch wakes those who wait for changes: one poller for all tails of a store, and the
// bells that make it look sooner. It runs no SQL of its own.
package watch

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// Key is a conversation of a user.
type Key struct{ User, Conversation uuid.UUID }

// State is what the row of a conversation says about its messages.
type State struct {
	Seq, Change int64
	// Head is the seq that the conversation ends at, nil if that is the last one.
	Head *int64
	// Gone says that there is no such live conversation.
	Gone bool
}

// Differs tells whether a tail that has seen s has something to read in o.
func (s State) Differs(o State) bool {
	return s.Seq != o.Seq || s.Change != o.Change || s.Gone != o.Gone || !sameHead(s.Head, o.Head)
}

func sameHead(a, b *int64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// Doorbell tells other processes what this one writes, and hears what they write.
type Doorbell interface {
	// Ring says that rows of a user were written and committed. It must not wait.
	Ring(user Mark)

	// Listen calls heard for each time that others may have written, with the marks of the users,
	// none if it does not know whose. It reconnects by itself, and returns when ctx ends.
	Listen(ctx context.Context, heard func(marks ...Mark))
}

// Read returns the states of live conversations. Those without one are missing.
type Read func(ctx context.Context, keys []Key) (map[Key]State, error)

// Hub has what the tails and watches of a store wait for. Its goroutines run while somebody waits,
// and not otherwise. It may be used by many goroutines.
type Hub struct {
	read Read
	// news is nil where every tail reads for itself.
	news ReadNews
	// lasting tells whether an error will not go away.
	lasting  func(error) bool
	doorbell Doorbell

	mu sync.Mutex
	// topics are the conversations that tails follow, and watches the users that watches do.
	topics  map[Key]*topic
	watches map[*Watch]struct{}
	// waiters is how many tails and watches there are.
	waiters int
	every   map[time.Duration]int
	run     *run
	closed  bool
	// rings are those that the poller has not dealt with.
	rings rings
	// slots are for the reads of tails, of which few run at once: a change that a thousand tails
	// wait for must not take every connection.
	slots chan struct{}
	// kept is how many bytes the news of all topics take. None are read before newsFrom.
	kept     int
	newsFrom time.Time
}

const maxReads = 4

// Slot waits until the caller may read, and returns a function that must be called afterwards.
func (h *Hub) Slot(ctx context.Context) (func(), error) {
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run is one life of the poller.
type run struct {
	stop context.CancelFunc
	wake chan struct{}
	done sync.WaitGroup
}

// topic is one conversation that tails follow.
type topic struct {
	tails int
	known bool
	state State
	err   error
	// changed is closed and made anew when state or err changes, which version counts.
	changed chan struct{}
	version int
	// news lead up to state, idle counts the intervals since then.
	news *News
	idle int
}

// NewHub returns a hub. doorbell may be nil, and is asked to Listen alone. So may news.
func NewHub(read Read, news ReadNews, lasting func(error) bool, doorbell Doorbell) *Hub {
	return &Hub{
		read: read, news: news, lasting: lasting, doorbell: doorbell,
		topics: map[Key]*topic{}, watches: map[*Watch]struct{}{}, every: map[time.Duration]int{},
		slots: make(chan struct{}, maxReads),
	}
}

// Tail is one who follows a conversation. Leave must be called.
type Tail struct {
	hub   *Hub
	key   Key
	every time.Duration
	topic *topic
	// version is that of the topic when Wait last returned it.
	version int
}

// Follow returns a tail of a conversation, or store.ErrClosed.
func (h *Hub) Follow(key Key, every time.Duration) (*Tail, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, store.ErrClosed
	}
	t := h.topics[key]
	if t == nil {
		t = &topic{changed: make(chan struct{})}
		h.topics[key] = t
	}
	t.tails++
	h.enter(every)
	return &Tail{h, key, every, t, t.version}, nil
}

// Wait waits until the poller finds the conversation in another state than seen, and returns it.
// That state may be from before seen was read, once. The news lead up to it, and are nil if each
// tail reads for itself. Wait returns the error of an ended ctx, store.ErrClosed, or an error of
// the database that will not go away.
func (t *Tail) Wait(ctx context.Context, seen State) (State, *News, error) {
	for {
		now, found, err := t.look(seen)
		if err != nil || found {
			return now.state, now.news, err
		}
		select {
		case <-ctx.Done():
			return seen, nil, ctx.Err()
		case <-now.changed:
		}
	}
}

// look returns the topic as it is now.
func (t *Tail) look(seen State) (now topic, found bool, err error) {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	if t.hub.closed {
		return topic{state: seen}, false, store.ErrClosed
	}
	found = t.topic.version != t.version && seen.Differs(t.topic.state)
	t.version = t.topic.version
	return *t.topic, found, t.topic.err
}

// Leave ends the tail, and the poller with the last one.
func (t *Tail) Leave() {
	t.hub.mu.Lock()
	if t.topic.tails--; t.topic.tails == 0 {
		t.hub.keep(t.topic, nil)
		delete(t.hub.topics, t.key)
	}
	ended := t.hub.leave(t.every)
	t.hub.mu.Unlock()
	ended.end()
}

// enter counts one who waits, and starts the poller for the first. The caller holds mu.
func (h *Hub) enter(every time.Duration) {
	h.every[every]++
	if h.waiters++; h.run == nil {
		h.start()
	} else {
		h.run.nudge() // the interval may be shorter now
	}
}

// leave returns the poller if it has to end. The caller holds mu.
func (h *Hub) leave(every time.Duration) *run {
	if h.every[every]--; h.every[every] == 0 {
		delete(h.every, every)
	}
	if h.waiters--; h.waiters > 0 {
		return nil
	}
	ended := h.run
	h.run, h.rings = nil, rings{}
	return ended
}

// end ends the poller and waits for it.
func (r *run) end() {
	if r != nil {
		r.stop()
		r.done.Wait()
	}
}

func (r *run) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Close ends all that wait with store.ErrClosed. A second call does nothing.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	for _, t := range h.topics {
		t.announce()
	}
	for w := range h.watches {
		w.nudge()
	}
	ended := h.run
	h.run = nil
	h.mu.Unlock()
	ended.end()
}

// announce wakes all who wait for the topic. The caller holds mu.
func (t *topic) announce() {
	t.version++
	close(t.changed)
	t.changed = make(chan struct{})
}

// Ring says that rows of users were written and committed, uuid.Nil for those of anybody. It costs
// next to nothing while nobody waits.
func (h *Hub) Ring(user uuid.UUID) { h.Heard(MarkOf(user)) }

// Heard is Ring with marks, for what another process says. No marks stand for anybody.
func (h *Hub) Heard(marks ...Mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.run == nil {
		return
	}
	h.rings.add(marks)
	for w := range h.watches {
		if w.concerned(marks) {
			w.nudge()
		}
	}
	h.run.nudge()
}
