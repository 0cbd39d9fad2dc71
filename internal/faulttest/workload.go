package faulttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// workload is what some clients did to a store of one user.
type workload struct {
	user    uuid.UUID
	clients int
	disk    *Disk
	// faults says that calls of the disk fail meanwhile.
	faults bool

	mu    sync.Mutex
	calls []*call
	// threads are the conversations that the clients share, erasures the calls that erased others.
	threads  []uuid.UUID
	erasures map[uuid.UUID]*call
	checks   int
}

// erase is the name of the call that removes what others made.
const erase = "erase"

// call is a call of the store.
type call struct {
	name string
	// begun and ended are the numbers of events before and after it; ended is -1 until it
	// returned.
	begun, ended int
	// failed says that it returned an error.
	failed bool
	// found tells whether its effect is in a database: all of it, nothing, or an error for a
	// part of it.
	found func(d *data) (bool, error)
	// thread is the conversation that has the effect, if that may be erased.
	thread uuid.UUID
	// there is what the last check has found.
	there bool
	// settled says that a cut has decided on it, and was how.
	settled, was bool
}

// must and may tell whether a call's effect has to be there, or may be there, after a cut.
func (c *call) must(at int) bool {
	if c.settled {
		return c.was
	}
	return c.ended >= 0 && c.ended <= at
}

func (c *call) may(at int) bool {
	if c.settled {
		return c.was
	}
	return c.begun <= at
}

// settle makes what the last check found what has happened.
func (w *workload) settle() {
	for _, c := range w.calls {
		c.settled, c.was = true, c.there
	}
	w.threads = slices.DeleteFunc(w.threads, func(id uuid.UUID) bool {
		return slices.ContainsFunc(w.calls, func(c *call) bool { return c.thread == id && c.name != erase && !c.was })
	})
}

// do runs a call and notes when it began and when it was acknowledged.
func (w *workload) do(name string, found func(*data) (bool, error), run func() error) error {
	return w.doOn(uuid.Nil, name, found, run)
}

func (w *workload) doOn(thread uuid.UUID, name string, found func(*data) (bool, error), run func() error) error {
	c := &call{name: name, thread: thread, begun: w.disk.Now(), ended: -1, found: found}
	w.mu.Lock()
	w.calls = append(w.calls, c)
	if name == erase {
		w.erasures[thread] = c
	}
	w.mu.Unlock()
	err := run()
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.failed = err != nil; !c.failed {
		c.ended = w.disk.Now()
	}
	return w.unless(err, name)
}

