package embeddings_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

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
		calls  int64
		// messages is how many messages the error names.
		messages int
	}{
		"always":  {func(context.Context, []string) ([][]float32, error) { return nil, fmt.Errorf("busy") }, nil, "busy", 3, 20},
		"finally": {func(context.Context, []string) ([][]float32, error) { return nil, final }, final, "for good", 1, 20},
		"blocks":  {func(context.Context, []string) ([][]float32, error) { select {} }, context.DeadlineExceeded, "no answer within 700ms", 3, 20},
		"too few": {func(_ context.Context, texts []string) ([][]float32, error) {
			return make([][]float32, len(texts)-1), nil
		}, nil, "19 vectors for 20 texts", 1, 20},
		"too many": {func(_ context.Context, texts []string) ([][]float32, error) {
			return make([][]float32, len(texts)+1), nil
		}, nil, "21 vectors for 20 texts", 1, 20},
		"NaN":    {badVector(vec(nan)), store.ErrInvalid, "not a finite number", 1, 1},
		"zero":   {badVector(vec(0)), store.ErrInvalid, "zero vector", 1, 1},
		"length": {badVector(message.Vector{1}), store.ErrInvalid, "1 dimensions, not 8", 1, 1},
		"panics": {func(context.Context, []string) ([][]float32, error) { panic("boom") }, nil, "boom", 1, 20},
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
				assert.Equal(t, store.EmbedResult{Embedded: 20}, res, "what was before the fault is kept")
				assert.Equal(t, 20, w.rows(t, "message_embeddings"))
				w.assertNothingLeft(t)
			})
		})
	}
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
