package textindex

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sort"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

// Found are the documents of a view that match a plan.
type Found struct {
	// Matches are by source and then by document. The last source has the noted texts.
	Matches []segment.Match

	view  *View
	parts []*Part // by source, without that of the noted texts
	// chunks are the keys of the chunks of documents, by source.
	chunks map[int][][]byte
}

// Languages are those of which the view has stems, each once, by their codes.
func (v *View) Languages() (all []*words.Language) {
	for _, p := range v.Parts {
		if p.current {
			all = append(all, v.sc.Languages.Stemmed(p.made)...)
		}
	}
	for i := range v.Noted {
		if l := v.Noted[i].Language; l.HasStems() {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *words.Language) int { return cmp.Compare(a.Code, b.Code) })
	return slices.CompactFunc(all, func(a, b *words.Language) bool { return a.Code == b.Code })
}

// Find returns all matches, with their scores.
func (v *View) Find(plan *segment.Plan) (*Found, error) {
	f := &Found{view: v, parts: v.Parts, chunks: map[int][][]byte{}}
	sources := make([]*segment.Source, 0, len(v.Parts)+1)
	perPart := 2*len(plan.Ranges()) + 1
	for some := range slices.Chunk(v.Parts, max(1, maxRequests/perPart)) {
		more, err := v.sources(plan, some)
		if err != nil {
			return nil, err
		}
		sources = append(sources, more...)
	}
	f.Matches = plan.Rank(append(sources, plan.Texts(v.Noted)))
	return f, nil
}

// sources reads what a plan needs of some segments.
func (v *View) sources(plan *segment.Plan, parts []*Part) ([]*segment.Source, error) {
	requests := requestsFor(plan, parts)
	blocks, err := v.fetch(requests)
	if err != nil {
		return nil, err
	}
	sources := make([]*segment.Source, len(parts))
	for i, p := range parts {
		in := segment.Input{Documents: p.Documents, From: p.From, To: p.To, Void: p.Void}
		in.Lengths, blocks = blocks[0], blocks[1:]
		for _, r := range plan.Ranges() {
			var positions []segment.Block
			if r.Stem && !p.current {
				in.Terms, in.Positions = append(in.Terms, nil), append(in.Positions, nil)
				continue
			}
			in.Terms, blocks = append(in.Terms, blocks[0]), blocks[1:]
			if r.Positions {
				positions, blocks = blocks[0], blocks[1:]
			}
			in.Positions = append(in.Positions, positions)
		}
		if sources[i], err = plan.Segment(in); err != nil {
			return nil, err
		}
	}
	return sources, nil
}

func requestsFor(plan *segment.Plan, parts []*Part) (requests []request) {
	for _, p := range parts {
		requests = append(requests, request{of: p, part: segment.PartLengths, low: ordinalKey(p.From), high: ordinalKey(p.To)})
		for _, r := range plan.Ranges() {
			if r.Stem && !p.current {
				continue // other stemmers made them: the words alone are right
			}
			if p.From > 0 || int(p.To) < p.Documents {
				r = r.In(p.From, p.To)
			}
			requests = append(requests, request{of: p, part: segment.PartTerms, low: r.Low, high: r.High})
			if r.Positions {
				requests = append(requests, request{of: p, part: segment.PartPlaces, low: r.Low, high: r.High})
			}
		}
	}
	return requests
}

// Until is the time after which no document of a source is, and whether there is one: noted
// texts have none.
func (f *Found) Until(source int) (until int64, known bool) {
	if source == len(f.parts) {
		return 0, false
	}
	return f.parts[source].Until, true
}

// Infos returns what the index has of matches, in their order.
func (f *Found) Infos(matches []segment.Match) ([]segment.Info, error) {
	infos := make([]segment.Info, len(matches))
	chunks, err := f.chunksOf(matches)
	if err != nil {
		return nil, err
	}
	for i, m := range matches {
		if m.Source == len(f.parts) {
			d := f.view.Noted[m.Document]
			infos[i] = segment.Info{Key: d.Key, At: d.At, Ordinal: m.Document}
			continue
		}
		chunk := chunks[chunkOf(m)]
		infos[i] = chunk[m.Document%segment.ChunkDocuments]
	}
	return infos, nil
}

// chunk is a chunk of documents of a source.
type chunk struct {
	source int
	number uint32
}

func chunkOf(m segment.Match) chunk {
	return chunk{m.Source, m.Document / segment.ChunkDocuments}
}

// chunksOf reads the chunks that have the documents of matches.
func (f *Found) chunksOf(matches []segment.Match) (map[chunk][]segment.Info, error) {
	var wanted []chunk
	var sources []int
	for _, m := range matches {
		c := chunkOf(m)
		if c.source == len(f.parts) || len(wanted) > 0 && wanted[len(wanted)-1] == c {
			continue
		}
		wanted = append(wanted, c)
		if !slices.Contains(sources, c.source) {
			sources = append(sources, c.source)
		}
	}
	if err := f.readChunkKeys(sources); err != nil {
		return nil, err
	}
	return f.readChunks(distinct(wanted))
}

// readChunks reads chunks of sources whose keys of chunks were read.
func (f *Found) readChunks(wanted []chunk) (map[chunk][]segment.Info, error) {
	requests := make([]request, len(wanted))
	for i, c := range wanted {
		low := f.chunks[c.source][c.number]
		requests[i] = request{of: f.parts[c.source], part: segment.PartDocuments, low: low, high: append(slices.Clone(low), 0)}
	}
	blocks, err := f.view.fetch(requests)
	if err != nil {
		return nil, err
	}
	chunks := make(map[chunk][]segment.Info, len(wanted))
	for i, c := range wanted {
		if len(blocks[i]) != 1 {
			return nil, ErrVanished
		}
		if chunks[c], err = segment.Documents(blocks[i][0]); err != nil {
			return nil, err
		}
	}
	return chunks, nil
}

