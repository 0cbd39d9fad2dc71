package segment

import (
	"bytes"
	"slices"
)

// noDocument stands for one that is left out.
const noDocument = 1<<32 - 1

// Absorb adds the documents of a segment, without those that are dead. It needs all its blocks, in
// any order; those of PartLengths and PartChunks may be missing. After a *CorruptError the Builder
// is of no use any more, and Build returns the error.
func (b *Builder) Absorb(blocks []Block, dead Dead) error {
	a := absorber{builder: b, dead: dead, places: map[string][]byte{}}
	err := a.absorb(blocks)
	if err != nil {
		b.err = err
	}
	return err
}

type absorber struct {
	builder *Builder
	dead    Dead
	places  map[string][]byte // of pieces
	// numbers are the builder's, by ordinal in the segment.
	numbers []uint32
	term    []byte
}

func (a *absorber) absorb(blocks []Block) error {
	var documents, terms []Block
	for _, block := range blocks {
		switch block.Part {
		case PartDocuments:
			documents = append(documents, block)
		case PartTerms:
			terms = append(terms, block)
		case PartPlaces:
			a.places[string(block.Key)] = block.Data
		case PartLengths, PartChunks: // follow from the documents
		}
	}
	byKey := func(x, y Block) int { return bytes.Compare(x.Key, y.Key) }
	slices.SortFunc(documents, byKey)
	for _, block := range documents {
		if err := a.chunk(block); err != nil {
			return err
		}
	}
	slices.SortFunc(terms, byKey)
	for _, block := range terms {
		if err := a.block(block); err != nil {
			return err
		}
	}
	return nil
}

// chunk adds the documents of a chunk.
func (a *absorber) chunk(block Block) error {
	infos, err := Documents(block)
	if err != nil {
		return err
	}
	if int(infos[0].Ordinal) != len(a.numbers) {
		return corrupt(PartDocuments, "a chunk begins with document %d instead of %d", infos[0].Ordinal, len(a.numbers))
	}
	b := a.builder
	for _, info := range infos {
		number := uint32(noDocument)
		if !a.dead.Has(info.Ordinal) {
			number = uint32(len(b.documents))
			b.documents = append(b.documents, documentRow{[keySize]byte(info.Key.Bytes()), info.At, uint32(info.Length)})
		}
		a.numbers = append(a.numbers, number)
	}
	return nil
}

// block adds the postings of a block of terms.
func (a *absorber) block(block Block) error {
	term, first, piece, err := pieceKey(block.Key)
	if err != nil {
		return err
	}
	if piece {
		places, ok := a.places[string(block.Key)]
		if !ok && !isStem(string(term)) {
			return corrupt(PartPlaces, "no places for a piece of a term")
		}
		return a.postings(term, stream{first, block.Data, places})
	}
	a.term = a.term[:0]
	for i := 0; i < len(block.Data); {
		e, next := nextEntry(block.Data, i, len(a.term))
		if next > len(block.Data) || len(e.rest) == 0 || e.same < len(a.term) && e.rest[0] <= a.term[e.same] {
			return corrupt(PartTerms, "an entry at byte %d of %d", i, len(block.Data))
		}
		a.term = append(a.term[:e.same], e.rest...)
		if i == 0 && !bytes.Equal(a.term, block.Key) {
			return corrupt(PartTerms, "a block does not begin with its key")
		}
		if err := a.postings(a.term, stream{0, e.list, e.places}); err != nil {
			return err
		}
		i = next
	}
	return nil
}

// postings adds those of one term, with the bytes of their places as they are.
func (a *absorber) postings(term []byte, st stream) error {
	b := a.builder
	number, known := uint32(0), false
	last, ordinal, at := int64(-1), uint64(st.first), 0
	placed := !isStem(string(term))
	for i := 0; i < len(st.list); {
		step, next := uvarint(st.list, i)
		count := uint32(1)
		if step&1 == 1 {
			count, next = uvarint(st.list, next)
		}
		ordinal += uint64(step >> 1)
		end := at
		if placed {
			end = readPlaces(nil, st.places, at, count)
		}
		switch {
		case next > len(st.list) || count == 0 || int64(ordinal) <= last || ordinal >= uint64(len(a.numbers)):
			return corrupt(PartTerms, "a posting at byte %d of %d", i, len(st.list))
		case end > len(st.places):
			return corrupt(PartPlaces, "at the end of %d bytes", len(st.places))
		}
		if document := a.numbers[ordinal]; document != noDocument {
			if !known {
				number, known = b.term(term), true
			}
			start := len(b.places)
			b.places = append(b.places, st.places[at:end]...)
			b.post(posting{number, document, count, uint32(start), uint32(end - at)})
		}
		last, i, at = int64(ordinal), next, end
	}
	if at != len(st.places) {
		return corrupt(PartPlaces, "%d bytes too many", len(st.places)-at)
	}
	return nil
}
