package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/convostore/convostore/internal/words"
)

// ErrDuplicate means that a Builder got two documents with the same key.
var ErrDuplicate = errors.New("convostore: the index of words got a document twice")

var errTooLarge = errors.New("convostore: too many words for one segment")

// maxDocuments keeps a step between ordinals, with its flag, in 32 bits.
const maxDocuments = 1 << 30

// Builder packs documents into a segment. The same documents give the same bytes, in whatever
// order and from whatever segments they come. The zero value is empty and ready. A Builder is for
// one goroutine.
type Builder struct {
	documents []documentRow
	terms     map[string]uint32
	names     []string
	postings  []posting
	places    []byte

	tokens []uint64 // of the document being added: term << 32 | place
	buf    []byte
	stems  words.Stems
	limits limits // usual if not set
	err    error
}

type documentRow struct {
	key    [keySize]byte
	at     int64
	length uint32
}

// posting says how often a document has a term. Its places are size bytes of Builder.places.
type posting struct{ term, document, count, start, size uint32 }

// Len is the number of documents so far.
func (b *Builder) Len() int { return len(b.documents) }

// Add cuts the texts of a document into words and packs them.
func (b *Builder) Add(d Document) {
	row := documentRow{at: d.At}
	d.Key.append(row.key[:0])
	b.tokens = b.tokens[:0]
	for w := range d.words(allFields, &b.stems) {
		if w.field == d.Key.Kind.main() {
			row.length++
		}
		b.buf = append(append(b.buf[:0], byte(w.field)), w.text...)
		b.tokens = append(b.tokens, uint64(b.term(b.buf))<<32|uint64(w.place))
		if w.stem != "" {
			b.buf = appendStem(b.buf[:0], w.field, d.Language.Code, w.stem)
			b.tokens = append(b.tokens, uint64(b.term(b.buf))<<32|uint64(w.place))
		}
	}
	row.length = min(row.length, maxLength)
	document := uint32(len(b.documents))
	b.documents = append(b.documents, row)
	slices.Sort(b.tokens)
	for rest := b.tokens; len(rest) > 0; {
		term, n := rest[0]>>32, 1
		for n < len(rest) && rest[n]>>32 == term {
			n++
		}
		start, last, placed := len(b.places), uint32(0), rest[:n]
		if isStem(b.names[term]) {
			placed = nil
		}
		for _, t := range placed {
			b.places = binary.AppendUvarint(b.places, uint64(uint32(t)-last))
			last = uint32(t)
		}
		b.post(posting{term: uint32(term), document: document, count: uint32(n), start: uint32(start), size: uint32(len(b.places) - start)})
		rest = rest[n:]
	}
}

func (b *Builder) post(p posting) {
	if len(b.places) > math.MaxUint32 || len(b.documents) > maxDocuments {
		b.err = errTooLarge
	}
	b.postings = append(b.postings, p)
}

// term returns the number of a term, a new one for a new term.
func (b *Builder) term(name []byte) uint32 {
	if n, ok := b.terms[string(name)]; ok {
		return n
	}
	if b.terms == nil {
		b.terms = map[string]uint32{}
	}
	n, s := uint32(len(b.names)), string(name)
	b.terms[s] = n
	b.names = append(b.names, s)
	return n
}

// Build returns the segment's blocks, sorted by part and key; none for no documents. It fails
// with ErrDuplicate if a key came twice. The Builder keeps its documents.
func (b *Builder) Build() (Header, []Block, error) {
	if b.err != nil {
		return Header{}, nil, b.err
	}
	order := make([]uint32, len(b.documents))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return bytes.Compare(b.documents[x].key[:], b.documents[y].key[:]) })
	rows := make([]documentRow, len(order))
	ordinals := make([]uint32, len(order))
	for ordinal, i := range order {
		rows[ordinal] = b.documents[i]
		ordinals[i] = uint32(ordinal)
		if ordinal > 0 && rows[ordinal].key == rows[ordinal-1].key {
			return Header{}, nil, ErrDuplicate
		}
	}
	var blocks []Block
	if len(rows) > 0 {
		terms, places := b.termBlocks(ordinals)
		documents, chunks := documentBlocks(rows)
		blocks = slices.Concat(terms, documents, lengthBlocks(rows), places, chunks)
	}
	return header(rows, blocks), blocks, nil
}

func header(rows []documentRow, blocks []Block) Header {
	h := Header{Documents: len(rows)}
	for i, r := range rows {
		h.Length += int64(r.length)
		if i == 0 {
			h.Since, h.Until = r.at, r.at
		}
		h.Since, h.Until = min(h.Since, r.at), max(h.Until, r.at)
	}
	for _, b := range blocks {
		h.Bytes += int64(len(b.Key) + len(b.Data))
	}
	return h
}
