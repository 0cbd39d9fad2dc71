// Package vector compares embeddings: exactly by their cosine, and approximately by a code with
// one bit for each dimension. It also has the form in which SQLite keeps both.
package vector

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// CodeBytes returns the length in bytes of the code of a vector.
func CodeBytes(dimensions int) int { return (dimensions + 7) / 8 }

// Dimensions returns the number of dimensions of the vector that Encode made b from. It returns
// false if b cannot come from Encode.
func Dimensions(b []byte) (int, bool) {
	// n dimensions are 4n bytes and n bits: 33 n bits, rounded up.
	n := len(b) * 8 / 33
	return n, n > 0 && 4*n+CodeBytes(n) == len(b)
}

// Encode returns the form in which SQLite keeps a vector: its float32 numbers in little-endian
// order, then its code. Bit i%8 of the code's byte i/8 is set where v[i] is above zero.
func Encode(v []float32) []byte {
	b := make([]byte, 4*len(v)+CodeBytes(len(v)))
	code := b[4*len(v):]
	for i, f := range v {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(f))
		if f > 0 {
			code[i/8] |= 1 << (i % 8)
		}
	}
	return b
}

// Decode returns the vector of so many dimensions that Encode made b from.
func Decode(b []byte, dimensions int) []float32 {
	v := make([]float32, dimensions)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

// Code returns the code of a vector as 64-bit words.
func Code(v []float32) []uint64 {
	return Words(Encode(v)[4*len(v):])
}

// Words returns a code as 64-bit words, the last one padded with zeros, so that one instruction
// compares 64 dimensions.
func Words(code []byte) []uint64 {
	return AppendWords(make([]uint64, 0, (len(code)+7)/8), code)
}

// AppendWords appends the words of a code, as Words returns them.
func AppendWords(words []uint64, code []byte) []uint64 {
	for len(code) >= 8 {
		words = append(words, binary.LittleEndian.Uint64(code))
		code = code[8:]
	}
	if len(code) > 0 {
		var last [8]byte
		copy(last[:], code)
		words = append(words, binary.LittleEndian.Uint64(last[:]))
	}
	return words
}

// Hamming returns in how many bits two codes of the same length differ. The share of differing
// bits grows with the angle between the vectors (Charikar, STOC 2002, for random hyperplanes;
// here the hyperplanes are those of the axes).
func Hamming(a, b []uint64) int {
	n := 0
	for i, w := range a {
		n += bits.OnesCount64(w ^ b[i])
	}
	return n
}

// HammingBytes is Hamming for a code in words and one in bytes.
func HammingBytes(a []uint64, b []byte) int {
	n, i := 0, 0
	for ; len(b) >= 8; i++ {
		n += bits.OnesCount64(a[i] ^ binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[:], b)
		n += bits.OnesCount64(a[i] ^ binary.LittleEndian.Uint64(last[:]))
	}
	return n
}

// Norm returns the Euclidean norm of a vector.
func Norm(v []float32) float64 {
	sum := 0.0
	for _, f := range v {
		sum += float64(f) * float64(f)
	}
	return math.Sqrt(sum)
}

// CosineBytes returns the cosine of the angle between a, whose Norm is given, and the
// vector that Encode made b from. It keeps four sums, so that the processor does not wait
// for each addition.
func CosineBytes(a []float32, norm float64, b []byte) float64 {
	var d0, d1, d2, d3, n0, n1, n2, n3 float64
	at := func(i int) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))) }
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x0, x1, x2, x3 := at(i), at(i+1), at(i+2), at(i+3)
		d0, n0 = d0+float64(a[i])*x0, n0+x0*x0
		d1, n1 = d1+float64(a[i+1])*x1, n1+x1*x1
		d2, n2 = d2+float64(a[i+2])*x2, n2+x2*x2
		d3, n3 = d3+float64(a[i+3])*x3, n3+x3*x3
	}
	for ; i < len(a); i++ {
		x := at(i)
		d0, n0 = d0+float64(a[i])*x, n0+x*x
	}
	cos := (d0 + d1 + d2 + d3) / (norm * math.Sqrt(n0+n1+n2+n3))
	return min(1, max(-1, cos))
}
