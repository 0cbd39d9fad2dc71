package embeddings

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s embeddings) EmbedMissing(ctx context.Context, e store.Embedder, o store.EmbedOptions) (store.EmbedResult, error) {
	j, err := s.newEmbedJob(ctx, e, o)
	if err != nil {
		return store.EmbedResult{}, query.Wrap("embed messages", err)
	}
	err = j.run(ctx)
	return j.result(), query.Wrap("embed messages", err)
}

// embedJob is one call of EmbedMissing. Its workers claim batches of missing messages, embed
// them and write the vectors.
type embedJob struct {
	sc       scope.Scope
	options  store.EmbedOptions
	embedder store.Embedder
	model    string
	features *scope.Features
	// token marks the claims of this call.
	token uuid.UUID

	// claiming guards walk and err: only one worker claims at a time.
	claiming sync.Mutex
	walk     missingWalk
	err      error
	// counting guards done and serializes the calls of Progress.
	counting sync.Mutex
	done     store.EmbedProgress
	// calls and answers count the calls of the embedder, and those that gave a vector.
	calls, answers atomic.Int64
	// watch is what the call knows of the claims of others.
	watch claimWatch
}

func (s embeddings) newEmbedJob(ctx context.Context, e store.Embedder, o store.EmbedOptions) (*embedJob, error) {
	if s.sc.InTx {
		return nil, rule.Invalid("EmbedMissing", "is inside a transaction, where others cannot see what it claims")
	}
	if e == nil {
		return nil, scope.ErrNil("embedder")
	}
	db, err := s.sc.Writing(ctx)
	if err != nil {
		return nil, err
	}
	if o, err = checkOptions(o); err != nil {
		return nil, err
	}
	j := &embedJob{sc: s.sc, options: o, embedder: e, model: e.Model(), watch: claimWatch{}}
	if err := checkModel(s.sc, &j.model); err != nil {
		return nil, err
	}
	if j.features, err = s.sc.SchemaFeatures(db); err != nil {
		return nil, err
	}
	j.token, err = s.sc.NewID()
	return j, err
}

// Defaults and bounds of store.EmbedOptions.
const (
	defaultEmbedBatch, maxEmbedBatch = 100, 2048
	defaultWorkers, maxWorkers       = 4, 64
	defaultAttempts                  = 5
	defaultAttemptsAlone             = 3
	maxAttempts                      = 1000
	defaultBackoff, maxBackoff       = 250 * time.Millisecond, time.Minute
	defaultTimeout                   = time.Minute
)

// checkOptions checks the options and fills in the defaults.
func checkOptions(o store.EmbedOptions) (_ store.EmbedOptions, err error) {
	for _, n := range []struct {
		field      string
		value      *int
		unset, top int
	}{
		{"batch_size", &o.BatchSize, defaultEmbedBatch, maxEmbedBatch},
		{"workers", &o.Workers, defaultWorkers, maxWorkers},
		{"attempts", &o.Attempts, defaultAttempts, maxAttempts},
		{"attempts_alone", &o.AttemptsAlone, defaultAttemptsAlone, maxAttempts},
	} {
		if *n.value == 0 {
			*n.value = n.unset
		}
		if *n.value < 0 || *n.value > n.top {
			return o, rule.Invalid(n.field, "is not between 1 and %d", n.top)
		}
	}
	if o.Backoff < 0 {
		return o, rule.Invalid("backoff", "is negative")
	}
	if o.Timeout < 0 {
		return o, rule.Invalid("timeout", "is negative")
	}
	if o.Backoff == 0 {
		o.Backoff = defaultBackoff
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Text == nil {
		o.Text = func(m *message.Message) string { return m.Content }
	}
	o.Filter, err = checkFilter(o.Filter)
	return o, err
}

// textOf returns the text to embed. It is empty for a message to be left out.
func textOf(o store.EmbedOptions, m *message.Message) string {
	text := o.Text(m)
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return text
}

// backoff is how long to wait after a failed attempt, counted from 1. It is random, so that
// workers do not retry in step.
func backoff(o store.EmbedOptions, attempt int) time.Duration {
	wait := o.Backoff
	for range attempt - 1 {
		wait = min(2*wait, max(maxBackoff, o.Backoff))
	}
	return wait - rand.N(wait/2+1)
}

// run walks over the missing messages again and again until a whole walk found nothing to do
// and no claims of other calls. Only then is nothing missing: messages behind the walk may
// have been edited, released by another call or inserted meanwhile.
func (j *embedJob) run(ctx context.Context) error {
	if err := j.countMissing(ctx); err != nil {
		return err
	}
	for {
		before := j.done.EmbedResult
		if err := j.round(ctx); err != nil {
			return err
		}
		switch now := j.done.EmbedResult; {
		case now.Embedded == before.Embedded && now.Failed != before.Failed:
			// Nothing but what fails: what it is that fails may pass.
			if err := query.Sleep(ctx, backoff(j.options, 1)); err != nil {
				return err
			}
			continue
		case now != before:
			continue
		}
		if !j.walk.othersClaim {
			return nil
		}
		if err := j.waitForOthers(ctx); err != nil {
			return err
		}
	}
}

// countMissing sets the total of the progress. It reads all missing messages, so it does so
// only if there is a Progress.
func (j *embedJob) countMissing(ctx context.Context) error {
	if j.options.Progress == nil {
		return nil
	}
	q := query.New("SELECT count(*) FROM " + j.sc.Tables.Messages + " m")
	_, err := whereMissing(j.sc, q, j.model, j.options.Filter).Row(query.On(ctx, j.sc.Reader), &j.done.Total)
	return err
}

// round is one walk by all workers. It returns the first error of any of them.
func (j *embedJob) round(ctx context.Context) error {
	j.walk = missingWalk{}
	var workers sync.WaitGroup
	for range j.options.Workers {
		workers.Go(func() { j.work(ctx) })
	}
	workers.Wait()
	return j.err
}

// work embeds batch after batch until the walk has ended or a worker has failed.
func (j *embedJob) work(ctx context.Context) {
	for {
		batch, err := j.nextBatch(ctx)
		if err == nil && len(batch) == 0 {
			return
		}
		if err == nil {
			err = j.embedBatch(ctx, batch)
		}
		if err != nil {
			j.keepError(err)
			return
		}
	}
}

// keepError keeps the first error, which ends the walk.
func (j *embedJob) keepError(err error) {
	j.claiming.Lock()
	defer j.claiming.Unlock()
	if j.err == nil {
		j.err = err
	}
}

// addDone adds what came of a batch to the progress.
func (j *embedJob) addDone(r store.EmbedResult) {
	if r == (store.EmbedResult{}) {
		return
	}
	j.counting.Lock()
	defer j.counting.Unlock()
	j.done.Embedded += r.Embedded
	j.done.Changed += r.Changed
	j.done.Failed += r.Failed
	j.done.SetAside += r.SetAside
	if j.options.Progress != nil {
		p := j.done
		p.Calls = j.calls.Load()
		j.options.Progress(p)
	}
}

// result is the result so far. The calls are counted apart: that the embedder was called is no
// progress.
func (j *embedJob) result() store.EmbedResult {
	r := j.done.EmbedResult
	r.Calls = j.calls.Load()
	return r
}
