package segment

import "slices"

// postings is the documents of a source that have a word, ascending, and how often.
type postings struct {
	documents, counts []uint32
	// places of all documents, those of document i from starts[i] to before starts[i+1]. They are
	// read from the streams when a phrase asks for them.
	places, starts []uint32
	streams        []stream
	prefix         bool
	loaded         bool
}

// decode reads the documents of streams, leaving out those outside of the scope and void ones.
func (s *Source) decode(streams []stream, prefix bool) (*postings, error) {
	p := &postings{streams: streams, prefix: prefix}
	if prefix && len(streams) > 1 {
		return p, s.decodePrefix(p)
	}
	size := 0
	for _, st := range streams {
		size += len(st.list)
	}
	size = min(size, int(s.to-s.from))
	p.documents, p.counts = make([]uint32, 0, size), make([]uint32, 0, size)
	last := int64(-1)
	for _, st := range streams {
		var err error
		if last, err = s.decodeStream(p, st, last); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// decodeStream appends the documents of a stream, all of which are after last.
func (s *Source) decodeStream(p *postings, st stream, last int64) (int64, error) {
	before := last
	ordinal := uint64(st.first)
	for i := 0; i < len(st.list); {
		step, next := uvarint(st.list, i)
		count := uint32(1)
		if step&1 == 1 {
			count, next = uvarint(st.list, next)
		}
		ordinal += uint64(step >> 1)
		if next > len(st.list) || count == 0 || int64(ordinal) <= before || ordinal >= maxDocuments {
			return 0, corrupt(PartTerms, "a posting at byte %d of %d", i, len(st.list))
		}
		before, i = int64(ordinal), next
		if s.has(uint32(ordinal)) {
			p.documents = append(p.documents, uint32(ordinal))
			p.counts = append(p.counts, count)
		}
	}
	return before, nil
}

// decodePrefix adds up the counts of many terms.
func (s *Source) decodePrefix(p *postings) error {
	sums := make([]uint32, s.to-s.from)
	one := &postings{}
	for _, st := range p.streams {
		one.documents, one.counts = one.documents[:0], one.counts[:0]
		if _, err := s.decodeStream(one, st, -1); err != nil {
			return err
		}
		for i, d := range one.documents {
			sum := &sums[d-s.from]
			if *sum+one.counts[i] < *sum {
				return corrupt(PartTerms, "too many occurrences of a word")
			}
			*sum += one.counts[i]
		}
	}
	for i, n := range sums {
		if n > 0 {
			p.documents, p.counts = append(p.documents, s.from+uint32(i)), append(p.counts, n)
		}
	}
	return nil
}

// load reads the places.
func (s *Source) load(p *postings) error {
	if p.loaded {
		return nil
	}
	size, total := 0, 0
	for _, st := range p.streams {
		size += len(st.places)
	}
	p.starts = make([]uint32, 1, len(p.documents)+1)
	for _, n := range p.counts {
		total += int(n)
		if total > size {
			return corrupt(PartPlaces, "%d bytes for %d places or more", size, total)
		}
		p.starts = append(p.starts, uint32(total))
	}
	p.places = make([]uint32, total)
	next := slices.Clone(p.starts)
	for _, st := range p.streams {
		if err := s.loadStream(p, st, next); err != nil {
			return err
		}
	}
	if p.prefix && len(p.streams) > 1 {
		for i := range p.documents {
			slices.Sort(p.places[p.starts[i]:p.starts[i+1]])
		}
	}
	p.loaded = true
	return nil
}

// loadStream puts the places of a stream at next, by the number of the document in p.
func (s *Source) loadStream(p *postings, st stream, next []uint32) error {
	ordinal, document, at := st.first, 0, 0
	for i := 0; i < len(st.list); {
		var step uint32
		step, i = uvarint(st.list, i)
		count := uint32(1)
		if step&1 == 1 {
			count, i = uvarint(st.list, i)
		}
		ordinal += step >> 1
		var to []uint32
		if s.has(ordinal) {
			document = seek(p.documents, document, ordinal)
			to = p.places[next[document] : next[document]+count]
			next[document] += count
		}
		if at = readPlaces(to, st.places, at, count); at > len(st.places) {
			return corrupt(PartPlaces, "at the end of %d bytes", len(st.places))
		}
	}
	if at != len(st.places) {
		return corrupt(PartPlaces, "%d bytes too many", len(st.places)-at)
	}
	return nil
}

// readPlaces reads or, without anywhere to put them, passes over the places of one posting. It
// returns more than len(b) if they are none.
func readPlaces(to []uint32, b []byte, at int, count uint32) int {
	last := uint64(0)
	for n := range count {
		var step uint32
		step, at = uvarint(b, at)
		last += uint64(step)
		if at > len(b) || n > 0 && step == 0 || last >= 1<<32-1 {
			return len(b) + 1
		}
		if to != nil {
			to[n] = uint32(last)
		}
	}
	return at
}

// seek returns the index from i on of the first element that is not less than v. It doubles its
// steps, so that a few look-ups in a long list are cheap and many are as cheap as a walk.
func seek(list []uint32, i int, v uint32) int {
	step := 1
	for i+step < len(list) && list[i+step] < v {
		i += step
		step *= 2
	}
	end := min(len(list), i+step+1)
	n, _ := slices.BinarySearch(list[i:end], v)
	return i + n
}
