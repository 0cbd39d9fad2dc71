package segment_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/segment"
)

// The same documents in any order, packed at once or by merging, with dead ones beside, give the
// same bytes.
func TestBuildIsDeterministic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var documents []segment.Document
		for i := range rapid.IntRange(0, 300).Draw(t, "documents") {
			d := content(i, fmt.Sprint("word", i%7, " and again word", i%11))
			if i%5 == 0 {
				d.Texts = append(d.Texts, segment.Text{Field: segment.Metadata, Value: "v"})
			}
			documents = append(documents, d)
		}
		tiny := rapid.Bool().Draw(t, "tiny")
		builder := func() *segment.Builder {
			b := &segment.Builder{}
			if tiny {
				b.Tiny()
			}
			return b
		}
		whole := builder()
		for _, d := range documents {
			whole.Add(d)
		}
		header, blocks, err := whole.Build()
		require.NoError(t, err)
		shuffled := rapid.Permutation(documents).Draw(t, "order")
		merged, at := builder(), 0
		for at < len(shuffled) {
			n := min(len(shuffled)-at, rapid.IntRange(1, 200).Draw(t, "size"))
			var part segment.Builder
			dead := content(9000+at, "dead dead")
			part.Add(dead)
			for _, d := range shuffled[at : at+n] {
				part.Add(d)
			}
			s := build(t, &part)
			for _, info := range s.infos(t) {
				if info.Key == dead.Key {
					s.void = s.void.With([]uint32{info.Ordinal})
				}
			}
			slices.Reverse(s.blocks)
			require.NoError(t, merged.Absorb(s.blocks, s.void))
			at += n
		}
		require.Equal(t, len(documents), merged.Len())
		again, same, err := merged.Build()
		require.NoError(t, err)
		require.Equal(t, header, again)
		require.Equal(t, blocks, same)
	})
}

func TestBuildOfNothing(t *testing.T) {
	t.Parallel()
	var b segment.Builder
	header, blocks, err := b.Build()
	require.NoError(t, err)
	assert.Equal(t, segment.Header{}, header)
	assert.Empty(t, blocks)
	require.NoError(t, b.Absorb(nil, segment.Dead{}))
	b.Add(content(0, "a"))
	one := build(t, &b)
	var empty segment.Builder
	require.NoError(t, empty.Absorb(one.blocks, segment.Dead{}.With([]uint32{0})))
	_, blocks, err = empty.Build()
	require.NoError(t, err)
	assert.Empty(t, blocks, "a merge of dead documents leaves nothing")
}

func TestBuildRefusesADocumentTwice(t *testing.T) {
	t.Parallel()
	var b segment.Builder
	b.Add(content(1, "a"))
	s := build(t, &b)
	b.Add(content(1, "b"))
	_, _, err := b.Build()
	require.ErrorIs(t, err, segment.ErrDuplicate)
	var c segment.Builder
	require.NoError(t, c.Absorb(s.blocks, segment.Dead{}))
	require.NoError(t, c.Absorb(s.blocks, segment.Dead{}))
	_, _, err = c.Build()
	require.ErrorIs(t, err, segment.ErrDuplicate)
}

