package segment_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

func message(n int, texts ...segment.Text) segment.Document {
	return segment.Document{
		Key:   segment.Key{User: uuid.UUID{1}, Thread: uuid.UUID{byte(n / 50), byte(n / 50 >> 8)}, Kind: segment.Message, ID: uuid.UUID{12: byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}},
		At:    int64(n),
		Texts: texts,
	}
}

func content(n int, text string) segment.Document {
	return message(n, segment.Text{Field: segment.Content, Value: text})
}

// find returns the documents that a query finds, by their number, in a segment of small blocks
// and in texts, which must agree.
func find(t *testing.T, query string, fields []segment.Field, documents ...segment.Document) []int {
	t.Helper()
	q := words.Parse(query)
	var small, large segment.Builder
	small.Tiny()
	for _, d := range documents {
		small.Add(d)
		large.Add(d)
	}
	p := segment.NewPlan(q, fields)
	want := oracle(q, fields, documents)
	for _, s := range []spread{{segments: []stored{build(t, &small)}}, {segments: []stored{build(t, &large)}}, {texts: documents}} {
		require.Equal(t, want, s.search(t, p, nil, false), query)
	}
	found := []int{}
	for i, d := range documents {
		if _, ok := want[d.Key]; ok {
			found = append(found, i)
		}
	}
	return found
}

func TestMatching(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("the ", 40_000)
	for _, tt := range []struct {
		query string
		texts []string
		want  []int
	}{
		{`"a a b"`, []string{"a a a b", "a b a b", "a a c b"}, []int{0}},
		{`"a b a c"`, []string{"a b a b a c", "a b a b a b", "a b c a b a c a"}, []int{0, 2}},
		{`"a a"`, []string{"a a a", "a b a"}, []int{0}},
		{`a-b*`, []string{"a b", "a bc", "a c b", "a b b bc", "b a"}, []int{0, 1, 3}},
		{`a-b*`, []string{"a bz a ba", "a bz ba", "ba a bz bz a bb a ba"}, []int{0, 1, 2}},
		{`a-a*`, []string{"a", "a a", "a ab", "ab a"}, []int{1, 2}},
		{`"the dragon"`, []string{long + "dragon", "dragon " + long, long + "dragons"}, []int{0}},
		{`the/dragon*`, []string{long + "dragon", "dragon " + long, long + "dragons"}, []int{0, 2}},
		{`a -"a b"`, []string{"a c b", "a b"}, []int{0}},
		{`a -b*`, []string{"a", "a b", "a bc", "a c"}, []int{0, 3}},
		{`-a`, []string{"a", "b"}, []int{}},
		{`a a OR b`, []string{"a", "b", "c"}, []int{0}},
		{`a OR b c`, []string{"a", "b", "a c", "b c", "c"}, []int{2, 3}},
		{`東京`, []string{"東京都", "京東", "東"}, []int{0}},
		{`都`, []string{"東京都", "京都市", "東京"}, []int{0, 1}},
		{`ab*`, []string{"a", "ab", "abc", "ac", "abd abd", "b"}, []int{1, 2, 4}},
		{`zz*`, []string{"a", "b"}, []int{}},
		{`a*`, []string{"b", "aa"}, []int{1}},
		{`snake_case -snake_tail`, []string{strings.Repeat("snake_case ", 300) + "snake_tail", "snake_case tail"}, []int{1}},
		{``, []string{"a"}, []int{}},
	} {
		var documents []segment.Document
		for i, text := range tt.texts {
			documents = append(documents, content(i, text))
		}
		assert.Equal(t, tt.want, find(t, tt.query, []segment.Field{segment.Content}, documents...), tt.query)
	}
}

