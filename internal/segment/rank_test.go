package segment_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

var someWords = []string{
	"a", "b", "ab", "abc", "a/b", "Ecole", "ÉCOLE", "éco", "東京", "東京都", "京", "привет", "ПРИ", "c++", "c", "1.5", "15", "สวัสดี", "👍", "is12345",
}

var messageFields = []segment.Field{segment.Content, segment.Attachments, segment.ToolResults, segment.Metadata}

func drawText(t *rapid.T, most int) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(someWords), 0, most).Draw(t, "words"), rapid.SampledFrom([]string{" ", " ", "-", ""}).Draw(t, "between"))
}

func drawDocument(t *rapid.T, n int) segment.Document {
	id := func(label string, most int) uuid.UUID {
		return uuid.UUID{15: byte(rapid.IntRange(1, most).Draw(t, label))}
	}
	d := segment.Document{At: rapid.Int64Range(-1e15, 1e15).Draw(t, "at")}
	d.Key = segment.Key{User: id("user", 2), Thread: id("thread", 3), Kind: segment.Message, ID: uuid.UUID{14: byte(n), 15: byte(rapid.IntRange(0, 255).Draw(t, "id"))}}
	if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
		d.Key.Kind = segment.Title
	}
	for range rapid.IntRange(0, 3).Draw(t, "texts") {
		d.Texts = append(d.Texts, segment.Text{Field: segment.Field(rapid.IntRange(0, 4).Draw(t, "field")), Value: drawText(t, 12)})
	}
	return d
}

func drawQuery(t *rapid.T) words.Query {
	var text strings.Builder
	for range rapid.IntRange(1, 5).Draw(t, "terms") {
		text.WriteString(rapid.SampledFrom([]string{"", "", "", "-", "OR "}).Draw(t, "operator"))
		if term := drawText(t, 4); rapid.Bool().Draw(t, "phrase") {
			fmt.Fprintf(&text, "%q", term)
		} else {
			text.WriteString(term)
		}
		text.WriteString(rapid.SampledFrom([]string{" ", " ", "* "}).Draw(t, "end"))
	}
	q := words.Parse(text.String())
	if rapid.IntRange(0, 2).Draw(t, "any") == 0 {
		q = q.Any()
	}
	return q
}

// spread puts documents into segments and texts, with void versions beside, some of it merged.
type spread struct {
	segments []stored
	texts    []segment.Document
}

func drawSpread(t *rapid.T, documents []segment.Document) (s spread) {
	n := rapid.IntRange(0, 4).Draw(t, "segments")
	members := make([][]segment.Document, n)
	void := make([][]segment.Key, n)
	for _, d := range documents {
		home := rapid.IntRange(0, n).Draw(t, "home")
		if home == n {
			s.texts = append(s.texts, d)
		} else {
			members[home] = append(members[home], d)
		}
		for i := range n {
			if i != home && rapid.IntRange(0, 3).Draw(t, "old version") == 0 {
				old := d
				old.Texts = []segment.Text{{Field: segment.Content, Value: drawText(t, 6)}, {Field: segment.TitleField, Value: drawText(t, 6)}}
				members[i] = append(members[i], old)
				void[i] = append(void[i], d.Key)
			}
		}
	}
	for i := range n {
		var b segment.Builder
		if rapid.Bool().Draw(t, "tiny") {
			b.Tiny()
		}
		for _, d := range rapid.Permutation(members[i]).Draw(t, "order") {
			b.Add(d)
		}
		seg := build(t, &b)
		var ordinals []uint32
		for _, info := range seg.infos(t) {
			if slices.Contains(void[i], info.Key) {
				ordinals = append(ordinals, info.Ordinal)
			}
		}
		seg.void = seg.void.With(ordinals)
		s.segments = append(s.segments, seg)
	}
	if n > 1 && rapid.Bool().Draw(t, "merge") {
		s.merge(t, rapid.IntRange(2, n).Draw(t, "merged"), rapid.Bool().Draw(t, "tiny"))
	}
	return s
}

// merge makes the first n segments one.
func (s *spread) merge(t require.TestingT, n int, tiny bool) {
	var b segment.Builder
	if tiny {
		b.Tiny()
	}
	for _, seg := range s.segments[:n] {
		require.NoError(t, b.Absorb(seg.blocks, seg.void))
	}
	s.segments = append([]stored{build(t, &b)}, s.segments[n:]...)
}

// search returns scores by key, and checks the numbers of threads.
func (s spread) search(t require.TestingT, p *segment.Plan, scope []byte, narrow bool) map[segment.Key]float64 {
	var sources []*segment.Source
	var keys [][]segment.Key
	var texts []segment.Document
	for _, d := range s.texts {
		if bytes.HasPrefix(d.Key.Bytes(), scope) {
			texts = append(texts, d)
		}
	}
	for _, seg := range s.segments {
		sources = append(sources, seg.search(t, p, scope, narrow))
		var own []segment.Key
		for _, info := range seg.infos(t) {
			own = append(own, info.Key)
		}
		keys = append(keys, own)
	}
	sources = append(sources, p.Texts(texts))
	var own []segment.Key
	for _, d := range texts {
		own = append(own, d.Key)
	}
	keys = append(keys, own)
	found := map[segment.Key]float64{}
	type thread struct {
		source int
		number uint32
	}
	threads := map[thread]uuid.UUID{}
	numbers := map[[33]byte]uint32{}
	for _, m := range p.Rank(sources) {
		key := keys[m.Source][m.Document]
		require.NotContains(t, found, key)
		found[key] = m.Score
		if id, ok := threads[thread{m.Source, m.Thread}]; ok {
			require.Equal(t, id, key.Thread)
		}
		threads[thread{m.Source, m.Thread}] = key.Thread
		name := [33]byte(append(key.Bytes()[:32], byte(m.Source)))
		if n, ok := numbers[name]; ok {
			require.Equal(t, n, m.Thread, "one thread, two numbers")
		}
		numbers[name] = m.Thread
	}
	return found
}

// Whatever is spread over whatever segments, and void, merged or not packed yet: a query finds the
// same documents with the same scores to the bit, which are those of the oracle.
func TestRankFindsWhatTheTextsHave(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var documents []segment.Document
		for i := range rapid.IntRange(0, 12).Draw(t, "documents") {
			documents = append(documents, drawDocument(t, i))
		}
		s := drawSpread(t, documents)
		for range 3 {
			fields := []segment.Field{segment.TitleField}
			if rapid.IntRange(0, 3).Draw(t, "titles") > 0 {
				fields = rapid.Permutation(messageFields).Draw(t, "fields")[:rapid.IntRange(1, 4).Draw(t, "fields")]
			}
			q := drawQuery(t)
			var scope []byte
			if len(documents) > 0 {
				scope = documents[0].Key.Bytes()[:rapid.SampledFrom([]int{0, 16, 32}).Draw(t, "scope")]
			}
			var within []segment.Document
			for _, d := range documents {
				if bytes.HasPrefix(d.Key.Bytes(), scope) {
					within = append(within, d)
				}
			}
			p := segment.NewPlan(q, fields)
			require.Equal(t, oracle(q, fields, within), s.search(t, p, scope, rapid.Bool().Draw(t, "narrow")), "%+v", q)
		}
	})
}
