package bench

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// Many short rounds: what else the machine does then hits few of them.
	rounds       = 31
	roundTime    = 100 * time.Millisecond
	importRounds = 3
)

// sample is one round of one side.
type sample struct {
	perOp  time.Duration
	allocs float64
}

// TestRatios lets both sides do the same number of operations in turns and prints the
// medians. It asserts nothing about time: a busy machine must not break a build.
func TestRatios(t *testing.T) {
	if os.Getenv("CONVOSTORE_BENCH_RATIOS") != "1" {
		t.Skip("set CONVOSTORE_BENCH_RATIOS=1 to compare the library with hand-written SQL")
	}
	table := []string{
		"| case | database | hand-written | convostore | ratio (min–max) | allocations, ratio |",
		"|---|---|--:|--:|--:|--:|",
	}
	for _, d := range databases {
		hand, lib := d.fixtures(t)
		// Reads come first: the appends make threads longer.
		for _, c := range readsFirst(quick) {
			table = append(table, line(c, d, inTurns(t, c, hand, lib, rounds, calibrate(t, c, hand))))
			t.Log(table[len(table)-1])
		}
		table = append(table, line(caseImport, d, inTurns(t, caseImport, hand, lib, importRounds, 1)))
		t.Log(table[len(table)-1])
	}
	report(t, "performance.md", "ratios", table)
}

func readsFirst(cases []workCase) []workCase {
	writes := func(c workCase) int {
		if strings.HasPrefix(c.name, "Append") || c.prepare != nil {
			return 1
		}
		return 0
	}
	return slices.SortedStableFunc(slices.Values(cases), func(a, b workCase) int { return writes(a) - writes(b) })
}

// calibrate finds how many operations fill a round, and warms up.
func calibrate(t *testing.T, c workCase, f *fixture) int {
	n := 1
	for n < 1<<16 {
		s := once(t, c, f, n)
		if took := s.perOp * time.Duration(n); took > roundTime/4 {
			return max(1, int(roundTime/s.perOp))
		}
		n *= 4
	}
	return n
}

// inTurns lets the side that goes first change with every round.
func inTurns(t *testing.T, c workCase, hand, lib *fixture, rounds, n int) (samples [2][]sample) {
	sides := [2]*fixture{hand, lib}
	if n > 1 {
		once(t, c, lib, max(1, n/4))
	}
	for r := range rounds {
		for k := range 2 {
			which := (r + k) % 2
			samples[which] = append(samples[which], once(t, c, sides[which], n))
		}
	}
	return samples
}

func once(t *testing.T, c workCase, f *fixture, n int) sample {
	c.setUp(t, f, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	c.do(t, f, n)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return sample{perOp: took / time.Duration(n), allocs: float64(after.Mallocs-before.Mallocs) / float64(n)}
}

func line(c workCase, d database, samples [2][]sample) string {
	var ratios, allocs []float64
	for i := range samples[0] {
		ratios = append(ratios, float64(samples[1][i].perOp)/float64(samples[0][i].perOp))
		allocs = append(allocs, samples[1][i].allocs/samples[0][i].allocs)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | **%.2f** (%.2f–%.2f) | %.0f → %.0f, %.2f |", c.name, d.name,
		short(median(samples[0]).perOp), short(median(samples[1]).perOp), middle(ratios), slices.Min(ratios), slices.Max(ratios),
		median(samples[0]).allocs, median(samples[1]).allocs, middle(allocs))
}

func median(all []sample) sample {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b sample) int { return int(a.perOp - b.perOp) })
	return sorted[len(sorted)/2]
}

func middle(all []float64) float64 {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

// short has three digits, whatever the size.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/float64(time.Microsecond))
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}

func TestShort(t *testing.T) {
	require.Equal(t, "12.3 µs", short(12345*time.Nanosecond))
	require.Equal(t, "1.5 ms", short(1500*time.Microsecond))
	require.Equal(t, "2 s", short(2*time.Second))
}
