package trpc

import (
	"context"
	"sync"

	"trpc.group/trpc-go/trpc-agent-go/agent"
	"trpc.group/trpc-go/trpc-agent-go/log"
	"trpc.group/trpc-go/trpc-agent-go/session"
)

// workers do jobs in the background, those of one session in their order. Nil does none.
type workers struct {
	mu     sync.RWMutex // of closing the queues
	queues []chan func()
	done   sync.WaitGroup
}

const (
	defaultWorkers = 3
	defaultQueue   = 100
)

func startWorkers(o SummaryOptions) *workers {
	n, size := o.Workers, o.Queue
	if n == 0 {
		n = defaultWorkers
	}
	if size <= 0 {
		size = defaultQueue
	}
	w := &workers{queues: make([]chan func(), n)}
	for i := range w.queues {
		queue := make(chan func(), size)
		w.queues[i] = queue
		w.done.Go(func() {
			for job := range queue {
				job()
			}
		})
	}
	return w
}

// enqueue reports whether the job will be done: not if the queue is full or closed, or if ctx has
// ended. The job's context has the values of ctx and does not end with it.
func (w *workers) enqueue(ctx context.Context, sess *session.Session, job func(ctx context.Context) error) bool {
	if w == nil || ctx.Err() != nil {
		return false
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	if len(w.queues) == 0 {
		return false
	}
	background := context.WithoutCancel(agent.CloneContext(ctx))
	select {
	case w.queues[sess.Hash%len(w.queues)] <- func() {
		if err := job(background); err != nil {
			log.WarnfContext(background, "trpc: summary of session %q: %v", sess.ID, err)
		}
	}:
		return true
	default:
		return false
	}
}

// stop waits for the jobs.
func (w *workers) stop() {
	if w == nil {
		return
	}
	w.mu.Lock()
	for _, q := range w.queues {
		close(q)
	}
	w.queues = nil
	w.mu.Unlock()
	w.done.Wait()
}