// Words that share their beginnings lie in one block as differences.
func TestWordsWithTheSameBeginning(t *testing.T) {
	t.Parallel()
	var all []string
	for _, a := range []string{"", "a", "aa", "ab", "b", "ba", "bb", "bbb"} {
		for _, b := range []string{"a", "aa", "ab", "b", "z"} {
			all = append(all, "x"+a+b, "y"+a+b)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var documents []segment.Document
	for i, w := range all {
		documents = append(documents, content(i, w))
	}
	for _, w := range append(all, "w", "x", "xaz0", "xc", "y", "yzz", "z") {
		find(t, w, []segment.Field{segment.Content}, documents...)
		find(t, w+"*", []segment.Field{segment.Content}, documents...)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	text := func(f segment.Field, v string) segment.Text { return segment.Text{Field: f, Value: v} }
	title := message(2, text(segment.TitleField, "a b"), text(segment.Content, "never"))
	title.Key.Kind = segment.Title
	documents := []segment.Document{
		message(0, text(segment.Content, "a"), text(segment.Content, "b"), text(segment.TitleField, "never")),
		message(1, text(segment.Content, "a"), text(segment.Metadata, "b"), text(segment.Metadata, ""), text(segment.Metadata, "c")),
		title,
		message(3, text(segment.Attachments, "a.pdf")),
		message(4),
	}
	for _, tt := range []struct {
		query  string
		fields []segment.Field
		want   []int
	}{
		{`"a b"`, []segment.Field{segment.Content}, []int{}},
		{`a b`, []segment.Field{segment.Content}, []int{0}},
		{`a b`, []segment.Field{segment.Content, segment.Metadata}, []int{0, 1}},
		{`"a b"`, []segment.Field{segment.Content, segment.Metadata}, []int{}},
		{`"b c"`, []segment.Field{segment.Metadata}, []int{}},
		{`a -b`, []segment.Field{segment.Content}, []int{1}},
		{`a -b`, []segment.Field{segment.Metadata, segment.Content}, []int{}},
		{`a`, []segment.Field{segment.Metadata, segment.Content, segment.Attachments, segment.Content}, []int{0, 1, 3}},
		{`a`, []segment.Field{segment.TitleField}, []int{2}},
		{`a`, []segment.Field{segment.TitleField, segment.Content}, []int{2}},
		{`never`, []segment.Field{segment.TitleField}, []int{}},
		{`never`, messageFields, []int{}},
		{`a`, nil, []int{}},
	} {
		if tt.query == "a" && len(tt.fields) == 4 {
			tt.fields = tt.fields[:3] // the oracle counts a field each time
			assert.Equal(t, segment.NewPlan(words.Parse("a"), tt.fields), segment.NewPlan(words.Parse("a"), append(tt.fields, segment.Content)))
		}
		assert.Equal(t, tt.want, find(t, tt.query, tt.fields, documents...), "%s in %v", tt.query, tt.fields)
	}
}

// Documents without content are as if they were not there for a search of the content, but count
// where they could have matched. No word is so common that it weighs less than nothing.
func TestEmptyDocumentsDoNotCount(t *testing.T) {
	t.Parallel()
	score := func(fields []segment.Field, documents ...segment.Document) float64 {
		p := segment.NewPlan(words.Parse("a"), fields)
		matches := p.Rank([]*segment.Source{p.Texts(documents)})
		require.NotEmpty(t, matches)
		return matches[0].Score
	}
	file := segment.Text{Field: segment.Attachments, Value: "a"}
	main := []segment.Field{segment.Content}
	alone, beside := score(main, content(0, "a b")), score(main, content(0, "a b"), message(1), message(2, file))
	assert.Equal(t, math.Float64bits(alone), math.Float64bits(beside))
	assert.Less(t, score(main, content(0, "a b")), score(main, content(0, "a b"), content(1, "c d")))
	both := []segment.Field{segment.Content, segment.Attachments}
	assert.Less(t, score(both, content(0, "a b")), score(both, content(0, "a b"), message(1)))
	assert.Positive(t, score(both, content(0, "a b"), message(1, file), message(2, file), message(3, file)))
	assert.Positive(t, score(both, message(1, file)))
}

// A phrase takes time in proportion to the text, whatever repeats in either. Without that these
// take minutes.
func TestHostilePhrases(t *testing.T) {
	t.Parallel()
	var documents []segment.Document
	for i := range 20 {
		documents = append(documents, content(i, strings.Repeat("a b ", 300)))
	}
	documents = append(documents, content(20, strings.Repeat("a/", 480_000)), content(21, strings.Repeat("a/b/", 240_000)))
	var b segment.Builder
	for _, d := range documents {
		b.Add(d)
	}
	s := spread{segments: []stored{build(t, &b)}}
	for query, want := range map[string]int{
		`"` + strings.Repeat("a b ", 128) + `"`:    21,
		`"` + strings.Repeat("a b ", 127) + `a c"`: 0,
		strings.Repeat("a/", 256):                  1,
		strings.Repeat("a/", 255) + "b":            0,
		strings.Repeat("a/", 255) + "b*":           0,
		strings.Repeat("a/b/", 127) + "a/b*":       21,
	} {
		q := words.Parse(query)
		require.NoError(t, q.Check())
		p := segment.NewPlan(q, []segment.Field{segment.Content})
		assert.Len(t, s.search(t, p, nil, false), want, query[:10])
		assert.Len(t, spread{texts: documents}.search(t, p, nil, false), want, query[:10])
	}
}

func TestTop(t *testing.T) {
	t.Parallel()
	var matches []segment.Match
	for i := range 1000 {
		matches = append(matches, segment.Match{Source: i % 3, Document: uint32(i), Score: float64(i * 7919 % 100)})
	}
	before := slices.Clone(matches)
	for _, k := range []int{1, 7, 10, 11, 500, 999, 1000, 2000} {
		top := segment.Top(matches, k)
		require.GreaterOrEqual(t, len(top), min(k, len(matches)))
		least := top[len(top)-1].Score
		better := 0
		for _, m := range matches {
			if m.Score > least {
				better++
			}
			require.Equal(t, m.Score >= least, slices.Contains(top, m), "k %d: %v", k, m)
		}
		require.Less(t, better, k, "more than ties with the last")
		require.True(t, slices.IsSortedFunc(top, func(a, b segment.Match) int {
			if a.Score != b.Score {
				return int(b.Score - a.Score)
			}
			if a.Source != b.Source {
				return a.Source - b.Source
			}
			return int(a.Document) - int(b.Document)
		}))
	}
	assert.Equal(t, before, matches)
	assert.Empty(t, segment.Top(matches, 0))
	assert.Empty(t, segment.Top(matches, -1))
	assert.Empty(t, segment.Top(nil, 3))
}

func ExamplePlan() {
	var b segment.Builder
	for i, text := range []string{"The quick brown fox", "A quick answer", "Quickly!"} {
		b.Add(content(i, text))
	}
	header, blocks, _ := b.Build()
	plan := segment.NewPlan(words.Parse("quick* -fox"), []segment.Field{segment.Content})
	s := stored{header: header, blocks: blocks}
	in := segment.Input{Documents: header.Documents, To: uint32(header.Documents), Lengths: s.part(segment.PartLengths)}
	for _, r := range plan.Ranges() {
		in.Terms = append(in.Terms, s.fetch(segment.PartTerms, r.Low, r.High))
		in.Positions = append(in.Positions, nil)
	}
	source, _ := plan.Segment(in)
	for _, m := range segment.Top(plan.Rank([]*segment.Source{source}), 10) {
		fmt.Printf("document %d: %.2f\n", m.Document, m.Score)
	}
	// Output:
	// document 2: 0.18
	// document 1: 0.13
}

// Words of a block that are not asked for cost no memory.
func TestLookingUpAWordAllocatesNothingForOthers(t *testing.T) {
	var b segment.Builder
	for i := range 4000 {
		b.Add(content(i, fmt.Sprint("word", i, " other", i)))
	}
	s := build(t, &b)
	for _, query := range []string{"word3999", "word3*", "missing", `"word17 other17"`} {
		p := segment.NewPlan(words.Parse(query), []segment.Field{segment.Content})
		in := s.input(p)
		require.Greater(t, len(in.Terms[0]), 10)
		_, err := p.Segment(in)
		require.NoError(t, err)
		assert.Less(t, testing.AllocsPerRun(10, func() { _, _ = p.Segment(in) }), 60.0, query)
	}
}

// Several goroutines may use one plan.
func TestPlanIsShared(t *testing.T) {
	t.Parallel()
	s := someSegment(t)
	want := spread{segments: []stored{s}}.search(t, anyPlan, nil, false)
	require.NotEmpty(t, want)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				source, err := anyPlan.Segment(s.input(anyPlan))
				if err != nil {
					t.Error(err)
					return
				}
				assert.Len(t, anyPlan.Rank([]*segment.Source{source}), len(want))
			}
		})
	}
	all.Wait()
}

