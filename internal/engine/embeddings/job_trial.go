package embeddings

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

const (
	// probeText is what tells an embedder that is out of order from one that refuses a text.
	probeText = "hello"
	// renewAfter is how old a claim may get before it is renewed for the next call of the
	// embedder. It leaves most of claimSlack.
	renewAfter = time.Second
)

// trial is a claimed batch on its way to vectors. One worker has it.
type trial struct {
	*embedJob
	// held are the messages whose claims this call still has, as of renewed.
	held    map[scope.OwnedID]bool
	renewed time.Time
	// proven says that the embedder took a text after one of the batch's calls had failed.
	proven bool
	// failed are the messages that failed alone, and seen the count of answers at the last of
	// those failures: only an answer after it shows that the fault is theirs.
	failed []failure
	seen   int64
	// came is what came of the batch so far.
	came store.EmbedResult
}

func (j *embedJob) newTrial(claimed []scope.OwnedID) *trial {
	t := &trial{embedJob: j, held: make(map[scope.OwnedID]bool, len(claimed)), renewed: time.Now()}
	for _, id := range claimed {
		t.held[id] = true
	}
	return t
}

// embed writes the vectors of items, and what failed. Those that failed alone in an earlier
// trial come last, and alone: one of them would spoil the call for others.
func (t *trial) embed(ctx context.Context, items []embedItem) error {
	var fresh, suspects []embedItem
	for _, it := range items {
		if it.failures == 0 {
			fresh = append(fresh, it)
		} else {
			suspects = append(suspects, it)
		}
	}
	if err := t.try(ctx, fresh, t.options.Attempts); err != nil {
		return err
	}
	for _, it := range suspects {
		if err := t.try(ctx, []embedItem{it}, t.triesOfPart()); err != nil {
			return err
		}
	}
	return t.settle(ctx)
}

// triesOfPart is how often a part of a batch that failed is tried. Where nobody says which errors
// are temporary, the batch has been tried for long enough.
func (t *trial) triesOfPart() int {
	if t.options.Retry == nil {
		return 1
	}
	return t.options.Attempts
}

// try embeds items and writes the vectors. If the embedder refuses them, it tries each half, down
// to single messages, which it puts into failed.
func (t *trial) try(ctx context.Context, items []embedItem, attempts int) error {
	items, vectors, refused, err := t.call(ctx, items, attempts)
	if err != nil || len(items) == 0 {
		return err
	}
	if refused == nil {
		return t.accept(ctx, items, vectors)
	}
	if t.options.Retry != nil && t.isRetryable(refused) {
		return t.embedError(refused, items...)
	}
	if len(items) == 1 {
		t.fail(items[0], refused)
		return nil
	}
	if err := t.prove(ctx, refused, items); err != nil {
		return err
	}
	half := len(items) / 2
	for _, part := range [][]embedItem{items[:half], items[half:]} {
		if err := t.try(ctx, part, t.triesOfPart()); err != nil {
			return err
		}
	}
	return nil
}

// call calls the embedder with the items that are still claimed, which it returns, and again as
// the options say. refused is the embedder's last error, err any other.
func (t *trial) call(ctx context.Context, items []embedItem, attempts int) (_ []embedItem, _ [][]float32, refused, err error) {
	wait := time.Duration(0)
	for attempt := 1; ; attempt++ {
		if items, err = t.keep(ctx, items, wait); err != nil || len(items) == 0 {
			return nil, nil, nil, err
		}
		if err := query.Sleep(ctx, wait); err != nil {
			return nil, nil, nil, err
		}
		texts := make([]string, len(items))
		for i, it := range items {
			texts[i] = it.text
		}
		vectors, err := t.callEmbedder(ctx, texts)
		if err != nil && ctx.Err() != nil {
			return nil, nil, nil, ctx.Err()
		}
		if err == nil || attempt == attempts || !t.isRetryable(err) {
			return items, vectors, err, nil
		}
		wait = backoff(t.options, attempt)
	}
}

