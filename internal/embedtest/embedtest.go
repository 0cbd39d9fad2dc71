// Package embedtest makes embeddings for tests, benchmarks and examples.
//
// It is no language model: it finds texts that share words and parts of words, and knows
// nothing of what they mean.
package embedtest

import (
	"context"
	"errors"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode"
)

// Embedder hashes the words of a text and the three-letter parts of each (feature
// hashing: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML
// 2009), and gives each feature not one dimension but a sign in every one (random
// projection: Achlioptas, Database-friendly random projections, 2003): the vectors are
// dense, as those of a model are, and indexes treat them alike. It keeps no state, so any
// number of goroutines may use it.
type Embedder struct{ dimensions int }

// New returns an embedder of vectors of some length, which must be above zero.
func New(dimensions int) *Embedder { return &Embedder{dimensions} }

// Model names the embedder and its one setting.
func (e *Embedder) Model() string { return "hashed-ngrams-" + strconv.Itoa(e.dimensions) }

// Embed returns a vector of length 1 for each text, in their order. A text without a
// character is refused: it has no direction.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if text == "" {
			return nil, errors.New("embedtest: an empty text has no direction")
		}
		vectors[i] = e.Vector(text)
	}
	return vectors, nil
}

// Vector embeds one text; the empty one gives the zero vector.
func (e *Embedder) Vector(text string) []float32 {
	v := make([]float32, e.dimensions)
	for _, f := range features(text) {
		// The tenth time of a word says less than the first.
		project(v, f.text, float32(math.Sqrt(float64(f.count))))
	}
	if !normalize(v) && text != "" {
		// Nothing but signs, or features that cancel each other out.
		project(v, "t:"+text, 1)
		normalize(v)
	}
	return v
}

// feature is a part of a text and how often it is there.
type feature struct {
	text  string
	count int
}

// features lists words and their parts, in their order, since the sum of floats depends
// on it; a word's edges are part of its parts.
func features(text string) []*feature {
	var list []*feature
	known := map[string]*feature{}
	add := func(text string) {
		if f, ok := known[text]; ok {
			f.count++
			return
		}
		f := &feature{text, 1}
		known[text], list = f, append(list, f)
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r)
	})
	for _, word := range words {
		add("w:" + word)
		edged := []rune("<" + word + ">")
		for i := range len(edged) - 2 {
			add("g:" + string(edged[i:i+3]))
		}
	}
	return list
}

// project adds a weight to each dimension or takes it away, by the bits of a generator
// that the feature seeds.
func project(v []float32, feature string, weight float32) {
	h := fnv.New64a()
	h.Write([]byte(feature))
	random := rand.NewPCG(h.Sum64(), 0)
	var bits uint64
	plus := math.Float32bits(weight)
	for i := range v {
		if i%64 == 0 {
			bits = random.Uint64()
		}
		// The sign is the highest bit of a float; a branch would be guessed wrong half the time.
		v[i] += math.Float32frombits(plus ^ uint32(^bits&1)<<31)
		bits >>= 1
	}
}

// normalize makes the length 1 and tells whether there was one.
func normalize(v []float32) bool {
	square := 0.0
	for _, f := range v {
		square += float64(f) * float64(f)
	}
	if square == 0 {
		return false
	}
	length := float32(math.Sqrt(square))
	for i := range v {
		v[i] /= length
	}
	return true
}
