package bench

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// Each user has 1,000 messages: 190 more in one of 81 conversations of ten.
	scaleFew, scaleMany  = 100_000, 10_000_000
	scalePerUser         = 81
	scaleBlocks          = 20
	scaleBlock           = 150
	scaleAim             = 1.2
	workingUsers, stride = 100, 101
)

func scaleSize(messages int) size {
	users := messages / 1000
	return size{users: users, conversations: users * scalePerUser, messages: 10, extra: 190, suggestions: users * scalePerUser / 10}
}

// scaleCases are what is done at both sizes.
var scaleCases = []workCase{caseGet, caseLast50, caseList20, caseThread200, caseAppend, caseAppendKey}

// choice says whose rows the k-th operation is about: a number of which users and
// conversations take the remainder.
type choice struct {
	name, label string
	of          func(z size, k int) int
}

// As many different users at both sizes, and everybody: the more rows, the fewer of them
// are in the server's memory.
var choices = []choice{
	{"the same 100", "100", func(z size, k int) int {
		user := k * 37 % workingUsers * stride % z.users
		return user + k/workingUsers%scalePerUser*z.users
	}},
	{"any", "any", func(z size, k int) int { return k * 7_368_787 % z.conversations }},
}

// scaleFigures do the same work at a hundred times the rows. The rows of both sides are in
// one database: two of that size would be too much for a disk.
func scaleFigures(t *testing.T) {
	many := max(scaleMany/250, fraction(t, scaleMany))
	sizes := []size{scaleSize(min(scaleFew, many/2)), scaleSize(many)}
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) { d.scale(t, sizes) })
	}
}

func (d database) scale(t *testing.T, sizes []size) {
	table := []string{
		fmt.Sprintf("| case | users | side | p50 at %s → %s | ratio | p99 | ratio | asked for | |", thousands(sizes[0].total()), thousands(sizes[1].total())),
		"|---|---|---|--:|--:|--:|--:|---|---|",
	}
	raw := newRaw("scale-" + d.name)
	var sides [2][2]*fixture // by size, by side
	for i, z := range sizes {
		address := d.filled(t, z, withoutWords)
		sides[i] = [2]*fixture{d.at(t, address, z, false), d.at(t, address, z, true)}
	}
	for _, c := range scaleCases {
		for _, who := range choices {
			latencies := d.scaleTurns(t, c, who, sides, raw)
			for k, name := range sideNames {
				table = append(table, scaleLine(c, who, name, latencies[0][k], latencies[1][k]))
				t.Log(table[len(table)-1])
			}
		}
	}
	report(t, performanceDocument, "scale "+d.name, table)
	raw.save(t)
}

// scaleTurns measures every operation by itself, in blocks in turns.
func (d database) scaleTurns(t *testing.T, c workCase, who choice, sides [2][2]*fixture, raw *rawFile) (all [2][2][]float64) {
	t.Helper()
	for block := range max(2, fraction(t, scaleBlocks)) + 1 {
		for turn := range 4 {
			of, side := (block+turn)%4/2, (block+turn)%2
			f := sides[of][side]
			took := inBlock(t, c, f, who, block)
			if block == 0 {
				continue // It warms up.
			}
			all[of][side] = append(all[of][side], took...)
			labels := []string{"db=" + d.name, "messages=" + itoa(f.total()), "users=" + who.label, "side=" + sideNames[side]}
			raw.add(c.name, labels, len(took), metric{percentile(took, 0.5), "p50-ns/op"}, metric{percentile(took, 0.99), "p99-ns/op"})
		}
	}
	return all
}

func inBlock(t *testing.T, c workCase, f *fixture, who choice, block int) (took []float64) {
	t.Helper()
	runtime.GC()
	for i := range scaleBlock {
		which := who.of(f.size, block*scaleBlock+i)
		start := time.Now()
		err := c.work(context.Background(), f, which)
		took = append(took, float64(time.Since(start)))
		require.NoError(t, err, c.name)
	}
	return took
}

func scaleLine(c workCase, who choice, side string, few, many []float64) string {
	a := aim{time: scaleAim}
	var cells [2]string
	var verdicts []string
	for i, share := range []float64{0.5, 0.99} {
		before, after := percentile(few, share), percentile(many, share)
		cells[i] = fmt.Sprintf("%s → %s | **%.2f**", short(time.Duration(before)), short(time.Duration(after)), after/before)
		verdicts = append(verdicts, []string{"p50 ", "p99 "}[i]+a.verdict(after/before, 0))
	}
	asked, verdict := a.String(), verdicts[0]+"; "+verdicts[1]
	if side == "hand-written" {
		asked, verdict = "–", "–"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", c.name, who.name, side, cells[0], cells[1], asked, verdict)
}

func TestChoices(t *testing.T) {
	few, many := scaleSize(scaleFew), scaleSize(scaleMany)
	require.Equal(t, scaleFew, few.total())
	require.Equal(t, scaleMany, many.total())
	for _, z := range []size{few, many} {
		users := map[int]bool{}
		for k := range 3000 {
			which := choices[0].of(z, k)
			users[which%z.users] = true
			require.Less(t, which, z.conversations)
			require.Less(t, choices[1].of(z, k), z.conversations)
		}
		require.Len(t, users, workingUsers)
	}
}

func TestScaleLine(t *testing.T) {
	fast, slow := []float64{1000, 1000, 1000}, []float64{1100, 1100, 1500}
	require.Equal(t, "| Get | any | convostore | 1 µs → 1.1 µs | **1.10** | 1 µs → 1.5 µs | **1.50** | time ≤ 1.2 | p50 met; p99 **missed**: time by 25 % |",
		scaleLine(caseGet, choices[1], "convostore", fast, slow))
}
