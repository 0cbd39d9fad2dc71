package bench

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample is one round of one side.
type sample struct {
	n      int
	perOp  time.Duration
	allocs float64
}

// sideNames are in the order of a pair's sides.
var sideNames = [2]string{"hand-written", "convostore"}

// pair has the rounds of both sides.
type pair struct{ hand, lib []sample }

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
func inTurns(t *testing.T, c workCase, hand, lib *fixture, rounds, n int) (p pair) {
	if n > 1 {
		once(t, c, lib, max(1, n/4))
	}
	for r := range rounds {
		for k := range 2 {
			if (r+k)%2 == 0 {
				p.hand = append(p.hand, once(t, c, hand, n))
			} else {
				p.lib = append(p.lib, once(t, c, lib, n))
			}
		}
	}
	return p
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
	return sample{n: n, perOp: took / time.Duration(n), allocs: float64(after.Mallocs-before.Mallocs) / float64(n)}
}

func times(all []sample) []float64 {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = float64(s.perOp)
	}
	return values
}

func allocations(all []sample) []float64 {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = s.allocs
	}
	return values
}

var lineHead = []string{
	"| case | database | hand-written | convostore | time, ratio (95 %) | allocations, ratio | asked for | |",
	"|---|---|--:|--:|--:|--:|---|---|",
}

// line is a row of a table: the medians of both sides, and of the rounds' ratios.
func (p pair) line(c workCase, d database) string {
	took := summarize(ratios(times(p.lib), times(p.hand)))
	allocs := summarize(ratios(allocations(p.lib), allocations(p.hand)))
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %.0f → %.0f, %.2f | %v | %s |", c.name, d.name,
		summarize(times(p.hand)).time(), summarize(times(p.lib)).time(), took.ratio(),
		summarize(allocations(p.hand)).median, summarize(allocations(p.lib)).median, allocs.median,
		c.aim, c.verdict(took.median, allocs.median))
}

// write adds the samples of both sides in the order of the rounds.
func (p pair) write(raw *rawFile, c workCase, d database) {
	for i := range p.hand {
		for k, s := range []sample{p.hand[i], p.lib[i]} {
			raw.add(c.name, []string{"db=" + d.name, "side=" + sideNames[k]}, s.n,
				metric{float64(s.perOp), "ns/op"}, metric{s.allocs, "allocs/op"})
		}
	}
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

func TestLine(t *testing.T) {
	p := pair{hand: []sample{{10, time.Millisecond, 100}}, lib: []sample{{10, 1500 * time.Microsecond, 120}}}
	c := workCase{name: "Append", aim: aim{time: 1.2, allocs: 1.5}}
	require.Equal(t, "| Append | sqlite | 1 ms ± 0 % | 1.5 ms ± 0 % | **1.50** (1.50–1.50) | 100 → 120, 1.20 | "+
		"time ≤ 1.2, allocations ≤ 1.5 | **missed**: time by 25 % |", p.line(c, databases[0]))
	raw := newRaw("x")
	p.write(raw, c, databases[0])
	require.Equal(t, 1, strings.Count(raw.text.String(), "/side=convostore"))
}
