package vector_test

import (
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/vector"
)

// numbers are those of an embedding, with a few that rounding and signs stumble over.
func numbers() *rapid.Generator[float32] {
	return rapid.OneOf(
		rapid.Float32Range(-1, 1),
		rapid.Float32Range(-1e18, 1e18),
		rapid.SampledFrom([]float32{0, float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, -1e-30}),
	)
}

func vectorOf(t *rapid.T, name string, dimensions int) []float32 {
	return rapid.SliceOfN(numbers(), dimensions, dimensions).Draw(t, name)
}

func dimensions() *rapid.Generator[int] {
	return rapid.OneOf(rapid.IntRange(1, 70), rapid.SampledFrom([]int{255, 256, 257}))
}

func TestRoundTrip(t *testing.T) {
	lengths := []int{256, 1535, 1536, 1537, 3072, 4000}
	for n := 1; n <= 70; n++ {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i%3-1) * float32(i+1) / 7
		}
		b := vector.Encode(v)
		require.Len(t, b, 4*n+vector.CodeBytes(n))
		got, ok := vector.Dimensions(b)
		require.True(t, ok, n)
		require.Equal(t, n, got)
		require.Equal(t, v, vector.Decode(b, n))
		require.Equal(t, vector.Words(b[4*n:]), vector.Code(v))
		requireSigns(t, v, b[4*n:])
	}
}

func requireSigns(t require.TestingT, v []float32, code []byte) {
	for i := range 8 * len(code) {
		require.Equal(t, i < len(v) && v[i] > 0, code[i/8]>>(i%8)&1 == 1, "bit %d", i)
	}
}

// Lengths that no vector has are those between the ones that vectors do have.
func TestDimensionsOfEachLength(t *testing.T) {
	lengths := map[int]int{}
	for n := 1; n <= 4000; n++ {
		lengths[4*n+(n+7)/8] = n
	}
	for size := range 4*4000 + 500 + 1 {
		n, ok := vector.Dimensions(make([]byte, size))
		want, made := lengths[size]
		require.Equal(t, made, ok, size)
		if made {
			require.Equal(t, want, n)
		}
	}
}

func TestEncodeKeepsEveryBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := vectorOf(t, "v", dimensions().Draw(t, "n"))
		b := vector.Encode(v)
		for i, f := range vector.Decode(b, len(v)) {
			require.Equal(t, math.Float32bits(v[i]), math.Float32bits(f))
		}
		requireSigns(t, v, b[4*len(v):])
	})
}

func naiveHamming(a, b []byte) int {
	n := 0
	for i := range a {
		n += bits.OnesCount8(a[i] ^ b[i])
	}
	return n
}

func TestHamming(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "bytes")
		code := rapid.SliceOfN(rapid.Byte(), n, n)
		a, b := code.Draw(t, "a"), code.Draw(t, "b")
		words := vector.Words(a)
		require.Len(t, words, (n+7)/8)
		want := naiveHamming(a, b)
		require.Equal(t, want, vector.Hamming(words, vector.Words(b)))
		require.Equal(t, want, vector.HammingBytes(words, b))
		require.Zero(t, vector.HammingBytes(words, a))
	})
}

func naiveCosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	return dot / (math.Sqrt(aa) * math.Sqrt(bb))
}

func TestCosine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := dimensions().Draw(t, "n")
		a, b := vectorOf(t, "a", n), vectorOf(t, "b", n)
		if vector.Norm(a) == 0 || vector.Norm(b) == 0 {
			t.Skip("no direction")
		}
		got := vector.CosineBytes(a, vector.Norm(a), vector.Encode(b))
		require.InDelta(t, naiveCosine(a, b), got, 1e-12)
		require.LessOrEqual(t, math.Abs(got), 1.0)
		require.InDelta(t, 1, vector.CosineBytes(b, vector.Norm(b), vector.Encode(b)), 1e-12)
	})
}

func TestCosineOfKnownAngles(t *testing.T) {
	for _, c := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{1, 0}, []float32{0, 3}, 0},
		{[]float32{2}, []float32{-0.1}, -1},
		{[]float32{1, 1, 1, 1, 1}, []float32{2, 2, 2, 2, 2}, 1},
		{[]float32{1, 0, 0}, []float32{1, 1, 0}, math.Sqrt2 / 2},
	} {
		require.InDelta(t, c.want, vector.CosineBytes(c.a, vector.Norm(c.a), vector.Encode(c.b)), 1e-15)
	}
	require.InDelta(t, 5, vector.Norm([]float32{3, -4}), 0)
	require.Zero(t, vector.Norm(nil))
}
