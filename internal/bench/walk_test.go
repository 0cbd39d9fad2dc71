package bench

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
)

const walkRounds = 3

// liveOf is how many messages to make for so many to be left when those are gone that are
// deleted: one of twenty, and where there are many conversations one of twenty of those.
func liveOf(n int, conversations bool) int {
	if conversations {
		n = n * 20 / 19
	}
	return n * 20 / 19
}

// walkKind is a way through many messages, with a data set for it.
type walkKind struct {
	name         string
	size         func(n int) size
	conversation uuid.UUID
}

var walkKinds = []walkKind{
	{
		"walk of one conversation",
		func(n int) size {
			return size{users: 1, conversations: 5, messages: 10, extra: liveOf(n, false), suggestions: 1}
		},
		id(kindConversation, 0),
	},
	{
		"walk over many conversations",
		func(n int) size {
			return size{users: 1, conversations: liveOf(n, true) / 10, messages: 10, suggestions: 1}
		},
		uuid.Nil,
	},
}

// walkFigures let both sides read the messages from the first to the last, and the
// first tenth of them.
func walkFigures(t *testing.T) {
	table, raw, flat := lineHead, newRaw("walk"), new(memoryFigures)
	n := fraction(t, 1_000_000)
	for _, d := range databases {
		for _, k := range walkKinds {
			z := k.size(n)
			address := d.filled(t, z, withoutWords)
			hand, lib := d.at(t, address, z, false), d.at(t, address, z, true)
			for _, rows := range []int{n / 10, n} {
				p, most := withMemory(t, walkRounds, hand, lib, func(f *fixture) error { return k.walk(t, f, rows) })
				p.perRow(rows)
				c := workCase{name: fmt.Sprintf("%s, %s", k.name, thousands(rows)), aim: aim{throughput: 0.7}}
				name := "WalkOne"
				if k.conversation == uuid.Nil {
					name = "WalkMany"
				}
				p.writeRows(raw, fmt.Sprintf("%s%d", name, rows), d, most)
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

// errEnough ends a walk.
var errEnough = errors.New("bench: enough")

// walk reads so many rows, and each of them.
func (k walkKind) walk(t *testing.T, f *fixture, rows int) error {
	seen, length := 0, 0
	err := f.walk(t.Context(), f.userOf(0), k.conversation, func(m *message.Message) error {
		length += len(m.Content)
		if seen++; seen == rows {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if length < seen*100 {
		err = errors.Join(err, errEmpty)
	}
	return expect(seen, rows, err)
}
