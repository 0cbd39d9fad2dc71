package bench

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
)

const walkRounds = 3

// walkKind is a way through many messages, with a data set that has at least n live ones:
// one of twenty of a conversation is deleted, and of many conversations one of ten is or is
// in a deleted one.
type walkKind struct {
	name, label  string
	size         func(n int) size
	conversation uuid.UUID
}

var walkKinds = []walkKind{
	{
		"walk of one conversation", "WalkOne",
		func(n int) size {
			return size{users: 1, conversations: 5, messages: 10, extra: n*20/19 + 20, suggestions: 1}
		},
		id(kindConversation, 0),
	},
	{
		"walk over many conversations", "WalkMany",
		func(n int) size {
			return size{users: 1, conversations: n/9 + 20, messages: 10, suggestions: 1}
		},
		uuid.Nil,
	},
}

// walkFigures let both sides read the messages from the first to the last.
func walkFigures(t *testing.T) {
	table, raw, flat := lineHead, newRaw("walk"), new(memoryFigures)
	n := fraction(t, 1_000_000)
	for _, d := range databases {
		for _, k := range walkKinds {
			for _, rows := range []int{n / 10, n} {
				p, most := d.walk(t, k, rows)
				c := workCase{name: fmt.Sprintf("%s, %s", k.name, thousands(rows)), aim: aim{throughput: 0.7}}
				p.writeRows(raw, fmt.Sprintf("%s%d", k.label, rows), d, most)
				table = append(table, p.line(c, d))
				flat.add(k.name, d, rows, most)
				t.Log(table[len(table)-1])
			}
		}
	}
	report(t, performanceDocument, "walk", table)
	report(t, performanceDocument, "walk memory", flat.lines())
	raw.save(t)
}

// walk has both sides read one database to its end.
func (d database) walk(t *testing.T, k walkKind, rows int) (pair, peaks) {
	t.Helper()
	z := k.size(rows)
	address := d.filled(t, z, withoutWords)
	hand, lib := d.at(t, address, z, false), d.at(t, address, z, true)
	var seen []int
	p, most := withMemory(t, walkRounds, hand, lib, func(f *fixture) error {
		n := 0
		err := f.walk(t.Context(), f.userOf(0), k.conversation, func(m *message.Message) error {
			if len(m.Content) > 100 {
				n++
			}
			return nil
		})
		seen = append(seen, n)
		return err
	})
	require.GreaterOrEqual(t, seen[0], rows)
	require.Len(t, slices.Compact(slices.Clone(seen)), 1, "both sides read the same")
	p.perRow(seen[0])
	return p, most
}