// unless returns an error that has no excuse. With faults a call may also not find what another
// one failed to make.
func (w *workload) unless(err error, name string) error {
	if err == nil || w.faults {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// run has the clients make about twenty calls together.
func (w *workload) run(ctx context.Context, st store.Store, r *rand.Rand) error {
	mine := st.ForUser(w.user)
	threads := &client{workload: w, r: r, s: mine, st: st}
	for range 2 { // a client alone shares with nobody
		if err := threads.create(ctx); err != nil {
			return err
		}
	}
	w.mu.Lock()
	shared := append([]uuid.UUID(nil), w.threads...)
	w.mu.Unlock()
	errs := make([]error, w.clients)
	var wg sync.WaitGroup
	for i := range w.clients {
		c := &client{workload: w, s: mine, st: st, shared: shared, r: rand.New(rand.NewPCG(r.Uint64(), uint64(i)))} //nolint:gosec // must give the same numbers again
		wg.Go(func() {
			for range max(2, 16/w.clients) {
				if w.faults && c.r.IntN(2) == 0 {
					w.disk.FailAt(1+c.r.IntN(60), []Failure{Broken, Full}[c.r.IntN(2)])
				}
				if errs[i] == nil {
					errs[i] = c.any(ctx)
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// client makes one call after the other.
type client struct {
	*workload
	r      *rand.Rand
	s      store.Scope
	st     store.Store
	shared []uuid.UUID
	// last is a message of its own that is not deleted, and titled the last conversation
	// that it made, with the number of its title.
	last   *message.Message
	titled uuid.UUID
	title  int
}

func (c *client) any(ctx context.Context) error {
	switch c.r.IntN(14) {
	case 0, 1, 2, 3:
		return c.append(ctx)
	case 4, 5:
		return c.appendMany(ctx)
	case 6:
		return c.create(ctx)
	case 7:
		return c.retitle(ctx)
	case 8:
		return c.delete(ctx)
	case 9:
		return c.suggest(ctx)
	case 10:
		return c.erase(ctx)
	case 11, 12:
		return c.pack(ctx)
	}
	return c.checkpoint(ctx)
}

func (c *client) message() *message.Message {
	id := newID(c.r)
	content := "word" + strings.ReplaceAll(id.String(), "-", "")
	if c.r.IntN(3) == 0 {
		content += strings.Repeat(" lorem ipsum", c.r.IntN(1000))
	}
	m := &message.Message{ID: id, Content: content, Direction: message.DirectionInbound, Role: message.RoleUser}
	if c.r.IntN(2) == 0 {
		m.IdempotencyKey = "key " + id.String()
	}
	return m
}

func (c *client) thread() uuid.UUID { return c.shared[c.r.IntN(len(c.shared))] }

// whole is an effect of rows that are all there, or none of them.
func whole(n int, is func(d *data, i int) bool) func(*data) (bool, error) {
	return func(d *data) (bool, error) {
		there := 0
		for i := range n {
			if is(d, i) {
				there++
			}
		}
		if there > 0 && there < n {
			return false, fmt.Errorf("half of it is there: %d of %d", there, n)
		}
		return there == n, nil
	}
}

func (c *client) append(ctx context.Context) error {
	m, id := c.message(), c.thread()
	sent := *m
	err := c.do("append", whole(1, func(d *data, _ int) bool { return d.has(id, &sent) }), func() error {
		_, err := c.s.Messages().Append(ctx, id, m)
		return err
	})
	c.last = m
	return err
}

func (c *client) appendMany(ctx context.Context) error {
	id := c.thread()
	var ms []*message.Message
	var sent []message.Message
	for range 2 + c.r.IntN(4) {
		m := c.message()
		ms, sent = append(ms, m), append(sent, *m)
	}
	err := c.do("append many", whole(len(ms), func(d *data, i int) bool { return d.has(id, &sent[i]) }), func() error {
		_, err := c.s.Messages().AppendMany(ctx, id, ms, store.AppendOptions{})
		return err
	})
	return err
}

func (c *client) create(ctx context.Context) (err error) {
	id := newID(c.r)
	t := &conversation.Conversation{ID: id, ExternalKey: "thread " + id.String(), Title: "0"}
	var sent []message.Message
	for range 1 + c.r.IntN(4) {
		m := c.message()
		t.Messages, sent = append(t.Messages, m), append(sent, *m)
	}
	err = c.doOn(id, "create", whole(1+len(sent), func(d *data, i int) bool {
		if i == 0 {
			return d.threads[id] != nil
		}
		return d.has(id, &sent[i-1])
	}), func() error { return c.s.Conversations().Create(ctx, t) })
	c.titled, c.title = id, 0
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shared == nil {
		c.threads = append(c.threads, id)
	}
	return err
}

// retitle numbers the titles: a later one says that the earlier ones were there.
func (c *client) retitle(ctx context.Context) error {
	if c.titled == uuid.Nil {
		return c.create(ctx)
	}
	c.title++
	id, title := c.titled, fmt.Sprint(c.title)
	err := c.doOn(id, "title", func(d *data) (bool, error) {
		t := d.threads[id]
		return t != nil && (len(t.Title) > len(title) || len(t.Title) == len(title) && t.Title >= title), nil
	}, func() error {
		_, err := c.s.Conversations().SetTitle(ctx, id, title)
		return err
	})
	return err
}

func (c *client) delete(ctx context.Context) error {
	if c.last == nil {
		return c.append(ctx)
	}
	id := c.last.ID
	err := c.do("delete", func(d *data) (bool, error) {
		m := d.messages[id]
		return m != nil && m.DeletedAt.Valid, nil
	}, func() error {
		_, err := c.s.Messages().Delete(ctx, id)
		return err
	})
	c.last = nil
	return err
}

// suggest takes a suggestion from its draft to the message that was sent.
func (c *client) suggest(ctx context.Context) error {
	thread, m := c.thread(), c.message()
	m.Direction, m.Role = message.DirectionOutbound, message.RoleAssistant
	s := &suggestion.Suggestion{ID: newID(c.r), ConversationID: thread, SuggestedContent: "draft"}
	id, sent := s.ID, *m
	if err := c.do("suggest", func(d *data) (bool, error) { return d.suggestions[id] != nil, nil }, func() error {
		return c.s.Suggestions().Create(ctx, s)
	}); err != nil {
		return err
	}
	err := c.do("approve", func(d *data) (bool, error) {
		return d.suggestions[id] != nil && d.suggestions[id].Status == suggestion.StatusApproved, nil
	}, func() error {
		_, err := c.s.Suggestions().Approve(ctx, id, suggestion.Review{})
		return err
	})
	if refused, ok := errors.AsType[*rule.TransitionError](err); ok && refused.From == suggestion.StatusSuperseded.String() && c.clients > 1 {
		return nil // by a message of another client; whether there is one is for sound to say
	}
	if err != nil {
		return err
	}
	err = c.do("send", whole(2, func(d *data, i int) bool {
		if i == 0 {
			return d.has(thread, &sent)
		}
		g := d.suggestions[id]
		return g != nil && g.SentMessageID != nil && *g.SentMessageID == sent.ID
	}), func() error {
		_, err := c.s.Suggestions().Send(ctx, id, m, store.SendOptions{AllowStale: true, AllowSecond: true})
		return err
	})
	return err
}

// erase removes the last conversation that the client made.
func (c *client) erase(ctx context.Context) error {
	if c.titled == uuid.Nil {
		return c.create(ctx)
	}
	id := c.titled
	c.titled = uuid.Nil
	return c.doOn(id, erase, func(d *data) (bool, error) { return d.threads[id] == nil, nil }, func() error {
		_, err := c.s.Conversations().Erase(ctx, id)
		return err
	})
}

// checkpoint moves the log into the file.
func (c *client) checkpoint(ctx context.Context) error {
	mode := []string{"PASSIVE", "FULL", "RESTART", "TRUNCATE"}[c.r.IntN(4)]
	var busy, pages, moved int
	err := c.st.DB(ctx).Raw("PRAGMA wal_checkpoint("+mode+")").Row().Scan(&busy, &pages, &moved)
	return c.unless(err, "checkpoint")
}
