package segment

import "slices"

// phrase is several words side by side. The last one may be the beginning of a word.
type phrase struct {
	atoms   []int    // the different ones; that of the beginning is last
	pattern []uint32 // the whole words, as numbers from 1 in atoms
	prefix  bool
	// fail[i] is how many words at the end of the first i are also its beginning (Knuth, Morris
	// and Pratt): it makes the search linear for any phrase in any text.
	fail []int
}

func newPhrase(atoms []int, prefix bool) *phrase {
	p := &phrase{prefix: prefix}
	whole := atoms
	if prefix {
		whole = atoms[:len(atoms)-1]
	}
	numbers := map[int]uint32{}
	for _, a := range whole {
		if numbers[a] == 0 {
			p.atoms = append(p.atoms, a)
			numbers[a] = uint32(len(p.atoms))
		}
		p.pattern = append(p.pattern, numbers[a])
	}
	if prefix {
		p.atoms = append(p.atoms, atoms[len(atoms)-1])
	}
	p.fail = make([]int, len(p.pattern)+1)
	for i, state := 1, 0; i < len(p.pattern); i++ {
		for state > 0 && p.pattern[i] != p.pattern[state] {
			state = p.fail[state]
		}
		if p.pattern[i] == p.pattern[state] {
			state++
		}
		p.fail[i+1] = state
	}
	return p
}

// matcher looks for phrases in a source. Its memory is used again for each document.
type matcher struct {
	source *Source
	lists  [][]uint32 // places in a document, by atom of the phrase
	dense  []uint16   // numbers of atoms, by place
	sparse []uint64   // place << 16 | number
}

// phrase returns the documents with a phrase.
func (m *matcher) phrase(p *phrase, of func(atom int) *postings) (found, error) {
	lists := make([]*postings, len(p.atoms))
	for i, a := range p.atoms {
		lists[i] = of(a)
	}
	documents := intersect(lists)
	if len(documents) == 0 {
		return found{}, nil
	}
	for _, l := range lists {
		if err := m.source.load(l); err != nil {
			return found{}, err
		}
	}
	var f found
	next := make([]int, len(lists))
	for _, d := range documents {
		m.lists = m.lists[:0]
		for i, l := range lists {
			next[i] = seek(l.documents, next[i], d)
			m.lists = append(m.lists, l.places[l.starts[next[i]]:l.starts[next[i]+1]])
		}
		if n := m.count(p); n > 0 {
			f.documents, f.counts = append(f.documents, d), append(f.counts, n)
		}
	}
	return f, nil
}

// intersect returns the documents of all lists, beginning with the rarest word.
func intersect(lists []*postings) []uint32 {
	sorted := slices.Clone(lists)
	slices.SortStableFunc(sorted, func(a, b *postings) int { return len(a.documents) - len(b.documents) })
	documents := slices.Clone(sorted[0].documents)
	for _, l := range sorted[1:] {
		kept, next := documents[:0], 0
		for _, d := range documents {
			next = seek(l.documents, next, d)
			if next == len(l.documents) {
				break
			}
			if l.documents[next] == d {
				kept = append(kept, d)
			}
		}
		documents = kept
	}
	return documents
}

// count returns how often the document has the phrase, overlaps included.
func (m *matcher) count(p *phrase) uint32 {
	whole := m.lists
	s := scan{phrase: p, last: -2}
	if p.prefix {
		whole, s.ends = m.lists[:len(m.lists)-1], m.lists[len(m.lists)-1]
	}
	if len(whole) == 1 {
		for _, place := range whole[0] {
			s.step(place, 1)
		}
		return s.count
	}
	words, end := 0, uint32(0)
	for _, l := range whole {
		words += len(l)
		end = max(end, l[len(l)-1])
	}
	if uint64(end) < 16*uint64(words) {
		m.walkDense(&s, whole, int(end)+1)
	} else {
		m.walkSparse(&s, whole)
	}
	return s.count
}

// walkDense puts the words into a table by place. It is not more than 16 times as long as they.
func (m *matcher) walkDense(s *scan, lists [][]uint32, size int) {
	m.dense = slices.Grow(m.dense[:0], size)[:size]
	clear(m.dense)
	for i, l := range lists {
		for _, place := range l {
			m.dense[place] = uint16(i + 1)
		}
	}
	for place, number := range m.dense {
		if number > 0 {
			s.step(uint32(place), uint32(number))
		}
	}
}

// walkSparse sorts the words by place.
func (m *matcher) walkSparse(s *scan, lists [][]uint32) {
	m.sparse = m.sparse[:0]
	for i, l := range lists {
		for _, place := range l {
			m.sparse = append(m.sparse, uint64(place)<<16|uint64(i+1))
		}
	}
	slices.Sort(m.sparse)
	for _, w := range m.sparse {
		s.step(uint32(w>>16), uint32(w&0xffff))
	}
}

// scan is how far a walk through the words of a document has come.
type scan struct {
	phrase *phrase
	state  int   // words of the phrase before this place
	last   int64 // place
	ends   []uint32
	count  uint32
}

func (s *scan) step(place, number uint32) {
	p := s.phrase
	if int64(place) != s.last+1 {
		s.state = 0
	}
	s.last = int64(place)
	for s.state > 0 && (s.state == len(p.pattern) || p.pattern[s.state] != number) {
		s.state = p.fail[s.state]
	}
	if p.pattern[s.state] == number {
		s.state++
	}
	if s.state == len(p.pattern) && (!p.prefix || s.followed(place)) {
		s.count++
	}
}

// followed tells whether the beginning of a word stands after place.
func (s *scan) followed(place uint32) bool {
	i := seek(s.ends, 0, place+1)
	s.ends = s.ends[i:]
	return len(s.ends) > 0 && s.ends[0] == place+1
}
