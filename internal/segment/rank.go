package segment

import (
	"cmp"
	"math"
	"slices"
)

// BM25 with the usual constants.
const (
	k1 = 1.2
	b  = 0.75 // of Content and TitleField; the length of other fields does not count
)

// Match is a document that a plan matches.
type Match struct {
	// Source is the index of its source.
	Source int
	// Document is its ordinal in a segment, its index in texts.
	Document uint32
	// Thread is the same number for documents of one thread within one source.
	Thread uint32
	Score  float64
}

// Rank returns all matches, by source and document. The sources are all that are in the scope, as
// they say together how rare a word is and how long documents are: scores are the same, to the
// bit, however the documents are spread over the sources.
//
// The number of documents is that of the plan's kind, without void ones and, if the plan searches
// nothing but their main field, without those that have no word in it, as these cannot match. The
// average length is that of documents with a length above 0.
func (p *Plan) Rank(sources []*Source) []Match {
	if len(p.groups) == 0 {
		return nil
	}
	r := p.ranker(sources)
	matches := make([]Match, 0, p.most(sources))
	for i, s := range sources {
		matches = r.source(matches, i, s)
	}
	return matches
}

// most is how many matches there may be: of the rarest group all that have one of its units.
func (p *Plan) most(sources []*Source) int {
	most := math.MaxInt
	for _, g := range p.groups {
		n := 0
		for _, s := range sources {
			of := 0
			for _, u := range g {
				of += s.stats.units[u]
			}
			n += min(of, len(s.lengths))
		}
		most = min(most, n)
	}
	return most
}

type ranker struct {
	plan    *Plan
	average float64   // length
	weights []float64 // by unit: idf, for each time that the query has it
	state   []uint16  // by document: groups that it has, of the first ones
	scores  []float64
}

func (p *Plan) ranker(sources []*Source) *ranker {
	var sum stats
	sum.units = make([]int, len(p.units))
	for _, s := range sources {
		sum.documents += s.stats.documents
		sum.filled += s.stats.filled
		sum.length += s.stats.length
		for u, n := range s.stats.units {
			sum.units[u] += n
		}
	}
	r := &ranker{plan: p, average: 1}
	if sum.length > 0 {
		r.average = float64(sum.length) / float64(sum.filled)
	}
	n := sum.documents
	if len(p.fields) == 1 && p.fields[0] == p.kind.main() {
		n = sum.filled
	}
	for u, df := range sum.units {
		idf := math.Log(1 + (float64(n-df)+0.5)/(float64(df)+0.5))
		r.weights = append(r.weights, float64(p.units[u].times)*idf)
	}
	return r
}

// source appends the matches of a source.
func (r *ranker) source(to []Match, number int, s *Source) []Match {
	for _, g := range r.plan.groups {
		if !slices.ContainsFunc(g, func(u int) bool { return s.stats.units[u] > 0 }) {
			return to
		}
	}
	size := int(s.to - s.from)
	r.state = slices.Grow(r.state[:0], size)[:size]
	r.scores = slices.Grow(r.scores[:0], size)[:size]
	clear(r.state)
	clear(r.scores)
	r.choose(s)
	wanted := uint16(len(r.plan.groups))
	for u := range r.plan.units {
		for f, found := range s.units[u] {
			r.score(s, found, r.weights[u], r.plan.fields[f], wanted)
		}
	}
	thread := uint32(0)
	for i, v := range s.lengths {
		thread += v & beginsThread
		if r.state[i] != wanted {
			continue
		}
		m := Match{Source: number, Document: s.from + uint32(i), Thread: thread, Score: r.scores[i]}
		if s.threads != nil {
			m.Thread = s.threads[i]
		}
		to = append(to, m)
	}
	return to
}

// choose sets the state of the documents: after it, that of matches is the number of groups.
func (r *ranker) choose(s *Source) {
	for g, units := range r.plan.groups {
		r.mark(s, units, func(state uint16) uint16 {
			if int(state) == g {
				state++
			}
			return state
		})
	}
	r.mark(s, r.plan.not, func(uint16) uint16 { return 0 })
}

func (r *ranker) mark(s *Source, units []int, change func(state uint16) uint16) {
	for _, u := range units {
		for _, found := range s.units[u] {
			for _, d := range found.documents {
				r.state[d-s.from] = change(r.state[d-s.from])
			}
		}
	}
}

// score adds what a unit in one field gives to each match. Products are rounded before they are
// added (float64), so that no processor fuses the two.
func (r *ranker) score(s *Source, found found, idf float64, field Field, wanted uint16) {
	if idf == 0 {
		return
	}
	b := b
	if field != Content && field != TitleField {
		b = 0
	}
	for i, d := range found.documents {
		d -= s.from
		if r.state[d] != wanted {
			continue
		}
		n := float64(found.counts[i])
		norm := k1
		if b > 0 {
			norm = k1 * (1 - b + float64(b*float64(s.lengths[d]>>lengthShift)/r.average))
		}
		r.scores[d] += float64(idf * (n * (k1 + 1) / (n + norm)))
	}
}

// Top returns the k best matches, best first, and with them all that tie with the last: which of
// these are best is decided by their ids. Equal scores are in the order of source and document.
// The matches stay as they are; a k below 1 gives none.
func Top(matches []Match, k int) []Match {
	if k < 1 || len(matches) == 0 {
		return nil
	}
	least := math.Inf(-1)
	if k < len(matches) {
		least = kth(matches, k)
	}
	var top []Match
	for _, m := range matches {
		if m.Score >= least {
			top = append(top, m)
		}
	}
	slices.SortFunc(top, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Document, b.Document))
	})
	return top
}

// kth returns the k-th best score. It keeps the k best in a heap whose first is the least.
func kth(matches []Match, k int) float64 {
	heap := make([]float64, k)
	for i, m := range matches[:k] {
		heap[i] = m.Score
	}
	slices.Sort(heap)
	for _, m := range matches[k:] {
		if m.Score > heap[0] {
			heap[0] = m.Score
			sink(heap)
		}
	}
	return heap[0]
}

// sink puts the first of a heap in its place.
func sink(heap []float64) {
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < len(heap) && heap[child+1] < heap[child] {
			child++
		}
		if child >= len(heap) || heap[i] <= heap[child] {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}