// A range that is narrowed to a scope still has all pieces of a word with documents in it.
func TestRangesInAScope(t *testing.T) {
	t.Parallel()
	var b segment.Builder
	b.Tiny()
	const n = 40
	for i := range n {
		b.Add(content(i, "an apple and the pear"))
	}
	s := build(t, &b)
	for _, query := range []string{"the", `"the pear"`, "pear"} {
		p := segment.NewPlan(words.Parse(query), []segment.Field{segment.Content})
		for from := range uint32(n + 1) {
			for to := from; to <= n; to++ {
				in := segment.Input{Documents: n, From: from, To: to, Lengths: s.part(segment.PartLengths)}
				fetched := 0
				for _, r := range p.Ranges() {
					r = r.In(from, to)
					in.Terms = append(in.Terms, s.fetch(segment.PartTerms, r.Low, r.High))
					in.Positions = append(in.Positions, s.fetch(segment.PartPlaces, r.Low, r.High))
					fetched = max(fetched, len(in.Terms[len(in.Terms)-1]))
				}
				source, err := p.Segment(in)
				require.NoError(t, err)
				matches := p.Rank([]*segment.Source{source})
				require.Len(t, matches, int(to-from), "%s from %d to %d", query, from, to)
				require.True(t, from == to || matches[0].Document == from)
				require.LessOrEqual(t, fetched, int(to-from)+2)
			}
		}
	}
}

