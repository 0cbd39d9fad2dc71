package embeddings_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// fakeEmbedder calls before and embeds the texts, unless before returns vectors or an error.
type fakeEmbedder struct {
	*embedtest.Embedder
	before func(ctx context.Context, texts []string) ([][]float32, error)
	calls  atomic.Int64
	mu     sync.Mutex
	seen   map[string]int
}

func newFake(before func(ctx context.Context, texts []string) ([][]float32, error)) *fakeEmbedder {
	return &fakeEmbedder{Embedder: embedtest.New(embedDims), before: before, seen: map[string]int{}}
}

func (e *fakeEmbedder) Model() string { return "m" }

func (e *fakeEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	e.calls.Add(1)
	if e.before != nil {
		if vectors, err := e.before(ctx, texts); vectors != nil || err != nil {
			return vectors, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, text := range texts {
		e.seen[text]++
	}
	return e.Embedder.Embed(ctx, texts)
}

func (w *embedWorld) assertNothingLeft(t *testing.T) {
	t.Helper()
	assert.Zero(t, w.rows(t, "message_embedding_claims"), "claims")
}

func TestEmbedMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ids := w.addMany(t, 250)
		w.add(t, "", " \n", "\u00a0", "left out")
		e := newFake(nil)
		var progress []store.EmbedProgress
		o := store.EmbedOptions{
			BatchSize: 40,
			Text:      func(m *message.Message) string { return strings.TrimPrefix(m.Content, "left out") },
			Progress:  func(p store.EmbedProgress) { progress = append(progress, p) },
		}
		for _, want := range []store.EmbedResult{{Embedded: 250, Calls: 7}, {}} {
			res, err := w.mine.EmbedMissing(t.Context(), e, o)
			require.NoError(t, err)
			assert.Equal(t, want, res)
		}
		assert.EqualValues(t, 7, e.calls.Load(), "250 texts, 40 in a call; the second time nothing")
		require.Len(t, progress, 7)
		assert.Equal(t, store.EmbedProgress{EmbedResult: store.EmbedResult{Embedded: 250, Calls: 7}, Total: 252}, progress[6])
		for _, id := range ids {
			_, err := w.mine.Get(t.Context(), id, "m")
			require.NoError(t, err)
		}
		w.assertNothingLeft(t)
	})
}

func TestEmbedMissingRefuses(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx := t.Context()
		for _, o := range []store.EmbedOptions{
			{BatchSize: -1},
			{BatchSize: 2049},
			{Workers: -1},
			{Workers: 65},
			{Attempts: -1},
			{AttemptsAlone: -1},
			{AttemptsAlone: 1001},
			{Backoff: -1},
			{Timeout: -1},
			{Filter: store.EmbedFilter{Roles: []message.Role{"?"}}},
		} {
			_, err := w.mine.EmbedMissing(ctx, newFake(nil), o)
			require.ErrorIs(t, err, store.ErrInvalid, "%+v", o)
		}
		_, err := w.mine.EmbedMissing(ctx, nil, store.EmbedOptions{})
		require.ErrorIs(t, err, store.ErrInvalid)
		require.NoError(t, w.Transaction(ctx, func(tx store.Store) error {
			_, err := tx.ForUser(w.user).Embeddings().EmbedMissing(ctx, newFake(nil), store.EmbedOptions{})
			require.ErrorIs(t, err, store.ErrInvalid)
			require.ErrorContains(t, err, "inside a transaction")
			return nil
		}))
	})
}

func TestEachMessageIsEmbeddedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		const n = 2000
		w.addMany(t, n-100)
		other := w.newConversation(t, uuid.New())
		for i := range 100 {
			_, err := w.AllUsers().Messages().Append(t.Context(), other, &message.Message{Role: message.RoleUser, Content: fmt.Sprint("other ", i)})
			require.NoError(t, err)
		}
		e := newFake(nil)
		var embedded atomic.Int64
		var wg sync.WaitGroup
		for _, st := range []store.Store{w.Store, w.reopen()} {
			wg.Go(func() {
				res, err := st.AllUsers().Embeddings().EmbedMissing(t.Context(), e, store.EmbedOptions{BatchSize: 30})
				if !assert.NoError(t, err) { //nolint:testifylint // require would end the wrong goroutine
					return
				}
				assert.Zero(t, res.Changed)
				embedded.Add(res.Embedded)
				assert.Empty(t, w.missing(t, st.AllUsers(), store.EmbedFilter{}), "nothing is missing when a call returns")
			})
		}
		wg.Wait()
		assert.EqualValues(t, n, embedded.Load())
		assert.Len(t, e.seen, n)
		assert.Equal(t, 1, slices.Max(slices.Collect(maps.Values(e.seen))), "no text twice")
		assert.Equal(t, n, w.rows(t, "message_embeddings"))
		w.assertNothingLeft(t)
	})
}

