package segment

// Source is what a plan found in one segment, or in texts. It belongs to the plan that made it.
type Source struct {
	from, to uint32
	void     []uint64 // bits, by ordinal - from; nil if there is none
	lengths  []uint32 // as in PartLengths, by ordinal - from
	threads  []uint32 // by ordinal - from; nil for a segment, whose lengths tell where a thread begins
	units    []hits   // by unit
	stats    stats
}

// hits is where a source has a unit of the query: by field, in the order of the plan's.
type hits []found

type found struct{ documents, counts []uint32 }

// stats sums up the documents of the plan's kind that are in the scope and not void.
type stats struct {
	documents int   // all
	filled    int   // with a length above 0
	length    int64 // sum
	units     []int // documents, by unit
}

// Input is what was fetched of a segment for a plan.
type Input struct {
	// Documents is the number of the segment's documents.
	Documents int
	// From and To are the scope: ordinals from From to before To.
	From, To uint32
	// Void documents are no documents. Those outside of the scope do no harm.
	Void Dead
	// Terms and Positions are blocks of PartTerms and PartPlaces for each of Plan.Ranges, in the
	// order of their keys. A range without Positions needs none.
	Terms, Positions [][]Block
	// Lengths are the blocks of PartLengths that have ordinals of the scope, in the order of keys.
	Lengths []Block
}

// Segment finds the plan's terms in a segment. It fails with a *CorruptError if the blocks are not
// those of a segment or some are missing.
func (p *Plan) Segment(in Input) (*Source, error) {
	if in.From > in.To || int64(in.To) > int64(in.Documents) || in.Documents > maxDocuments {
		return nil, corrupt(PartDocuments, "documents %d to %d of %d", in.From, in.To, in.Documents)
	}
	if len(in.Terms) != len(p.ranges) {
		return nil, corrupt(PartTerms, "blocks for %d ranges instead of %d", len(in.Terms), len(p.ranges))
	}
	s := &Source{from: in.From, to: in.To}
	var err error
	if s.lengths, err = lengths(in.Lengths, in.From, in.To); err != nil {
		return nil, err
	}
	s.setVoid(in.Void)
	lists := make([]*postings, len(p.ranges))
	for i, r := range p.ranges {
		var places []Block
		if i < len(in.Positions) {
			places = in.Positions[i]
		}
		streams, err := r.streams(in.Terms[i], places)
		if err != nil {
			return nil, err
		}
		if lists[i], err = s.decode(streams, r.prefix); err != nil {
			return nil, err
		}
	}
	return s, p.match(s, lists)
}

func (s *Source) setVoid(void Dead) {
	for _, o := range void.ordinals {
		if o < s.from || o >= s.to {
			continue
		}
		if s.void == nil {
			s.void = make([]uint64, (s.to-s.from+63)/64)
		}
		s.void[(o-s.from)/64] |= 1 << ((o - s.from) % 64)
	}
}

// has tells whether a document is in the scope and not void.
func (s *Source) has(ordinal uint32) bool {
	if ordinal < s.from || ordinal >= s.to {
		return false
	}
	if len(s.void) == 0 {
		return true
	}
	o := ordinal - s.from
	return s.void[o/64]>>(o%64)&1 == 0
}

// match finds the units from the postings of the atoms, and counts.
func (p *Plan) match(s *Source, lists []*postings) error {
	s.units = make([]hits, len(p.units))
	s.stats.units = make([]int, len(p.units))
	m := matcher{source: s}
	for u, unit := range p.units {
		s.units[u] = make(hits, len(p.fields))
		for f := range p.fields {
			of := func(atom int) *postings { return lists[atom*len(p.fields)+f] }
			if unit.phrase == nil {
				l := of(unit.atom)
				s.units[u][f] = found{l.documents, l.counts}
				for _, a := range unit.stems {
					s.units[u][f] = s.units[u][f].or(of(a))
				}
				continue
			}
			var err error
			if s.units[u][f], err = m.phrase(unit.phrase, of); err != nil {
				return err
			}
		}
		s.stats.units[u] = s.units[u].count()
	}
	s.sum(p.kind)
	return nil
}

// or returns the documents of either, with the greater count of each.
func (f found) or(l *postings) found {
	switch {
	case len(l.documents) == 0:
		return f
	case len(f.documents) == 0:
		return found{l.documents, l.counts}
	}
	size := max(len(f.documents), len(l.documents))
	all := found{make([]uint32, 0, size), make([]uint32, 0, size)}
	for i, k := 0, 0; i < len(f.documents) || k < len(l.documents); {
		switch {
		case k == len(l.documents) || i < len(f.documents) && f.documents[i] < l.documents[k]:
			all.documents, all.counts = append(all.documents, f.documents[i]), append(all.counts, f.counts[i])
			i++
		case i == len(f.documents) || f.documents[i] > l.documents[k]:
			all.documents, all.counts = append(all.documents, l.documents[k]), append(all.counts, l.counts[k])
			k++
		default:
			all.documents, all.counts = append(all.documents, f.documents[i]), append(all.counts, max(f.counts[i], l.counts[k]))
			i, k = i+1, k+1
		}
	}
	return all
}

// sum counts the documents of a kind.
func (s *Source) sum(k Kind) {
	kind := uint32(0)
	if k == Title {
		kind = isTitle
	}
	for i, v := range s.lengths {
		if v&isTitle != kind || len(s.void) > 0 && s.void[i/64]>>(i%64)&1 == 1 {
			continue
		}
		s.stats.documents++
		if v >>= lengthShift; v > 0 {
			s.stats.filled++
			s.stats.length += int64(v)
		}
	}
}

// count is the number of documents with the unit in any field.
func (h hits) count() int {
	filled, n := 0, 0
	for _, f := range h {
		if len(f.documents) > 0 {
			filled++
			n += len(f.documents)
		}
	}
	if filled < 2 {
		return n
	}
	// Each step takes the least document that some field has next.
	n = 0
	next := make([]int, len(h))
	for {
		least, some := uint32(0), false
		for f, i := range next {
			if i < len(h[f].documents) && (!some || h[f].documents[i] < least) {
				least, some = h[f].documents[i], true
			}
		}
		if !some {
			return n
		}
		n++
		for f, i := range next {
			if i < len(h[f].documents) && h[f].documents[i] == least {
				next[f]++
			}
		}
	}
}
