package embedtest_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/embedtest"
)

func cosine(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestSharedWordsAreNearer(t *testing.T) {
	e := embedtest.New(1536)
	invoice := e.Vector("The invoice of March is still unpaid.")
	near := cosine(invoice, e.Vector("Is the invoice for march paid?"))
	parts := cosine(invoice, e.Vector("Unpaid invoices"))
	far := cosine(invoice, e.Vector("Could we meet on Tuesday at ten?"))
	assert.Greater(t, near, far+0.15)
	assert.Greater(t, parts, far+0.15)
	assert.InDelta(t, 1, cosine(invoice, e.Vector("the INVOICE of March is still unpaid")), 1e-6, "case and signs do not count")
}

func TestVectorsAreNeverZeroAndOfLengthOne(t *testing.T) {
	for _, dimensions := range []int{1, 2, 8, 384} {
		e := embedtest.New(dimensions)
		texts := []string{"a", "?", " ", "hello world", "日本語", "🙂", "a b c d e f g h", "\x00"}
		vectors, err := e.Embed(t.Context(), texts)
		require.NoError(t, err)
		for i, v := range vectors {
			require.Len(t, v, dimensions)
			assert.InDelta(t, 1, math.Sqrt(cosine(v, v)), 1e-6, "%q in %d dimensions", texts[i], dimensions)
		}
	}
}

func TestVectorsAreTheSameInEveryRun(t *testing.T) {
	e := embedtest.New(8)
	assert.Equal(t, "hashed-ngrams-8", e.Model())
	assert.Equal(t, []float32{-0.09128709, -0.63900965, -0.09128709, 0.09128709, 0.27386126, 0.27386126, 0.63900965, -0.09128709}, e.Vector("unpaid invoice"))
}

func TestEmbedRefuses(t *testing.T) {
	e := embedtest.New(8)
	_, err := e.Embed(t.Context(), []string{"a", ""})
	require.Error(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.Embed(ctx, []string{"a"})
	require.ErrorIs(t, err, context.Canceled)
	none, err := e.Embed(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, none)
}
