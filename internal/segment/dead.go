package segment

import (
	"encoding/binary"
	"slices"
)

// Dead is a set of ordinals: the documents of a segment that are void. The zero value is empty.
// A Dead never changes.
type Dead struct{ ordinals []uint32 }

// Has tells whether an ordinal is in the set.
func (d Dead) Has(ordinal uint32) bool {
	_, ok := slices.BinarySearch(d.ordinals, ordinal)
	return ok
}

// Len is the number of ordinals.
func (d Dead) Len() int { return len(d.ordinals) }

// With returns the set with more ordinals, in any order and with repetitions if need be.
func (d Dead) With(ordinals []uint32) Dead {
	if len(ordinals) == 0 {
		return d
	}
	all := slices.Concat(d.ordinals, ordinals)
	slices.Sort(all)
	return Dead{slices.Compact(all)}
}

// Bytes returns the set for ParseDead: nothing for the empty set, and the same bytes for the same
// ordinals.
func (d Dead) Bytes() []byte {
	b := make([]byte, 0, len(d.ordinals))
	next := uint32(0)
	for _, o := range d.ordinals {
		b = binary.AppendUvarint(b, uint64(o-next))
		next = o + 1
	}
	return b
}

// ParseDead reads what Bytes wrote.
func ParseDead(b []byte) (Dead, error) {
	if len(b) == 0 {
		return Dead{}, nil
	}
	ordinals := make([]uint32, 0, len(b))
	next := uint64(0)
	for i := 0; i < len(b); {
		step, end := uvarint(b, i)
		at := next + uint64(step)
		if end > len(b) || at >= 1<<32-1 {
			return Dead{}, corrupt(PartDocuments, "the void documents, at byte %d of %d", i, len(b))
		}
		ordinals = append(ordinals, uint32(at))
		next, i = at+1, end
	}
	return Dead{ordinals}, nil
}
