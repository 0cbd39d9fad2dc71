package inbox

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// watches tells open queues that something has changed: one watch of the store for all operators who
// see the same rows, however many there are.
type watches struct {
	open  context.Context
	store store.Store
	mu    sync.Mutex
	// of has the watch of each user's rows; that of all users is under uuid.Nil.
	of map[uuid.UUID]*watch
}

// watch is one watch of the store. bells are rung for each change; a bell that rings already stays so.
type watch struct {
	end   context.CancelFunc
	bells map[chan struct{}]bool
}

func newWatches(open context.Context, st store.Store) *watches {
	return &watches{open: open, store: st, of: map[uuid.UUID]*watch{}}
}

// listen returns a bell that rings when a conversation of the operator's rows changes. leave ends it.
func (w *watches) listen(op Operator) (bell <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	own := make(chan struct{}, 1)
	of := w.of[op.UserID]
	if of == nil {
		ctx, end := context.WithCancel(w.open)
		of = &watch{end: end, bells: map[chan struct{}]bool{}}
		w.of[op.UserID] = of
		go w.follow(ctx, of, op)
	}
	of.bells[own] = true
	return own, func() { w.leave(op.UserID, of, own) }
}

func (w *watches) leave(user uuid.UUID, of *watch, own chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(of.bells, own)
	if len(of.bells) > 0 {
		return
	}
	of.end()
	if w.of[user] == of {
		delete(w.of, user)
	}
}

// follow rings the bells until nobody listens. After an error of the database it watches anew: those
// who listen are told to look, because something may have been missed.
func (w *watches) follow(ctx context.Context, of *watch, op Operator) {
	rows := op.rows(w.store)
	for ctx.Err() == nil {
		for _, err := range rows.Conversations().Watch(ctx, store.WatchOptions{}) {
			if ctx.Err() != nil {
				return // nothing has changed: the watch ends
			}
			w.ring(of)
			if err != nil {
				break
			}
		}
		pause(ctx, time.Second)
	}
}

func (w *watches) ring(of *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for bell := range of.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}