// keep renews the claims of all messages for one more call after a wait, unless they are new, and
// returns the items that no other call has taken over.
func (t *trial) keep(ctx context.Context, items []embedItem, wait time.Duration) ([]embedItem, error) {
	if wait > 0 || time.Since(t.renewed) > renewAfter {
		before := time.Now()
		kept, err := t.renew(ctx, slices.Collect(maps.Keys(t.held)), wait)
		if err != nil {
			return nil, err
		}
		t.came.Changed += int64(len(t.held) - len(kept))
		t.renewed = before.Add(wait)
		t.held = make(map[scope.OwnedID]bool, len(kept))
		for _, id := range kept {
			t.held[id] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(items), func(it embedItem) bool { return !t.held[it.OwnedID] }), nil
}

// accept writes the vectors that Set would take. The texts of the others failed alone.
func (t *trial) accept(ctx context.Context, items []embedItem, vectors [][]float32) error {
	var good, bad []embedItem
	reasons := map[scope.OwnedID]error{}
	for i, it := range items {
		if err := t.features.CheckVector(vectors[i]); err != nil {
			bad, reasons[it.OwnedID] = append(bad, it), err
			continue
		}
		it.vector = message.Vector(vectors[i])
		good = append(good, it)
	}
	if len(bad) > 0 && len(items) > 1 {
		if err := t.prove(ctx, reasons[bad[0].OwnedID], bad); err != nil {
			return err
		}
	}
	for _, it := range bad {
		t.fail(it, reasons[it.OwnedID])
	}
	if len(good) == 0 {
		return nil
	}
	t.answers.Add(1)
	written, err := t.writeVectors(ctx, good)
	if err == nil {
		t.came.Embedded += int64(written)
		t.came.Changed += int64(len(good) - written)
		t.drop(keysOfItems(good))
	}
	return err
}

// fail notes that the embedder refused a single message.
func (t *trial) fail(it embedItem, err error) {
	t.failed = append(t.failed, failure{it, err})
	t.seen = t.answers.Load()
}

// prove makes sure, once for a batch, that the embedder takes another text than those that it
// refused. Otherwise it returns their error, and the call ends.
func (t *trial) prove(ctx context.Context, refused error, items []embedItem) error {
	if t.proven {
		return nil
	}
	if err := t.probe(ctx); err != nil {
		return t.outOfOrder(ctx, refused, items)
	}
	t.proven = true
	return nil
}

func (t *trial) outOfOrder(ctx context.Context, refused error, items []embedItem) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return t.embedError(refused, items...)
}

// probe has the embedder embed a text that it should take. If it took one in this call before, it
// is given time to do so again.
func (t *trial) probe(ctx context.Context) error {
	attempts := 1
	if t.answers.Load() > 0 {
		attempts = t.options.Attempts
	}
	for attempt := 1; ; attempt++ {
		if _, err := t.keep(ctx, nil, 0); err != nil {
			return err
		}
		vectors, err := t.callEmbedder(ctx, []string{probeText})
		if err == nil {
			if err = t.features.CheckVector(vectors[0]); err == nil {
				t.answers.Add(1)
			}
			return err
		}
		if attempt == attempts || ctx.Err() != nil || !t.isRetryable(err) {
			return err
		}
		wait := backoff(t.options, attempt)
		if _, err := t.keep(ctx, nil, wait); err != nil {
			return err
		}
		if err := query.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// settle records the messages that failed alone, if the embedder took a text after the last of
// them. Otherwise it may be out of order, and the call ends.
func (t *trial) settle(ctx context.Context) error {
	if len(t.failed) == 0 {
		return nil
	}
	items := make([]embedItem, len(t.failed))
	reasons := make(map[scope.OwnedID]error, len(t.failed))
	for i, f := range t.failed {
		items[i], reasons[f.OwnedID] = f.embedItem, f.err
	}
	if t.answers.Load() <= t.seen {
		if err := t.probe(ctx); err != nil {
			return t.outOfOrder(ctx, t.failed[0].err, items)
		}
	}
	recorded, aside, err := t.writeFailures(ctx, items, reasons)
	if err != nil {
		return err
	}
	t.came.Failed += int64(recorded)
	t.came.SetAside += int64(aside)
	t.came.Changed += int64(len(items) - recorded)
	t.drop(keysOfItems(items))
	t.failed = nil
	return nil
}

// drop forgets claims that are gone.
func (t *trial) drop(ids []scope.OwnedID) {
	for _, id := range ids {
		delete(t.held, id)
	}
}

// isRetryable tells whether to call the embedder again after an error: not after a panic or a
// wrong number of vectors, and otherwise as EmbedOptions.Retry says, or always without one.
func (j *embedJob) isRetryable(err error) bool {
	var panicked *panicError
	var counted *countError
	if errors.As(err, &panicked) || errors.As(err, &counted) {
		return false
	}
	return j.options.Retry == nil || j.options.Retry(err)
}

// countError is an answer with another number of vectors than of texts.
type countError struct{ vectors, texts int }

func (e *countError) Error() string {
	return fmt.Sprintf("the embedder returned %d vectors for %d texts", e.vectors, e.texts)
}
