package bench

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// Many short rounds: what else the machine does then hits few of them.
	hotRounds = 61
	roundTime = 100 * time.Millisecond
)

// hotFigures are those of single calls. Where the server does not wait for its disk only
// the writes differ.
func hotFigures(t *testing.T) {
	table, raw := lineHead, newRaw("hot")
	for _, d := range append(slices.Clone(databases), async) {
		hand, lib := d.fixtures(t)
		// Reads come first: the appends make threads longer.
		for _, c := range readsFirst(quick) {
			if d.name == async.name && !c.writes() {
				continue
			}
			p := inTurns(t, c, hand, lib, max(7, fraction(t, hotRounds)), calibrate(t, c, hand))
			p.write(raw, c, d)
			table = append(table, p.line(c, d))
			t.Log(table[len(table)-1])
		}
	}
	report(t, performanceDocument, "hot", table)
	raw.save(t)
}

func (c workCase) writes() bool { return strings.HasPrefix(c.name, "Append") || c.prepare != nil }

func readsFirst(cases []workCase) []workCase {
	rank := func(c workCase) int {
		if c.writes() {
			return 1
		}
		return 0
	}
	return slices.SortedStableFunc(slices.Values(cases), func(a, b workCase) int { return rank(a) - rank(b) })
}
