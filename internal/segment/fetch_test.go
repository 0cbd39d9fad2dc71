package segment_test

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/segment"
)

// stored is a segment as a database keeps it: blocks in no order, and what is void.
type stored struct {
	header segment.Header
	blocks []segment.Block
	void   segment.Dead
}

func build(t require.TestingT, b *segment.Builder) stored {
	h, blocks, err := b.Build()
	require.NoError(t, err)
	return stored{header: h, blocks: blocks}
}

func (s stored) part(p segment.Part) (blocks []segment.Block) {
	for _, b := range s.blocks {
		if b.Part == p {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// fetch returns the block with the greatest key ≤ low and those up to before high.
func (s stored) fetch(p segment.Part, low, high []byte) []segment.Block {
	all := s.part(p)
	slices.SortFunc(all, func(a, b segment.Block) int { return bytes.Compare(a.Key, b.Key) })
	floor, end := 0, 0
	for i, b := range all {
		if bytes.Compare(b.Key, low) <= 0 {
			floor = i
		}
		if bytes.Compare(b.Key, high) < 0 {
			end = i + 1
		}
	}
	return all[floor:max(floor, end)]
}

// before is the number of documents below a key.
func (s stored) before(t require.TestingT, key []byte) (n uint32) {
	for _, b := range s.part(segment.PartDocuments) { // sorted, as Build returns them
		if bytes.Compare(b.Key, key) > 0 {
			break
		}
		var err error
		n, err = segment.Before(b, key)
		require.NoError(t, err)
	}
	return n
}

// search asks a segment for the documents whose keys begin with scope. narrow reads only those
// pieces of words that lie in the scope.
func (s stored) search(t require.TestingT, p *segment.Plan, scope []byte, narrow bool) *segment.Source {
	in := segment.Input{Documents: s.header.Documents, Void: s.void, To: uint32(s.header.Documents)}
	if len(scope) > 0 {
		in.From, in.To = s.before(t, scope), s.before(t, append(slices.Clone(scope), bytes.Repeat([]byte{0xff}, 50)...))
	}
	for _, r := range p.Ranges() {
		if narrow {
			r = r.In(in.From, in.To)
		}
		in.Terms = append(in.Terms, s.fetch(segment.PartTerms, r.Low, r.High))
		var places []segment.Block
		if r.Positions {
			places = s.fetch(segment.PartPlaces, r.Low, r.High)
		}
		in.Positions = append(in.Positions, places)
	}
	in.Lengths = s.fetch(segment.PartLengths, binary.BigEndian.AppendUint32(nil, in.From), binary.BigEndian.AppendUint32(nil, in.To))
	source, err := p.Segment(in)
	require.NoError(t, err)
	return source
}

// infos are all documents, in order.
func (s stored) infos(t require.TestingT) (all []segment.Info) {
	for _, b := range s.part(segment.PartDocuments) {
		infos, err := segment.Documents(b)
		require.NoError(t, err)
		all = append(all, infos...)
	}
	return all
}
