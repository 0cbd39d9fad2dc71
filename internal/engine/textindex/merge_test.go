package textindex

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/segment"
)

// segmentsOf are segments of so many documents.
func segmentsOf(documents ...int) (parts []*Part) {
	for i, n := range documents {
		parts = append(parts, &Part{Header: segment.Header{Documents: n, Bytes: int64(n) * 100}, id: int64(i)})
	}
	return parts
}

// TestAppendsMergeLittle: what an append merges is bounded, whatever there is; the rest waits for
// somebody who searches. What is alone in the way of a tier does not stop the others.
func TestAppendsMergeLittle(t *testing.T) {
	t.Parallel()
	half := segmentsOf(10_000)
	half[0].Void = half[0].Void.With(ordinals(5001))
	few := segmentsOf(300)
	few[0].Void = few[0].Void.With(ordinals(151))
	for _, c := range []struct {
		name        string
		parts       []*Part
		gently, all int
	}{
		{"none", nil, 0, 0},
		{"seven of the least", segmentsOf(256, 256, 256, 256, 256, 256, 256), 0, 0},
		{"eight of the least", segmentsOf(256, 256, 256, 256, 256, 256, 256, 256), 8, 8},
		{"eight of twice the size", segmentsOf(512, 512, 512, 512, 512, 512, 512, 512), 4, 8},
		{"eight of the next tier", segmentsOf(2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048), 0, 8},
		{"eight of the next tier that are larger", segmentsOf(4000, 4000, 4000, 4000, 4000, 4000, 4000, 4000), 0, 4},
		{"the largest", segmentsOf(16_384, 16_384, 16_384, 16_384, 16_384, 16_384, 16_384, 16_384), 0, 0},
		{"half void", half, 0, 1},
		{"half void, of few", few, 1, 1},
		{"less than half void", segmentsOf(300), 0, 0},
	} {
		require.Len(t, mergeable(c.parts, gentleSize), c.gently, c.name)
		require.Len(t, mergeable(c.parts, largeSize), c.all, c.name)
	}
}

func ordinals(n int) (all []uint32) {
	for i := range n {
		all = append(all, uint32(i))
	}
	return all
}
