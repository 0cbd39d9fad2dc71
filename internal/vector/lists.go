package vector

import (
	"cmp"
	"math"
	"slices"
)

// Lists divides vectors among lists: a vector belongs to the list whose centroid is nearest to
// it by the angle. It does not change, so that goroutines may share it.
type Lists struct {
	// centroids have length one.
	centroids [][]float32
	// codes has the codes of the centroids, one after the other, each of so many words.
	codes []uint64
	words int
}

const (
	// leastCompared and comparedShare say how many centroids Nearest compares exactly: those
	// whose codes are nearest to that of the vector. Where vectors lie in clusters, two are
	// enough; a part of the lists is for models whose vectors all point the same way, so that
	// their codes differ little.
	leastCompared, comparedShare = 24, 24
)

// NewLists returns the lists of these centroids, of which there must be at least one. It makes
// their length one and keeps them.
func NewLists(centroids [][]float32) *Lists {
	l := &Lists{centroids: centroids}
	for _, c := range centroids {
		normalize(c)
		l.codes = append(l.codes, Code(c)...)
	}
	l.words = len(l.codes) / len(centroids)
	return l
}

// Len is the number of lists.
func (l *Lists) Len() int { return len(l.centroids) }

// Centroid returns the centroid of a list, which nobody may change.
func (l *Lists) Centroid(list int) []float32 { return l.centroids[list] }

// Nearest returns the list of a vector. It compares the codes first, and then only the nearest
// of them exactly, so that now and then it returns the second nearest list.
func (l *Lists) Nearest(v []float32) int {
	code := Code(v)
	distances := make([]uint16, l.Len())
	counts := make([]int, 64*l.words+1)
	for i := range distances {
		d := Hamming(code, l.codes[i*l.words:][:l.words])
		distances[i] = uint16(d) //nolint:gosec // at most the number of dimensions
		counts[d]++
	}
	most, enough := 0, max(leastCompared, l.Len()/comparedShare)
	for n := counts[0]; n < min(enough, l.Len()); n += counts[most] {
		most++
	}
	nearest, best := 0, float32(math.Inf(-1))
	for i, d := range distances {
		if int(d) > most {
			continue
		}
		if dot := Dot(v, l.centroids[i]); dot > best {
			nearest, best = i, dot
		}
	}
	return nearest
}

// Rank returns all lists, that of the nearest centroid first.
func (l *Lists) Rank(v []float32) []int {
	type near struct {
		list int
		dot  float32
	}
	all := make([]near, l.Len())
	for i, c := range l.centroids {
		all[i] = near{i, Dot(v, c)}
	}
	slices.SortFunc(all, func(a, b near) int { return cmp.Or(cmp.Compare(b.dot, a.dot), cmp.Compare(a.list, b.list)) })
	lists := make([]int, len(all))
	for i, n := range all {
		lists[i] = n.list
	}
	return lists
}

// Means makes better lists from lists: each centroid becomes the mean of the vectors nearest to
// it, which is a step of k-means by the angle. Its memory is that of the centroids, however many
// vectors are added.
type Means struct {
	lists  *Lists
	sums   [][]float32
	counts []int
	// unit is the vector that is being added, with the length one.
	unit []float32
}

// NewMeans returns means without any vectors.
func NewMeans(l *Lists) *Means {
	m := &Means{lists: l, sums: make([][]float32, l.Len()), counts: make([]int, l.Len()), unit: make([]float32, len(l.centroids[0]))}
	for i := range m.sums {
		m.sums[i] = make([]float32, len(m.unit))
	}
	return m
}

// Add adds a vector to the mean of its list.
func (m *Means) Add(v []float32) {
	copy(m.unit, v)
	normalize(m.unit)
	list := m.lists.Nearest(m.unit)
	sum := m.sums[list]
	for i, f := range m.unit {
		sum[i] += f
	}
	m.counts[list]++
}

// Lists returns the lists of the means. A list without a vector keeps its centroid, and so does
// one whose vectors have no mean direction. The means must not be used afterwards.
func (m *Means) Lists() *Lists {
	for i, sum := range m.sums {
		if m.counts[i] == 0 || Norm(sum) == 0 {
			m.sums[i] = m.lists.centroids[i]
		}
	}
	return NewLists(m.sums)
}

// Empty returns the lists that got no vector.
func (m *Means) Empty() (lists []int) {
	for i, n := range m.counts {
		if n == 0 {
			lists = append(lists, i)
		}
	}
	return lists
}

// Replace sets the sum of a list, as if it had got this vector alone.
func (m *Means) Replace(list int, v []float32) {
	copy(m.sums[list], v)
	m.counts[list] = 1
}

// normalize makes the length of a vector one. A vector of zeros stays.
func normalize(v []float32) {
	norm := Norm(v)
	if norm == 0 {
		return
	}
	for i, f := range v {
		v[i] = float32(float64(f) / norm)
	}
}

// Dot returns the scalar product of two vectors of the same length. It keeps eight sums, so that
// the processor does not wait for each addition.
func Dot(a, b []float32) float32 {
	var s [8]float32
	b = b[:len(a)]
	for ; len(a) >= 8; a, b = a[8:], b[8:] {
		x, y := a[:8:8], b[:8:8]
		s[0] += x[0] * y[0]
		s[1] += x[1] * y[1]
		s[2] += x[2] * y[2]
		s[3] += x[3] * y[3]
		s[4] += x[4] * y[4]
		s[5] += x[5] * y[5]
		s[6] += x[6] * y[6]
		s[7] += x[7] * y[7]
	}
	sum := (s[0] + s[1]) + (s[2] + s[3]) + (s[4] + s[5]) + (s[6] + s[7])
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
