package embeddings_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func TestEmbedderRecovers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *embedWorld) {
		w.addMany(t, 10)
		var e *fakeEmbedder
		e = newFake(func(context.Context, []string) ([][]float32, error) {
			if e.calls.Load() <= 3 {
				return nil, errors.New("busy")
			}
			return nil, nil
		})
		began := time.Now()
		res, err := w.mine.EmbedMissing(t.Context(), e, store.EmbedOptions{Backoff: 40 * time.Millisecond})
		require.NoError(t, err)
		assert.EqualValues(t, 10, res.Embedded)
		assert.EqualValues(t, 4, e.calls.Load())
		// The waits are 40, 80 and 160 ms, each shortened by at most a half.
		assert.GreaterOrEqual(t, time.Since(began), 140*time.Millisecond)
		w.assertNothingLeft(t)
	})
}

func TestEmbedderFails(t *testing.T) {
	final := errors.New("for good")
	nan := float32(math.NaN())
	for name, bad := range map[string]struct {
		before func(ctx context.Context, texts []string) ([][]float32, error)
		is     error
		says   string
		// calls counts those after the first: the tries, and one to tell whether the embedder is
		// out of order, unless the error is temporary.
		calls int64
		// messages is how many messages the error names.
		messages int
	}{
		"always":  {func(context.Context, []string) ([][]float32, error) { return nil, fmt.Errorf("busy") }, nil, "busy", 3, 20},
		"finally": {func(context.Context, []string) ([][]float32, error) { return nil, final }, final, "for good", 2, 20},
		"blocks":  {func(context.Context, []string) ([][]float32, error) { select {} }, context.DeadlineExceeded, "no answer within 700ms", 3, 20},
		"too few": {func(_ context.Context, texts []string) ([][]float32, error) {
			return make([][]float32, len(texts)-1), nil
		}, nil, "19 vectors for 20 texts", 2, 20},
		"too many": {func(_ context.Context, texts []string) ([][]float32, error) {
			return make([][]float32, len(texts)+1), nil
		}, nil, "21 vectors for 20 texts", 2, 20},
		"NaN":    {badVector(vec(nan)), store.ErrInvalid, "not a finite number", 2, 1},
		"zero":   {badVector(vec(0)), store.ErrInvalid, "zero vector", 2, 1},
		"length": {badVector(message.Vector{1}), store.ErrInvalid, "1 dimensions, not 8", 2, 1},
		"panics": {func(context.Context, []string) ([][]float32, error) { panic("boom") }, nil, "boom", 2, 20},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *embedWorld) {
				w.addMany(t, 40)
				var e *fakeEmbedder
				e = newFake(func(ctx context.Context, texts []string) ([][]float32, error) {
					if e.calls.Load() == 1 {
						return nil, nil
					}
					return bad.before(ctx, texts)
				})
				res, err := w.mine.EmbedMissing(t.Context(), e, store.EmbedOptions{
					BatchSize: 20, Workers: 1, Attempts: 3, Backoff: time.Millisecond, Timeout: 700 * time.Millisecond,
					Retry: func(err error) bool { return !errors.Is(err, final) },
				})
				var embed *store.EmbedError
				require.ErrorAs(t, err, &embed)
				assert.Equal(t, "m", embed.Model)
				require.ErrorContains(t, err, bad.says)
				if bad.is != nil {
					require.ErrorIs(t, err, bad.is)
				}
				assert.Equal(t, 1+bad.calls, e.calls.Load())
				assert.Len(t, embed.Messages, bad.messages)
				assert.Equal(t, store.EmbedResult{Embedded: 20, Calls: 1 + bad.calls}, res, "what was before the fault is kept")
				assert.Equal(t, 20, w.rows(t, "message_embeddings"))
				assert.Zero(t, w.rows(t, "message_embedding_failures"), "nobody is blamed")
				w.assertNothingLeft(t)
			})
		})
	}
}

// TestRefusedMessagesStopNobody has 400 of 1,000 messages refused: the others get their vectors in
// one run, and the number of calls has a bound.
func TestRefusedMessagesStopNobody(t *testing.T) {
	for name, refused := range map[string]func(i int) bool{
		"the oldest":  func(i int) bool { return i < 400 },
		"the newest":  func(i int) bool { return i >= 600 },
		"two in five": func(i int) bool { return i%5 < 2 },
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *embedWorld) {
				contents := make([]string, 1000)
				for i := range contents {
					contents[i] = fmt.Sprint("message ", i)
					if refused(i) {
						contents[i] = fmt.Sprint("refuse ", i)
					}
				}
				w.add(t, contents...)
				// The job of another user, whose message comes last, waits for nobody.
				last := w.newConversation(t, uuid.New())
				_, err := w.AllUsers().Messages().Append(t.Context(), last, &message.Message{Role: message.RoleUser, Content: "last"})
				require.NoError(t, err)
				e := newFake(func(_ context.Context, texts []string) ([][]float32, error) {
					if strings.Contains(strings.Join(texts, " "), "refuse") {
						return nil, errors.New("400")
					}
					return nil, nil
				})
				o := store.EmbedOptions{Retry: func(error) bool { return false }, Backoff: time.Millisecond}
				all := w.AllUsers().Embeddings()
				res, err := all.EmbedMissing(t.Context(), e, o)
				require.NoError(t, err)
				assert.Equal(t, store.EmbedResult{Embedded: 601, Failed: 1200, SetAside: 400, Calls: e.calls.Load()}, res)
				// A batch of 100 that is cut down to single messages takes 199 calls at most, and
				// each message two more. Each batch of each of the three walks asks at most twice
				// whether it is the embedder.
				assert.LessOrEqual(t, res.Calls, int64(11*199+2*400+2*(11+4+4)))
				assert.Equal(t, 1, slices.Max(slices.Collect(maps.Values(without(e.seen, "hello")))), "no text is embedded twice")
				t.Logf("%d calls", res.Calls)
				assert.Empty(t, w.missing(t, w.AllUsers(), store.EmbedFilter{}))
				assert.Equal(t, 400, w.rows(t, "message_embedding_failures"))
				w.assertNothingLeft(t)
				res, err = all.EmbedMissing(t.Context(), e, o)
				require.NoError(t, err)
				assert.Zero(t, res)
			})
		})
	}
}

func without(seen map[string]int, text string) map[string]int {
	seen = maps.Clone(seen)
	delete(seen, text)
	return seen
}

func badVector(v message.Vector) func(context.Context, []string) ([][]float32, error) {
	return func(_ context.Context, texts []string) ([][]float32, error) {
		vectors := make([][]float32, len(texts))
		for i := range vectors {
			vectors[i] = vec(1)
		}
		vectors[len(vectors)-1] = v
		return vectors, nil
	}
}
