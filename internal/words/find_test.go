package words_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/words"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ query, text, want string }{
		{"creme", "Die CRÈME brûlée, cre\u0300me.", "[CRÈME] [cre\u0300me]"},
		{"pay*", "Pay, paying; repay", "[Pay] [paying]"},
		{`"a b" b`, "a b c a-b a  B", "[a b] [b] [a-b] [b] [a  B] [B]"},
		{`"a a b"`, "a a a b", "[a a b]"},
		{`"a b*"`, "a bc", ""},
		{"a-b*", "x a (bc)", "[a (bc]"},
		{"a-a-b* a-b* b*", "a a bc", "[a a bc] [a bc] [bc]"},
		{"straße", "STRASSE Straße", "[STRASSE] [Straße]"},
		{"привет", "ПРИВЕТ", "[ПРИВЕТ]"},
		{"-a b", "a b", "[b]"},
		{"c++", "C, C++ and c+", "[C++]"},
		{"東京", "東京都, 東京", "[東京] [東京]"},
		{"京都", "東京都", "[京都]"},
		{"都", "東京都と都市", "[都] [都]"},
		{"京", "東京都", "[京]"},
		{"abc是", "号abc是123", "[abc是]"},
		{"東京都", "東京都", "[東京都]"},
		{"น้า", "หน้า", "[น้า]"},
		{"น้ำ", "ดื่มน้\u0e4dา", "[น้\u0e4dา]"},
		{"社", "㍿東京", "[㍿]"},
		{"الله", "x ﷺ", "[ﷺ]"},
		{"👍", "ok 👍🏽.", "[👍🏽]"},
		{"x", "a\ufdd0x\ufdd1", "[x]"},
	} {
		var got []string
		for _, m := range words.Find(tt.text, words.Parse(tt.query).Terms(), nil) {
			got = append(got, "["+tt.text[m.Start:m.End]+"]")
		}
		assert.Equal(t, tt.want, strings.Join(got, " "), tt.query)
	}
	assert.Empty(t, words.Find("a", nil, nil))
	assert.Empty(t, words.Find("a", []words.Term{{}, {Prefix: true}}, nil), "no words")
	assert.Equal(t, []words.Match{{words.Span{Start: 2, End: 3}, 1}}, words.Find("a b", []words.Term{{}, {Words: []string{"b"}}}, nil))
}

// TestFindStops shortly after it has seen all, and after many matches.
func TestFindStops(t *testing.T) {
	t.Parallel()
	text := "a b " + strings.Repeat("x ", 10_000) + "a b"
	assert.Len(t, words.Find(text, words.Parse("a b").Terms(), nil), 2)
	assert.Len(t, words.Find(text, words.Parse("a b c").Terms(), nil), 4, "c may be anywhere")
	many := words.Find(strings.Repeat("a ", 10_000), words.Parse("a zz").Terms(), nil)
	assert.Len(t, many, 1000)
}

// checkFind compares Find with the plain walk through a text that is too short to stop in.
func checkFind(t require.TestingT, text string, terms []words.Term) {
	text = text[:min(len(text), 1000)]
	var all []words.Token
	for k := range words.Tokens(text) {
		all = append(all, k)
	}
	var want [][2]int
	for i, term := range terms {
		for _, at := range places(all, term) {
			want = append(want, [2]int{i, all[at[0]].Start})
		}
	}
	var got [][2]int
	start := 0
	found := words.Find(text, terms, nil)
	for _, m := range found {
		require.True(t, m.Start >= start && m.Start < m.End && m.End <= len(text), "%+q: %+v", text, m)
		require.True(t, !utf8.ValidString(text) || utf8.ValidString(text[m.Start:m.End]), "%+q: %+v", text, m)
		start = m.Start
		got = append(got, [2]int{m.Term, m.Start})
	}
	if len(want) >= 1000 {
		require.Subset(t, want, got)
		return
	}
	require.ElementsMatch(t, want, got, "%+q", text)
}

// TestFindRepetitions: phrases of words that repeat themselves.
func TestFindRepetitions(t *testing.T) {
	t.Parallel()
	few := rapid.StringOfN(rapid.SampledFrom([]rune("ab ab ab-東京é")), 0, 60, -1)
	rapid.Check(t, func(t *rapid.T) {
		text := few.Draw(t, "text")
		query := strings.Join(rapid.SliceOfN(rapid.OneOf(few, rapid.SampledFrom([]string{`"`, "*", `" "`, `*" "`, "* "})), 0, 8).Draw(t, "query"), "")
		checkFind(t, text, words.Parse(query).Terms())
	})
}

// TestDenseScriptsAreSubstrings: in a run without spaces a query finds what it is a part of, and
// marks just that.
func TestDenseScriptsAreSubstrings(t *testing.T) {
	t.Parallel()
	run := rapid.SliceOfN(rapid.SampledFrom([]string{"東", "京", "都", "か", "き", "ア", "한", "글", "ก", "ข", "า", "ก้"}), 1, 12)
	rapid.Check(t, func(t *rapid.T) {
		text, query := strings.Join(run.Draw(t, "text"), ""), strings.Join(run.Draw(t, "query"), "")
		if rapid.Bool().Draw(t, "part") {
			parts := run.Draw(t, "parts")
			from := rapid.IntRange(0, len(parts)-1).Draw(t, "from")
			to := rapid.IntRange(from+1, len(parts)).Draw(t, "to")
			text, query = strings.Join(parts, ""), strings.Join(parts[from:to], "")
		}
		if strings.Contains(text, "ก้") && strings.HasSuffix(query, "ก") {
			t.Skip("a letter by itself is the beginning of one with a mark")
		}
		found := words.Find(text, words.Parse(query).Terms(), nil)
		require.Equal(t, strings.Contains(text, query), len(found) > 0, "%q in %q", query, text)
		for _, m := range found {
			require.Equal(t, query, text[m.Start:m.End])
		}
	})
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat("filler words of a long log with Ünïcode ", 10<<20/42)
	terms := words.Parse("needle hay* \"some phrase\"").Terms()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		words.Find(text, terms, nil)
	}
}