func TestDocumentsAndChunks(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 127, 128, 129, 256, 10_000} {
		var b segment.Builder
		for i := range n {
			d := content(i, "a b")
			d.At = []int64{math.MinInt64, math.MaxInt64, 0, int64(i)}[i%4]
			b.Add(d)
		}
		s := build(t, &b)
		infos := s.infos(t)
		require.Len(t, infos, n)
		chunks, err := segment.Chunks(s.part(segment.PartChunks)[0])
		require.NoError(t, err)
		require.Len(t, chunks, (n+segment.ChunkDocuments-1)/segment.ChunkDocuments)
		for i, info := range infos {
			require.EqualValues(t, i, info.Ordinal)
			require.Equal(t, 2, info.Length)
			require.True(t, i == 0 || infos[i-1].Key.Compare(info.Key) < 0)
			require.LessOrEqual(t, bytes.Compare(chunks[i/segment.ChunkDocuments], info.Key.Bytes()), 0)
		}
		for i, block := range s.part(segment.PartDocuments) {
			require.Equal(t, chunks[i], block.Key)
			first, err := segment.Before(block, block.Key)
			require.NoError(t, err)
			require.EqualValues(t, i*segment.ChunkDocuments, first)
			end, err := segment.Before(block, bytes.Repeat([]byte{0xff}, 50))
			require.NoError(t, err)
			require.EqualValues(t, min(n, (i+1)*segment.ChunkDocuments), end)
		}
		size := int64(0)
		for _, b := range s.blocks {
			size += int64(len(b.Key) + len(b.Data))
		}
		require.Equal(t, size, s.header.Bytes)
		require.EqualValues(t, 2*n, s.header.Length)
		require.Equal(t, n, s.header.Documents)
		require.EqualValues(t, math.MinInt64, s.header.Since)
		if n > 1 {
			require.EqualValues(t, math.MaxInt64, s.header.Until)
		}
	}
}

// Keys of blocks are unique within a part, and Build returns them sorted.
func TestBlocksAreSorted(t *testing.T) {
	t.Parallel()
	var b segment.Builder
	b.Tiny()
	for i := range 500 {
		b.Add(content(i, fmt.Sprint("the word", i, " the end ", i%3)))
	}
	blocks := build(t, &b).blocks
	pieces := 0
	for i, block := range blocks[1:] {
		last := blocks[i]
		require.True(t, last.Part < block.Part || last.Part == block.Part && bytes.Compare(last.Key, block.Key) < 0, "block %d", i+1)
		if block.Part == segment.PartPlaces {
			pieces++
		}
	}
	require.Greater(t, pieces, 100)
}

func TestKey(t *testing.T) {
	t.Parallel()
	draw := rapid.Custom(func(t *rapid.T) segment.Key {
		id := func() uuid.UUID { return uuid.UUID(rapid.SliceOfN(rapid.ByteRange(0, 2), 16, 16).Draw(t, "id")) }
		return segment.Key{User: id(), Thread: id(), Kind: segment.Kind(rapid.ByteRange(0, 1).Draw(t, "kind")), ID: id()}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		b.User = rapid.SampledFrom([]uuid.UUID{a.User, b.User}).Draw(t, "user")
		b.Thread = rapid.SampledFrom([]uuid.UUID{a.Thread, b.Thread}).Draw(t, "thread")
		require.Equal(t, bytes.Compare(a.Bytes(), b.Bytes()), a.Compare(b))
		back, err := segment.KeyOf(a.Bytes())
		require.NoError(t, err)
		require.Equal(t, a, back)
	})
	var corrupt *segment.CorruptError
	for _, b := range [][]byte{nil, make([]byte, 48), make([]byte, 50), append(make([]byte, 32), bytes.Repeat([]byte{2}, 17)...)} {
		_, err := segment.KeyOf(b)
		require.ErrorAs(t, err, &corrupt)
	}
}

func TestDead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ordinal := rapid.OneOf(rapid.Uint32Range(0, 300), rapid.Uint32Range(0, 1<<30))
		a, b := rapid.SliceOf(ordinal).Draw(t, "a"), rapid.SliceOf(ordinal).Draw(t, "b")
		one := segment.Dead{}.With(a)
		two := one.With(b)
		require.Equal(t, two, segment.Dead{}.With(b).With(a))
		back, err := segment.ParseDead(two.Bytes())
		require.NoError(t, err)
		require.Equal(t, two.Bytes(), back.Bytes())
		require.Equal(t, two.Len(), back.Len())
		for range 20 {
			o := ordinal.Draw(t, "ordinal")
			require.Equal(t, slices.Contains(a, o), one.Has(o))
			require.Equal(t, slices.Contains(a, o) || slices.Contains(b, o), back.Has(o))
		}
	})
	assert.Empty(t, segment.Dead{}.Bytes())
}