// readChunkKeys reads the keys of all chunks of some sources, unless they were read.
func (f *Found) readChunkKeys(sources []int) error {
	sources = slices.DeleteFunc(slices.Clone(sources), func(s int) bool { return f.chunks[s] != nil })
	requests := make([]request, len(sources))
	for i, s := range sources {
		requests[i] = request{of: f.parts[s], part: segment.PartChunks, low: ordinalKey(0), high: ordinalKey(1)}
	}
	blocks, err := f.view.fetch(requests)
	if err != nil {
		return err
	}
	for i, s := range sources {
		if len(blocks[i]) != 1 {
			return ErrVanished
		}
		if f.chunks[s], err = segment.Chunks(blocks[i][0]); err != nil {
			return err
		}
	}
	return nil
}

// In leaves only the matches in some conversations.
func (f *Found) In(threads []scope.OwnedID) (err error) {
	f.Matches, err = f.Of(threads)
	return err
}

// Of returns the matches in some conversations, by source and document.
func (f *Found) Of(threads []scope.OwnedID) ([]segment.Match, error) {
	if len(f.Matches) == 0 || len(threads) == 0 {
		return nil, nil
	}
	spans, err := f.spans(threads)
	if err != nil {
		return nil, err
	}
	among := map[scope.OwnedID]bool{}
	for _, t := range threads {
		among[t] = true
	}
	var matches []segment.Match
	for source, of := range spans {
		for _, s := range of {
			matches = append(matches, f.between(source, s.from, s.to)...)
		}
	}
	for _, m := range f.between(len(f.parts), 0, math.MaxUint32) {
		if key := f.view.Noted[m.Document].Key; among[scope.OwnedID{ID: key.Thread, User: key.User}] {
			matches = append(matches, m)
		}
	}
	slices.SortFunc(matches, compareMatches)
	return matches, nil
}

// between returns the matches of a source with documents from one to before another.
func (f *Found) between(source int, from, to uint32) []segment.Match {
	low, _ := slices.BinarySearchFunc(f.Matches, segment.Match{Source: source, Document: from}, compareMatches)
	high, _ := slices.BinarySearchFunc(f.Matches, segment.Match{Source: source, Document: to}, compareMatches)
	return f.Matches[low:high]
}

// compareMatches orders matches by source and document.
func compareMatches(a, b segment.Match) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Document, b.Document))
}

// span is the ordinals of a conversation in a segment, those from from to before to.
type span struct{ from, to uint32 }

// spans returns the ordinals of conversations in the sources that have matches, by source. Each
// chunk of documents is read once, however many conversations it is looked at for.
func (f *Found) spans(threads []scope.OwnedID) (map[int][]span, error) {
	sources := f.packedSources()
	if err := f.readChunkKeys(sources); err != nil {
		return nil, err
	}
	var wanted []chunk
	for _, source := range sources {
		for _, t := range threads {
			for _, key := range edges(t) {
				if c, ok := f.chunkAt(source, key); ok {
					wanted = append(wanted, c)
				}
			}
		}
	}
	chunks, err := f.readChunks(distinct(wanted))
	if err != nil {
		return nil, err
	}
	spans := make(map[int][]span, len(sources))
	for _, source := range sources {
		ordinal := func(key []byte) uint32 {
			c, ok := f.chunkAt(source, key)
			if !ok {
				return 0
			}
			return ordinalIn(chunks[c], key)
		}
		for _, t := range threads {
			keys := edges(t)
			spans[source] = append(spans[source], span{ordinal(keys[0]), ordinal(keys[1])})
		}
	}
	return spans, nil
}

// packedSources are the sources with matches but that of the noted texts.
func (f *Found) packedSources() (all []int) {
	for i := range f.parts {
		if len(f.between(i, 0, math.MaxUint32)) > 0 {
			all = append(all, i)
		}
	}
	return all
}

// edges are the least key that a document of a conversation may have, and the least above all.
func edges(t scope.OwnedID) [2][]byte {
	low := segment.Key{User: t.User, Thread: t.ID}.Bytes()
	return [2][]byte{low, after(low[:32])}
}

// chunkAt returns the chunk that a key falls into: none if it is below all keys of the source.
func (f *Found) chunkAt(source int, key []byte) (c chunk, ok bool) {
	n, exact := slices.BinarySearchFunc(f.chunks[source], key, bytes.Compare)
	if !exact {
		n--
	}
	return chunk{source, uint32(n)}, n >= 0
}

// ordinalIn returns the ordinal of the first document of a chunk whose key is not below a key, or
// of the document after the chunk.
func ordinalIn(infos []segment.Info, key []byte) uint32 {
	n := sort.Search(len(infos), func(i int) bool { return bytes.Compare(infos[i].Key.Bytes(), key) >= 0 })
	return infos[0].Ordinal + uint32(n)
}

// distinct returns each chunk once.
func distinct(all []chunk) []chunk {
	slices.SortFunc(all, func(a, b chunk) int { return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.number, b.number)) })
	return slices.Compact(all)
}

func ordinalKey(ordinal uint32) []byte { return binary.BigEndian.AppendUint32(nil, ordinal) }
