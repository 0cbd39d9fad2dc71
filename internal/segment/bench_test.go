package segment_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

// prose returns texts of about 26 words. As in a language, the word of rank r is 1/r times as
// frequent as the first; w11 is in every fifth text.
func prose(random *rand.Rand, n int) []segment.Document {
	id := func(most uint64) (id uuid.UUID) {
		for i, v := 15, random.Uint64N(most); v > 0; i, v = i-1, v>>8 {
			id[i] = byte(v)
		}
		return id
	}
	documents := make([]segment.Document, n)
	for i := range documents {
		var text strings.Builder
		for range 10 + random.IntN(33) {
			text.WriteString("w" + strconv.Itoa(int(math.Exp(random.Float64()*math.Log(60_000)))) + " ")
		}
		documents[i] = content(i, text.String())
		documents[i].Key = segment.Key{User: id(500), Thread: id(20), Kind: segment.Message, ID: id(math.MaxUint64)}
		documents[i].At = 1_700_000_000_000_000 + int64(random.Uint64N(1e13))
	}
	return documents
}

func pack(t require.TestingT, documents []segment.Document) stored {
	var b segment.Builder
	for _, d := range documents {
		b.Add(d)
	}
	return build(t, &b)
}

// large is 13 segments of 16,384 documents, eight of 2,048 and 256 texts.
var large = sync.OnceValue(func() (l struct {
	segments []stored
	small    []stored
	texts    []segment.Document
},
) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 13 {
		l.segments = append(l.segments, pack(failing{}, prose(random, 16_384)))
	}
	for range 8 {
		l.small = append(l.small, pack(failing{}, prose(random, 2048)))
	}
	l.texts = prose(random, 256)
	return l
})

type failing struct{}

func (failing) Errorf(string, ...any) {}
func (failing) FailNow()              { panic("setup") }

func BenchmarkBuild(b *testing.B) {
	documents, bytes, size := large().texts, 0, int64(0)
	for _, d := range documents {
		bytes += len(d.Texts[0].Value)
	}
	b.ReportAllocs()
	for b.Loop() {
		size = pack(b, documents).header.Bytes
	}
	b.SetBytes(int64(bytes))
	b.ReportMetric(float64(size)/float64(len(documents)), "B/text")
}

func BenchmarkMerge(b *testing.B) {
	segments, size := large().small, int64(0)
	b.ReportAllocs()
	for b.Loop() {
		s := spread{segments: segments}
		s.merge(b, len(segments), false)
		size = s.segments[0].header.Bytes
	}
	b.ReportMetric(float64(size)/(8*2048), "B/text")
}

func BenchmarkTexts(b *testing.B) {
	p := segment.NewPlan(words.Parse("w11"), []segment.Field{segment.Content})
	for b.Loop() {
		p.Texts(large().texts)
	}
}

// BenchmarkRank decodes what was fetched of 13 segments, ranks, and takes the best 64.
func BenchmarkRank(b *testing.B) {
	question := "w11 w12 w13"
	for i := range 97 {
		question += " w" + strconv.Itoa(20+i*i)
	}
	for _, bb := range []struct {
		name, query string
		any         bool
	}{
		{"rare", "w59990", false},
		{"common", "w11", false},
		{"most common", "w1", false},
		{"question of 100", question, true},
		{"prefix of 1000", "w11*", false},
		{"phrase", "w11-w12", false},
		{"two and not", "w11 w12 -w1", false},
	} {
		q := words.Parse(bb.query)
		if bb.any {
			q = q.Any()
		}
		p := segment.NewPlan(q, []segment.Field{segment.Content})
		var inputs []segment.Input
		bytes := 0
		for _, s := range large().segments {
			in := segment.Input{Documents: s.header.Documents, To: uint32(s.header.Documents), Lengths: s.part(segment.PartLengths)}
			for _, r := range p.Ranges() {
				in.Terms = append(in.Terms, s.fetch(segment.PartTerms, r.Low, r.High))
				in.Positions = append(in.Positions, s.fetch(segment.PartPlaces, r.Low, r.High))
			}
			for _, blocks := range in.Terms {
				for _, block := range blocks {
					bytes += len(block.Data)
				}
			}
			inputs = append(inputs, in)
		}
		b.Run(bb.name, func(b *testing.B) {
			found := 0
			b.ReportAllocs()
			for b.Loop() {
				var sources []*segment.Source
				for _, in := range inputs {
					s, err := p.Segment(in)
					require.NoError(b, err)
					sources = append(sources, s)
				}
				matches := p.Rank(sources)
				segment.Top(matches, 64)
				found = len(matches)
			}
			b.ReportMetric(float64(found), "matches")
			b.ReportMetric(float64(bytes), "fetched-B")
		})
	}
}
