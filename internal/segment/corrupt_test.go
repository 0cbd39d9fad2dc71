package segment_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

func someSegment(t testing.TB) stored {
	var b segment.Builder
	b.Tiny()
	for i := range 300 {
		b.Add(content(i, fmt.Sprint("the quick brown fox", i%5, " jumps over the lazy dog")))
	}
	return build(t, &b)
}

// input is everything of a segment, for all of its documents.
func (s stored) input(p *segment.Plan) segment.Input {
	in := segment.Input{Documents: s.header.Documents, To: uint32(s.header.Documents), Void: s.void, Lengths: s.part(segment.PartLengths)}
	for range p.Ranges() {
		in.Terms = append(in.Terms, s.part(segment.PartTerms))
		in.Positions = append(in.Positions, s.part(segment.PartPlaces))
	}
	return in
}

var anyPlan = segment.NewPlan(words.Parse(`the-qui* fox* -"lazy cat" the OR over`), []segment.Field{segment.Content})

// Bytes that no Builder wrote get a *CorruptError or are read as something else, but never panic.
func FuzzParseBlock(f *testing.F) {
	s := someSegment(f)
	for i := 0; i < len(s.blocks); i += 7 {
		b := s.blocks[i]
		f.Add(byte(b.Part), i, b.Key, b.Data)
	}
	last := s.blocks[len(s.blocks)-1]
	f.Add(byte(last.Part), len(s.blocks)-1, last.Key, last.Data)
	f.Add(byte(segment.PartTerms), 0, []byte("\x00the\x00\x00\x00\x00\x00"), bytes.Repeat([]byte{0xff}, 20))
	f.Fuzz(func(t *testing.T, part byte, i int, key, data []byte) {
		ok := func(err error) {
			var corrupt *segment.CorruptError
			require.True(t, err == nil || errors.As(err, &corrupt), "%v", err)
		}
		b := segment.Block{Part: segment.Part(part), Key: key, Data: data}
		infos, err := segment.Documents(b)
		ok(err)
		require.LessOrEqual(t, len(infos), segment.ChunkDocuments)
		_, err = segment.Chunks(b)
		ok(err)
		_, err = segment.Before(b, key)
		ok(err)
		dead, err := segment.ParseDead(data)
		ok(err)
		require.LessOrEqual(t, dead.Len(), len(data))
		c := s
		c.blocks = slices.Clone(s.blocks)
		c.void = dead
		c.blocks[uint(i)%uint(len(c.blocks))] = b
		source, err := anyPlan.Segment(c.input(anyPlan))
		ok(err)
		if err == nil {
			anyPlan.Rank([]*segment.Source{source})
		}
		var merged segment.Builder
		if err := merged.Absorb(c.blocks, dead); err != nil {
			ok(err)
			_, _, again := merged.Build()
			require.Equal(t, err, again)
			return
		}
		_, _, err = merged.Build()
		require.NoError(t, err)
	})
}

func TestBlocksThatAreMissing(t *testing.T) {
	t.Parallel()
	s := someSegment(t)
	var corrupt *segment.CorruptError
	for name, change := range map[string]func(in *segment.Input){
		"no lengths":            func(in *segment.Input) { in.Lengths = nil },
		"no places":             func(in *segment.Input) { in.Positions = nil },
		"no ranges":             func(in *segment.Input) { in.Terms = nil },
		"scope backwards":       func(in *segment.Input) { in.From, in.To = 5, 4 },
		"scope above documents": func(in *segment.Input) { in.To++ },
		"too many documents":    func(in *segment.Input) { in.Documents, in.To = 1<<40, 1<<31 },
		"lengths cut": func(in *segment.Input) {
			in.Lengths[0].Data = in.Lengths[0].Data[:100]
		},
	} {
		in := s.input(anyPlan)
		change(&in)
		_, err := anyPlan.Segment(in)
		require.ErrorAs(t, err, &corrupt, name)
	}
	for p := range segment.PartChunks {
		var b segment.Builder
		without := slices.DeleteFunc(slices.Clone(s.blocks), func(b segment.Block) bool { return b.Part == p })
		err := b.Absorb(without, segment.Dead{})
		assert.Equal(t, p == segment.PartDocuments || p == segment.PartPlaces, err != nil, "part %d: %v", p, err)
	}
}

// Every block cut short, and with a byte more, is noticed or harmless.
func TestBlocksCutShort(t *testing.T) {
	t.Parallel()
	s := someSegment(t)
	for i, b := range s.blocks {
		if b.Part == segment.PartChunks || b.Part == segment.PartLengths || b.Part == segment.PartTerms && i%7 > 0 || b.Part == segment.PartPlaces && i%29 > 0 {
			continue
		}
		for _, data := range [][]byte{b.Data[:len(b.Data)-1], append(slices.Clone(b.Data), 0x80)} {
			c := slices.Clone(s.blocks)
			c[i].Data = data
			var m segment.Builder
			var corrupt *segment.CorruptError
			require.ErrorAs(t, m.Absorb(c, segment.Dead{}), &corrupt, "block %d of part %d", i, b.Part)
		}
	}
}

// What a few bytes claim to have costs no memory before it is there.
func TestCorruptBlocksTakeLittleMemory(t *testing.T) {
	const size = 64 << 10
	var patterns [][]byte
	for _, unit := range [][]byte{{0}, {1}, {2}, {0x7f}, {0x80}, {0xff}, {48, 0xff}, {0, 1, 'a', 1, 0, 0}, {0xff, 0xff, 0xff, 0xff, 0x0f}} {
		patterns = append(patterns, bytes.Repeat(unit, size/len(unit)), unit)
	}
	chunks := []byte{0}
	chunks = append(chunks, make([]byte, 49)...)
	for i := 1; i < 255; i++ {
		chunks = append(chunks, 48, byte(i))
	}
	patterns = append(patterns, chunks)
	p := segment.NewPlan(words.Parse(`a a* a-b*`), []segment.Field{segment.Content})
	for i, data := range patterns {
		piece := segment.Block{Part: segment.PartTerms, Key: []byte("\x00a\x00\x00\x00\x00\x00"), Data: data}
		places := segment.Block{Part: segment.PartPlaces, Key: piece.Key, Data: data}
		several := segment.Block{Part: segment.PartTerms, Key: []byte("\x00a"), Data: data}
		in := segment.Input{Documents: 1 << 29, To: 1 << 29, Lengths: []segment.Block{{Part: segment.PartLengths, Key: make([]byte, 4), Data: data}}}
		for range p.Ranges() {
			in.Terms = append(in.Terms, []segment.Block{several, piece})
			in.Positions = append(in.Positions, []segment.Block{places})
		}
		small := in
		small.Documents, small.To = 500, 500
		small.Lengths = []segment.Block{{Part: segment.PartLengths, Key: make([]byte, 4), Data: make([]byte, 500)}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = segment.Documents(segment.Block{Key: make([]byte, 49), Data: data})
		_, _ = segment.Chunks(segment.Block{Data: data})
		_, _ = segment.ParseDead(data)
		_, _ = p.Segment(in)
		_, _ = p.Segment(small)
		var b segment.Builder
		_ = b.Absorb([]segment.Block{{Part: segment.PartDocuments, Key: make([]byte, 49), Data: data}, several, piece, places}, segment.Dead{})
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100*len(data)+100<<10), "pattern %d", i)
	}
}
