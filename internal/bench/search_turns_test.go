package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// turnTime is how long a round of one side takes at least: what takes less is done
	// several times.
	turnTime = 20 * time.Millisecond
	// fewTurns and manyTurns bound the rounds; of what takes long, slowTurns are enough.
	slowTurns, fewTurns, manyTurns = 3, 7, 61
)

// took are the times of an operation, one for each round.
type took []time.Duration

// inTurnsFor lets any number of sides do the same operations in turns, in rounds that
// take about a budget of time all together. The i-th operation is the same for all.
func inTurnsFor(t *testing.T, budget time.Duration, sides ...func(i int) error) []took {
	t.Helper()
	var fastest, sum time.Duration
	for k, side := range sides {
		one := timed(t, side, 0, 1)
		if one < time.Second { // What takes that long needs no second try.
			one = timed(t, side, 1, 2)
		}
		if sum += one; k == 0 || one < fastest {
			fastest = one
		}
	}
	n := min(max(1, int(turnTime/max(1, fastest))), 200)
	fewest := fewTurns
	if sum > 2*time.Second {
		fewest = slowTurns
	}
	rounds := min(max(fewest, int(budget/(sum*time.Duration(n)))), manyTurns)
	all := make([]took, len(sides))
	for r := range rounds {
		for k := range sides {
			which := (r + k) % len(sides)
			all[which] = append(all[which], timed(t, sides[which], r*n, n))
		}
	}
	return all
}

// timed does n operations from the first on and returns what one took.
func timed(t *testing.T, side func(i int) error, first, n int) time.Duration {
	t.Helper()
	start := time.Now()
	for i := range n {
		if err := side(first + i); err != nil {
			require.NoError(t, err)
		}
	}
	return time.Since(start) / time.Duration(n)
}

func (t took) median() time.Duration { return slices.Sorted(slices.Values(t))[len(t)/2] }

// ratio compares round by round with another side, which is the base.
func (t took) ratio(base took) string {
	ratios := make([]float64, len(t))
	for i := range t {
		ratios[i] = float64(t[i]) / float64(base[i])
	}
	return fmt.Sprintf("**%s** (%s–%s)", digits(middle(ratios)), digits(slices.Min(ratios)), digits(slices.Max(ratios)))
}

// digits writes a ratio with two decimals, or with two digits where that says nothing.
func digits(f float64) string {
	if f < 0.1 {
		return fmt.Sprintf("%.2g", f)
	}
	return fmt.Sprintf("%.2f", f)
}

func TestTurns(t *testing.T) {
	require.Equal(t, "**2.00** (1.50–3.00)", took{15, 20, 30}.ratio(took{10, 10, 10}))
	require.Equal(t, "0.0061", digits(0.0061))
}
