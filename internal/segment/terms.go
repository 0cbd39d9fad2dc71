package segment

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// entry is a term of a block of several. Its beginning, the bytes before rest, is that of the term
// before it.
type entry struct {
	same         int
	rest         []byte
	list, places []byte
}

// nextEntry reads the entry at i of a block of several terms; last is the length of the term
// before it. It returns more than len(b) if there is none.
func nextEntry(b []byte, i, last int) (e entry, next int) {
	same, i := uvarint(b, i)
	size, i := uvarint(b, i)
	e.rest, i = cut(b, i, size)
	list, i := uvarint(b, i)
	places, i := uvarint(b, i)
	e.list, i = cut(b, i, list)
	e.places, i = cut(b, i, places)
	if uint64(same) > uint64(last) {
		return entry{}, len(b) + 1
	}
	e.same = int(same)
	return e, i
}

// pieceKey takes the key of a piece apart. Other blocks have no zero in their key: no word has.
func pieceKey(key []byte) (term []byte, first uint32, ok bool, err error) {
	if len(key) == 0 {
		return nil, 0, false, corrupt(PartTerms, "a block without a key")
	}
	i := bytes.IndexByte(key[1:], 0) + 1
	if i == 0 {
		return nil, 0, false, nil
	}
	if i+5 != len(key) {
		return nil, 0, false, corrupt(PartTerms, "a piece with a key of %d bytes", len(key))
	}
	return key[:i], binary.BigEndian.Uint32(key[i+1:]), true, nil
}

// stream is the postings of one term, or of one piece of it.
type stream struct {
	first        uint32
	list, places []byte
}

// find appends the streams of a term, or of all terms that begin with it, in a block of several
// terms. It compares without putting terms together: match is the number of bytes that the last
// term and the wanted one have in common.
func find(to []stream, b Block, want []byte, prefix bool) ([]stream, error) {
	match, last := 0, 0
	for i := 0; i < len(b.Data); {
		e, next := nextEntry(b.Data, i, last)
		if next > len(b.Data) {
			return nil, corrupt(PartTerms, "an entry at byte %d of %d", i, len(b.Data))
		}
		i, last = next, e.same+len(e.rest)
		if e.same > match && match < len(want) {
			continue // differs from the wanted one where the last term did
		}
		if e.same < match {
			break // differs earlier than the last term, so it is greater
		}
		n := shared(e.rest, want[match:])
		match += n
		if match < len(want) {
			if n < len(e.rest) && e.rest[n] > want[match] {
				break
			}
			continue
		}
		if prefix || last == len(want) {
			to = append(to, stream{0, e.list, e.places})
		}
		if !prefix {
			break
		}
	}
	return to, nil
}

// streams returns what blocks have of a range. Blocks of other terms are passed over, as the first
// may be one.
func (r Range) streams(terms, places []Block) ([]stream, error) {
	var all []stream
	for _, b := range terms {
		term, first, piece, err := pieceKey(b.Key)
		if err != nil {
			return nil, err
		}
		if !piece {
			all, err = find(all, b, r.term, r.prefix)
			if err != nil {
				return nil, err
			}
			continue
		}
		if !bytes.Equal(term, r.term) && (!r.prefix || !bytes.HasPrefix(term, r.term)) {
			continue
		}
		s := stream{first: first, list: b.Data}
		if r.Positions {
			if s.places, err = placesOf(b.Key, places); err != nil {
				return nil, err
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// placesOf returns the places of a piece. blocks are sorted by key.
func placesOf(key []byte, blocks []Block) ([]byte, error) {
	i, ok := slices.BinarySearchFunc(blocks, key, func(b Block, key []byte) int { return bytes.Compare(b.Key, key) })
	if !ok {
		return nil, corrupt(PartPlaces, "no places for a piece of a term")
	}
	return blocks[i].Data, nil
}
