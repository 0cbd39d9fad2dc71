package bench

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// aim is what was asked of a case: bounds of ratios to the hand-written side, 0 for none.
type aim struct {
	// time and allocs are how much more of each there may be, throughput how much less
	// may be done in the same time.
	time, allocs, throughput float64
}

func (a aim) String() string {
	var all []string
	for _, bound := range []struct {
		format string
		value  float64
	}{{"time ≤ %g", a.time}, {"allocations ≤ %g", a.allocs}, {"throughput ≥ %g", a.throughput}} {
		if bound.value > 0 {
			all = append(all, fmt.Sprintf(bound.format, bound.value))
		}
	}
	if len(all) == 0 {
		return "–"
	}
	return strings.Join(all, ", ")
}

// verdict holds the medians against the bounds. Throughput is the inverse of the time.
func (a aim) verdict(time, allocs float64) string {
	var missed []string
	miss := func(what string, by float64) {
		if by > 0 {
			missed = append(missed, fmt.Sprintf("%s by %s %%", what, percent(by)))
		}
	}
	if a.time > 0 {
		miss("time", time/a.time-1)
	}
	if a.allocs > 0 {
		miss("allocations", allocs/a.allocs-1)
	}
	if a.throughput > 0 {
		miss("throughput", 1-1/time/a.throughput)
	}
	switch {
	case a == aim{}:
		return "–"
	case len(missed) == 0:
		return "met"
	}
	return "**missed**: " + strings.Join(missed, ", ")
}

// percent never rounds a miss to nothing.
func percent(by float64) string {
	if by < 0.01 {
		return fmt.Sprintf("%.2g", 100*by)
	}
	return fmt.Sprintf("%.0f", 100*by)
}

func TestAim(t *testing.T) {
	a := aim{time: 1.2, allocs: 1.5}
	require.Equal(t, "time ≤ 1.2, allocations ≤ 1.5", a.String())
	require.Equal(t, "met", a.verdict(1.2, 1.5))
	require.Equal(t, "**missed**: time by 25 %, allocations by 100 %", a.verdict(1.5, 3))
	require.Equal(t, "**missed**: time by 0.083 %", a.verdict(1.201, 1))
	require.Equal(t, "met", aim{throughput: 0.8}.verdict(1.25, 9))
	require.Equal(t, "**missed**: throughput by 50 %", aim{throughput: 1}.verdict(2, 9))
	require.Equal(t, "–", aim{}.verdict(9, 9))
}
