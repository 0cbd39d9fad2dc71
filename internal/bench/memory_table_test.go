package bench

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/usage"
)

// memoryFigures shows whether memory grows with the number of rows.
type memoryFigures struct{ rows []memoryRow }

type memoryRow struct {
	work, database string
	n              int
	hand, lib      usage.Memory
}

func (mt *memoryFigures) add(work string, d database, n int, most peaks) {
	mt.rows = append(mt.rows, memoryRow{work, d.name, n, middleMemory(most.hand), middleMemory(most.lib)})
}

func middleMemory(all []usage.Memory) usage.Memory {
	of := func(value func(m usage.Memory) int64) int64 {
		values := make([]int64, len(all))
		for i, m := range all {
			values[i] = value(m)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return usage.Memory{
		Heap: of(func(m usage.Memory) int64 { return m.Heap }),
		RSS:  of(func(m usage.Memory) int64 { return m.RSS }),
	}
}

// slack is what a peak may grow by beside a quarter: the garbage collector's mood.
const slack = 8 << 20

// flat says whether ten times the rows take the memory of once.
func flat(few, many usage.Memory) string {
	grown := func(a, b int64) bool { return b > a+a/4+slack }
	if grown(few.Heap, many.Heap) || grown(few.RSS, many.RSS) {
		return "**no**"
	}
	return "yes"
}

// lines pair the rows of each work: a few, many.
func (mt *memoryFigures) lines() []string {
	table := []string{
		"| work | database | side | peak heap, few → many rows | peak resident, few → many rows | flat |",
		"|---|---|---|--:|--:|---|",
	}
	for pairs := range slices.Chunk(mt.rows, 2) {
		few, many := pairs[0], pairs[1]
		for _, side := range []struct {
			name      string
			few, many usage.Memory
		}{{sideNames[0], few.hand, many.hand}, {sideNames[1], few.lib, many.lib}} {
			table = append(table, fmt.Sprintf("| %s of %s → %s | %s | %s | %s → %s MiB | %s → %s MiB | %s |", many.work, thousands(few.n), thousands(many.n),
				many.database, side.name, mebi(side.few.Heap), mebi(side.many.Heap), mebi(side.few.RSS), mebi(side.many.RSS), flat(side.few, side.many)))
		}
	}
	return table
}

func mebi(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }

func TestFlat(t *testing.T) {
	few := usage.Memory{Heap: 8 << 20, RSS: 80 << 20}
	require.Equal(t, "yes", flat(few, few))
	require.Equal(t, "**no**", flat(few, usage.Memory{Heap: 19 << 20, RSS: 80 << 20}))
	require.Equal(t, "**no**", flat(few, usage.Memory{Heap: 8 << 20, RSS: 109 << 20}))
	require.Equal(t, few, middleMemory([]usage.Memory{{Heap: 1, RSS: 99 << 20}, few, {Heap: 99 << 20, RSS: 1}}))
}
