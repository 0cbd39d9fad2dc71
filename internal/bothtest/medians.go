package bothtest

import (
	"slices"
	"testing"
	"time"
)

// Medians runs a benchmark of several sides in turns, a call of each after the other, so that what
// else the machine does meets all of them. It returns the median time of a call of each side, in
// nanoseconds, and reports none of its own.
func Medians(b *testing.B, sides int, call func(side int) error) []float64 {
	b.Helper()
	took := make([][]time.Duration, sides)
	for b.Loop() {
		for side := range took {
			start := time.Now()
			err := call(side)
			took[side] = append(took[side], time.Since(start))
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	medians := make([]float64, sides)
	for side, all := range took {
		slices.Sort(all)
		medians[side] = float64(all[len(all)/2])
	}
	b.ReportMetric(0, "ns/op")
	return medians
}
