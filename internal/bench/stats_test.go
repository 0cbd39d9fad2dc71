package bench

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// summary is the median of some samples, and between which two of them the true median
// lies with a probability of 95 % at least, whatever their distribution. Of fewer than six
// samples nothing can be said with that, and it is the smallest and the largest.
type summary struct{ median, low, high float64 }

func summarize(samples []float64) summary {
	sorted := slices.Sorted(slices.Values(samples))
	n := len(sorted)
	k := orderBelow(n)
	return summary{sorted[n/2], sorted[k], sorted[n-1-k]}
}

// orderBelow is the largest k for which the k+1-th smallest of n samples is above the true
// median with a probability of 2.5 % at most: that of k heads or fewer of n coins.
func orderBelow(n int) int {
	tail := 0.0
	for k := range n {
		tail += choose(n, k) * math.Pow(0.5, float64(n))
		if tail > 0.025 {
			return max(0, k-1)
		}
	}
	return 0
}

func choose(n, k int) float64 {
	all, _ := math.Lgamma(float64(n + 1))
	some, _ := math.Lgamma(float64(k + 1))
	rest, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(all - some - rest)
}

// spread is how far the bounds are from the median, in percent, as benchstat writes it.
func (s summary) spread() string {
	return fmt.Sprintf("± %.0f %%", 100*max(s.high-s.median, s.median-s.low)/s.median)
}

func (s summary) time() string { return short(time.Duration(s.median)) + " " + s.spread() }

func (s summary) ratio() string {
	return fmt.Sprintf("**%s** (%s–%s)", digits(s.median), digits(s.low), digits(s.high))
}

// ratios divides sample by sample: both are of the same round.
func ratios(of, by []float64) []float64 {
	all := make([]float64, len(of))
	for i := range all {
		all[i] = of[i] / by[i]
	}
	return all
}

// percentile is the smallest sample that has this share of all at or below it.
func percentile(samples []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}

func TestSummarize(t *testing.T) {
	require.Equal(t, summary{2, 1, 3}, summarize([]float64{3, 1, 2}))
	// 1.95 % of the ways to toss 17 coins have 4 heads or fewer, 7.2 % have 5: tables have
	// the fifth of 17 for the bound.
	many := make([]float64, 17)
	for i := range many {
		many[i] = float64(17 - i)
	}
	many[3], many[9] = many[9], many[3]
	got := summarize(many)
	require.Equal(t, summary{9, 5, 13}, got)
	require.Equal(t, "± 44 %", got.spread())
	require.Equal(t, "9 µs ± 44 %", summary{9000, 5000, 13000}.time())
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	require.InDelta(t, 50, percentile(hundred, 0.5), 0)
	require.InDelta(t, 99, percentile(hundred, 0.99), 0)
	require.InDelta(t, 100, percentile(hundred, 1), 0)
}