func TestEditedOrDeletedWhileEmbedding(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ctx, messages := t.Context(), w.ForUser(w.user).Messages()
		ids := w.add(t, "edited", "deleted", "erased metadata", "kept")
		var once sync.Once
		e := newFake(func(context.Context, []string) ([][]float32, error) {
			once.Do(func() {
				_, edit := messages.Update(ctx, ids[0], store.MessageUpdate{Content: new("after the edit")})
				_, remove := messages.Delete(ctx, ids[1])
				_, annotate := messages.Update(ctx, ids[2], store.MessageUpdate{Metadata: new(message.JSON(nil))})
				assert.NoError(t, errors.Join(edit, remove, annotate))
			})
			return nil, nil
		})
		res, err := w.mine.EmbedMissing(ctx, e, store.EmbedOptions{})
		require.NoError(t, err)
		assert.Equal(t, store.EmbedResult{Embedded: 3, Changed: 3, Calls: 2}, res)
		got, err := w.mine.Get(ctx, ids[0], "m")
		require.NoError(t, err)
		assert.Equal(t, message.Vector(e.Vector("after the edit")), got.Vector)
		assert.Equal(t, 3, w.rows(t, "message_embeddings"), "none of the deleted one")
		w.assertNothingLeft(t)
	})
}

func TestEmbedMissingEndsWithItsContext(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		w.addMany(t, 40)
		ctx, cancel := context.WithCancel(t.Context())
		var e *fakeEmbedder
		e = newFake(func(ctx context.Context, _ []string) ([][]float32, error) {
			if e.calls.Load() == 2 {
				cancel()
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return nil, nil
		})
		res, err := w.mine.EmbedMissing(ctx, e, store.EmbedOptions{BatchSize: 20, Workers: 1})
		require.ErrorIs(t, err, context.Canceled)
		assert.EqualValues(t, 20, res.Embedded)
		w.assertNothingLeft(t)
		res, err = w.mine.EmbedMissing(t.Context(), newFake(nil), store.EmbedOptions{})
		require.NoError(t, err)
		assert.EqualValues(t, 20, res.Embedded, "a later call goes on")
	})
}

func TestEmbedMissingWaitsForOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ids := w.addMany(t, 10)
		// The claim of a process that died.
		require.NoError(t, w.DB(t.Context()).Exec("INSERT INTO message_embedding_claims VALUES (?, ?, ?, ?, ?, ?)",
			ids[3], w.user, "m", uuid.New(), message.Instant(time.Now()), message.Instant(time.Now().Add(time.Second))).Error)
		began := time.Now()
		res, err := w.mine.EmbedMissing(t.Context(), newFake(nil), store.EmbedOptions{})
		require.NoError(t, err)
		assert.EqualValues(t, 10, res.Embedded)
		assert.Greater(t, time.Since(began), 900*time.Millisecond)
		w.assertNothingLeft(t)

		// Another call has a claim and releases it.
		w.add(t, "eleven")
		working, fail := make(chan struct{}), make(chan struct{})
		go func() {
			<-working
			time.Sleep(100 * time.Millisecond)
			close(fail)
		}()
		done := make(chan error, 1)
		go func() {
			_, err := w.mine.EmbedMissing(t.Context(), newFake(func(context.Context, []string) ([][]float32, error) {
				close(working)
				<-fail
				return nil, errors.New("failed")
			}), store.EmbedOptions{Attempts: 1})
			done <- err
		}()
		<-working
		e := newFake(nil)
		res, err = w.reopen().ForUser(w.user).Embeddings().EmbedMissing(t.Context(), e, store.EmbedOptions{})
		require.NoError(t, err)
		assert.EqualValues(t, 1, res.Embedded)
		assert.EqualValues(t, 1, e.calls.Load())
		require.ErrorContains(t, <-done, "failed")
	})
}

func TestEmbedMissingLosesItsClaims(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		ids := w.addMany(t, 3)
		thief := uuid.New()
		var e *fakeEmbedder
		e = newFake(func(ctx context.Context, _ []string) ([][]float32, error) {
			switch e.calls.Load() {
			case 1: // Lost during the call: noticed when the vectors are written.
				assert.NoError(t, w.DB(ctx).Exec("UPDATE message_embedding_claims SET claimed_by = ?, claimed_until = ? WHERE message_id = ?",
					thief, message.Instant(time.Now().Add(300*time.Millisecond)), ids[0]).Error)
			case 2: // Lost before a retry.
				assert.NoError(t, w.DB(ctx).Exec("DELETE FROM message_embedding_claims").Error)
				return nil, errors.New("busy")
			}
			return nil, nil
		})
		res, err := w.mine.EmbedMissing(t.Context(), e, store.EmbedOptions{Backoff: time.Millisecond})
		require.NoError(t, err)
		assert.Equal(t, store.EmbedResult{Embedded: 3, Changed: 2, Calls: 3}, res)
		assert.EqualValues(t, 3, e.calls.Load())
		w.assertNothingLeft(t)
	})
}
