package vector_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/vector"
)

func TestDot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := dimensions().Draw(t, "n")
		small := rapid.SliceOfN(rapid.Float32Range(-1, 1), n, n)
		a, b := small.Draw(t, "a"), small.Draw(t, "b")
		want := 0.0
		for i := range a {
			want += float64(a[i]) * float64(b[i])
		}
		require.InDelta(t, want, float64(vector.Dot(a, b)), 1e-4)
	})
}

// around returns n vectors near each of some centers, center by center.
func around(centers [][]float32, n int) (all [][]float32) {
	random := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same each time
	for _, c := range centers {
		for range n {
			v := slices.Clone(c)
			for i := range v {
				v[i] += float32(random.NormFloat64() * 0.1)
			}
			all = append(all, v)
		}
	}
	return all
}

// axes are unit vectors far from one another.
func axes(n, dimensions int) (all [][]float32) {
	for i := range n {
		v := make([]float32, dimensions)
		for j := range v {
			v[j] = float32(math.Cos(float64((i + 1) * (2*j + 1))))
		}
		all = append(all, v)
	}
	return all
}

func TestListsFindTheNearest(t *testing.T) {
	const lists, dims = 60, 48
	centers := axes(lists, dims)
	l := vector.NewLists(axes(lists, dims))
	require.Equal(t, lists, l.Len())
	for i, v := range around(centers, 5) {
		assert.Equal(t, i/5, l.Nearest(v))
		rank := l.Rank(v)
		assert.Equal(t, i/5, rank[0])
		slices.Sort(rank)
		require.Len(t, slices.Compact(rank), lists, "each list once")
	}
	assert.InDelta(t, 1, vector.Norm(l.Centroid(3)), 1e-6)
	one := vector.NewLists([][]float32{{0, -2}})
	assert.Equal(t, 0, one.Nearest([]float32{0, 1}), "the only one, although it points elsewhere")
}

// Two rounds from bad beginnings find the centers of clusters, whatever the lengths of the vectors.
func TestMeans(t *testing.T) {
	const lists, dims, each = 12, 48, 30
	centers := axes(lists, dims)
	vectors := around(centers, each)
	first := make([][]float32, lists)
	for i := range first {
		first[i] = slices.Clone(vectors[i*each])
	}
	l := vector.NewLists(first)
	for range 2 {
		m := vector.NewMeans(l)
		for i, v := range vectors {
			longer := slices.Clone(v)
			for j := range longer {
				longer[j] *= float32(1 + i%7)
			}
			m.Add(longer)
		}
		require.Empty(t, m.Empty())
		l = m.Lists()
	}
	for i, c := range centers {
		assert.Greater(t, float64(vector.Dot(l.Centroid(i), c))/vector.Norm(c), 0.99, "center %d", i)
	}
}

func TestMeansOfNothing(t *testing.T) {
	l := vector.NewLists([][]float32{{1, 0}, {0, 1}, {-1, 0}})
	m := vector.NewMeans(l)
	m.Add([]float32{3, 0.1})
	require.Equal(t, []int{1, 2}, m.Empty())
	m.Replace(2, []float32{0, -5})
	require.Equal(t, []int{1}, m.Empty())
	next := m.Lists()
	assert.Equal(t, []float32{0, 1}, next.Centroid(1), "it keeps its centroid")
	assert.Equal(t, []float32{0, -1}, next.Centroid(2))
}
