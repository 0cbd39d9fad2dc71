package segment

import (
	"slices"

	"github.com/convostore/convostore/internal/words"
)

// Texts finds the plan's terms in documents that no segment has yet. The ordinal of a document is
// its index. Documents of another kind than the plan's are passed over.
func (p *Plan) Texts(documents []Document) *Source {
	s := &Source{to: uint32(len(documents)), lengths: make([]uint32, len(documents)), threads: make([]uint32, len(documents))}
	r := newTextReader(p)
	threads := map[[32]byte]uint32{}
	for i := range documents {
		key := documents[i].Key
		thread := [32]byte(key.Bytes())
		if threads[thread] == 0 {
			threads[thread] = uint32(len(threads) + 1)
		}
		s.threads[i] = threads[thread]
		s.lengths[i] = min(r.read(uint32(i), &documents[i]), maxLength) << lengthShift
		if key.Kind == Title {
			s.lengths[i] |= isTitle
		}
	}
	_ = p.match(s, r.finish()) // fails for corrupt blocks only, and these have none
	return s
}

// textReader collects postings of the plan's atoms.
type textReader struct {
	plan     *Plan
	field    [fieldCount]int           // index of a field in the plan, from 1
	wanted   uint8                     // fields, a bit each
	whole    map[string]int            // atoms that are words
	stems    map[string]map[string]int // atoms that are stems, by language
	known    words.Stems
	prefixes map[string]int // atoms that are beginnings
	lengths  []int          // of the beginnings, ascending, each once
	lists    []*postings
}

func newTextReader(p *Plan) *textReader {
	r := &textReader{plan: p, whole: map[string]int{}, prefixes: map[string]int{}, stems: map[string]map[string]int{}, wanted: 1 << p.kind.main(), lists: make([]*postings, len(p.ranges))}
	for i, f := range p.fields {
		r.field[f] = i + 1
		r.wanted |= 1 << f
	}
	for i, a := range p.atoms {
		switch {
		case a.prefix:
			r.prefixes[a.text] = i
			r.lengths = append(r.lengths, len(a.text))
		case a.language == "":
			r.whole[a.text] = i
		case r.stems[a.language] == nil:
			r.stems[a.language] = map[string]int{a.text: i}
		default:
			r.stems[a.language][a.text] = i
		}
	}
	slices.Sort(r.lengths)
	r.lengths = slices.Compact(r.lengths)
	for i := range r.lists {
		r.lists[i] = &postings{loaded: true}
	}
	return r
}

// read returns the length of the document.
func (r *textReader) read(document uint32, d *Document) (length uint32) {
	var known *words.Stems
	var stems map[string]int
	if d.Language.HasStems() && r.stems[d.Language.Code] != nil {
		known, stems = &r.known, r.stems[d.Language.Code]
	}
	for w := range d.words(r.wanted, known) {
		if w.field == d.Key.Kind.main() {
			length++
		}
		f := r.field[w.field]
		if f == 0 {
			continue
		}
		if a, ok := r.whole[w.text]; ok {
			r.add(a, f-1, document, w.place)
		}
		if a, ok := stems[w.stem]; ok && w.stem != "" {
			r.add(a, f-1, document, w.place)
		}
		for _, n := range r.lengths {
			if n > len(w.text) {
				break
			}
			if a, ok := r.prefixes[w.text[:n]]; ok {
				r.add(a, f-1, document, w.place)
			}
		}
	}
	return length
}

func (r *textReader) add(atom, field int, document, place uint32) {
	l := r.lists[atom*len(r.plan.fields)+field]
	if n := len(l.documents); n == 0 || l.documents[n-1] != document {
		l.documents, l.counts = append(l.documents, document), append(l.counts, 0)
		l.starts = append(l.starts, uint32(len(l.places)))
	}
	l.counts[len(l.counts)-1]++
	l.places = append(l.places, place)
}

func (r *textReader) finish() []*postings {
	for _, l := range r.lists {
		l.starts = append(l.starts, uint32(len(l.places)))
	}
	return r.lists
}