// Lengths lie in blocks of 4,096 documents: a scope begins and ends anywhere in them.
func TestScopeOverBlocksOfLengths(t *testing.T) {
	t.Parallel()
	var b segment.Builder
	documents := make([]segment.Document, 10_000)
	for i := range documents {
		documents[i] = content(i, strings.Repeat("a ", 1+i%3)+strings.Repeat("b ", i%70))
		b.Add(documents[i])
	}
	s := build(t, &b)
	p := segment.NewPlan(words.Parse("a OR b"), []segment.Field{segment.Content})
	for _, scope := range [][2]uint32{{0, 10_000}, {0, 1}, {9_999, 10_000}, {4095, 4097}, {4096, 8192}, {4000, 8193}, {8191, 10_000}, {5000, 5000}} {
		in := s.input(p)
		in.From, in.To = scope[0], scope[1]
		in.Lengths = s.fetch(segment.PartLengths, binary.BigEndian.AppendUint32(nil, in.From), binary.BigEndian.AppendUint32(nil, in.To))
		source, err := p.Segment(in)
		require.NoError(t, err)
		got := p.Rank([]*segment.Source{source})
		want := p.Rank([]*segment.Source{p.Texts(documents[in.From:in.To])})
		require.Len(t, got, int(in.To-in.From))
		for i, m := range got {
			require.Equal(t, in.From+want[i].Document, m.Document)
			require.Equal(t, math.Float64bits(want[i].Score), math.Float64bits(m.Score))
		}
		if len(in.Lengths) > 1 {
			in.Lengths = in.Lengths[1:]
			_, err = p.Segment(in)
			require.Error(t, err, "the first block of lengths is missing")
		}
	}
}
