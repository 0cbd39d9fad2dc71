package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/usage"
)

const importRounds = 3

// importFigures compare the imports of many messages, and of ten times as many.
func importFigures(t *testing.T) {
	table, raw, flat := lineHead, newRaw("import"), new(memoryFigures)
	for _, d := range databases {
		hand, lib := d.fixtures(t)
		few, many := fraction(t, 100_000), fraction(t, 1_000_000)
		for _, n := range []int{few, many} {
			c := importCase(n, d)
			p, most := withMemory(t, importRounds, hand, lib, func(f *fixture) error { return c.work(t.Context(), f, 0) })
			p.perRow(n)
			p.writeRows(raw, fmt.Sprintf("Import%d", n), d, most)
			table = append(table, p.line(c, d))
			flat.add("import", d, n, most)
			t.Log(table[len(table)-1])
		}
		t.Logf("%s: making a message takes %s", d.name, short(makingOf(hand, few)))
	}
	report(t, performanceDocument, "import", table)
	report(t, performanceDocument, "import memory", flat.lines())
	raw.save(t)
}

// makingOf is what both sides' time has of the rows' making.
func makingOf(f *fixture, n int) time.Duration {
	made, start := f.mails(), time.Now()
	for i := range n {
		made(i)
	}
	return time.Since(start) / time.Duration(n)
}

// peaks are the most bytes that each side added, round by round.
type peaks struct{ hand, lib []usage.Memory }

// withMemory lets both sides do in turns what takes long, and watches their memory.
func withMemory(t *testing.T, rounds int, hand, lib *fixture, work func(f *fixture) error) (p pair, most peaks) {
	one := func(f *fixture) (s sample, m usage.Memory) {
		m, err := usage.Peak(func() error {
			s = once(t, workCase{work: func(_ context.Context, f *fixture, _ int) error { return work(f) }}, f, 1)
			return nil
		})
		require.NoError(t, err)
		return s, m
	}
	for r := range rounds {
		for k := range 2 {
			if (r+k)%2 == 0 {
				s, m := one(hand)
				p.hand, most.hand = append(p.hand, s), append(most.hand, m)
			} else {
				s, m := one(lib)
				p.lib, most.lib = append(p.lib, s), append(most.lib, m)
			}
		}
	}
	return p, most
}

// perRow turns rounds of n rows each into figures of a row.
func (p pair) perRow(n int) {
	for _, side := range [][]sample{p.hand, p.lib} {
		for i := range side {
			side[i] = sample{n: n, perOp: side[i].perOp / time.Duration(n), allocs: side[i].allocs / float64(n)}
		}
	}
}

// writeRows adds the samples with the memory that each took.
func (p pair) writeRows(raw *rawFile, name string, d database, most peaks) {
	for i := range p.hand {
		for k, s := range []sample{p.hand[i], p.lib[i]} {
			m := [][]usage.Memory{most.hand, most.lib}[k][i]
			raw.add(name, []string{"db=" + d.name, "side=" + sideNames[k]}, s.n,
				metric{float64(s.perOp), "ns/op"}, metric{s.allocs, "allocs/op"},
				metric{float64(m.Heap), "peak-heap-B"}, metric{float64(m.RSS), "peak-RSS-B"})
		}
	}
}
