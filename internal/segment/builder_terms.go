package segment

import (
	"encoding/binary"
	"slices"
	"strings"
)

// limits are sizes of blocks in bytes.
type limits struct {
	// block bounds a block of several terms with its key.
	block int
	// A term with more bytes than postings and places has pieces of its own, each of about
	// piecePostings or piecePlaces.
	postings, places           int
	piecePostings, piecePlaces int
}

// usual lets two blocks fit into a page of PostgreSQL.
var usual = limits{block: 4000, postings: 2048, places: 4096, piecePostings: 4000, piecePlaces: 16 << 10}

// termBlocks returns the blocks of PartTerms and PartPlaces.
func (b *Builder) termBlocks(ordinals []uint32) (terms, places []Block) {
	order := make([]uint32, len(b.names))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return strings.Compare(b.names[x], b.names[y]) })
	sorted := b.sorted(order, ordinals)
	if b.limits == (limits{}) {
		b.limits = usual
	}
	w := termWriter{limits: b.limits, all: b.places, ordinals: ordinals}
	for len(sorted) > 0 {
		term, n := sorted[0].term, 1
		for n < len(sorted) && sorted[n].term == term {
			n++
		}
		w.add([]byte(b.names[term]), sorted[:n])
		sorted = sorted[n:]
	}
	w.flush()
	return w.blocks, w.pieces
}

// sorted returns the postings by term and ordinal. It counts instead of comparing: first by
// ordinal, then by term, which keeps the order of the first.
func (b *Builder) sorted(order, ordinals []uint32) []posting {
	byOrdinal := distribute(b.postings, len(ordinals), func(p posting) uint32 { return ordinals[p.document] })
	rank := make([]uint32, len(order))
	for i, term := range order {
		rank[term] = uint32(i)
	}
	return distribute(byOrdinal, len(order), func(p posting) uint32 { return rank[p.term] })
}

func distribute(postings []posting, buckets int, bucket func(posting) uint32) []posting {
	next := make([]int, buckets+1)
	for _, p := range postings {
		next[bucket(p)+1]++
	}
	for i := range buckets {
		next[i+1] += next[i]
	}
	to := make([]posting, len(postings))
	for _, p := range postings {
		i := bucket(p)
		to[next[i]] = p
		next[i]++
	}
	return to
}

type termWriter struct {
	limits
	all            []byte   // places of all postings
	ordinals       []uint32 // by document
	blocks, pieces []Block
	open           Block // several terms
	last           []byte
	list, spots    []byte
}

// add appends a term with its postings, which are sorted by ordinal.
func (w *termWriter) add(term []byte, postings []posting) {
	w.list, w.spots = w.list[:0], w.spots[:0]
	last := uint32(0)
	for _, p := range postings {
		last = w.append(p, last)
	}
	if len(w.list) > w.postings || len(w.spots) > w.places {
		w.flush()
		w.split(term, postings)
		return
	}
	if len(w.open.Data) > 0 && len(w.open.Key)+len(w.open.Data)+len(term)+len(w.list)+len(w.spots)+8 > w.block {
		w.flush()
	}
	if w.open.Key == nil {
		w.open = Block{Part: PartTerms, Key: term, Data: make([]byte, 0, w.block)}
		w.last = w.last[:0]
	}
	same := shared(w.last, term)
	d := binary.AppendUvarint(w.open.Data, uint64(same))
	d = binary.AppendUvarint(d, uint64(len(term)-same))
	d = append(d, term[same:]...)
	d = binary.AppendUvarint(d, uint64(len(w.list)))
	d = binary.AppendUvarint(d, uint64(len(w.spots)))
	w.open.Data = append(append(d, w.list...), w.spots...)
	w.last = term
}

// append writes one posting. A count of one, the most common, is a bit of the step.
func (w *termWriter) append(p posting, last uint32) uint32 {
	ordinal := w.ordinals[p.document]
	step := uint64(ordinal-last) << 1
	if p.count > 1 {
		w.list = binary.AppendUvarint(binary.AppendUvarint(w.list, step|1), uint64(p.count))
	} else {
		w.list = binary.AppendUvarint(w.list, step)
	}
	w.spots = append(w.spots, w.all[p.start:p.start+p.size]...)
	return ordinal
}

// split writes a term as pieces. The first step of a piece is from the ordinal in its key.
func (w *termWriter) split(term []byte, postings []posting) {
	for len(postings) > 0 {
		w.list, w.spots = w.list[:0], w.spots[:0]
		first := w.ordinals[postings[0].document]
		last, n := first, 0
		for n < len(postings) && len(w.list) < w.piecePostings && len(w.spots) < w.piecePlaces {
			last = w.append(postings[n], last)
			n++
		}
		key := ordinalKey(append(slices.Clone(term), 0), first)
		w.blocks = append(w.blocks, Block{PartTerms, key, slices.Clone(w.list)})
		if len(w.spots) > 0 { // a stem has none
			w.pieces = append(w.pieces, Block{PartPlaces, key, slices.Clone(w.spots)})
		}
		postings = postings[n:]
	}
}

func (w *termWriter) flush() {
	if w.open.Key != nil {
		w.blocks = append(w.blocks, w.open)
	}
	w.open = Block{}
}
