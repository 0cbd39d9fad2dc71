package substring_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/substring"
	"github.com/convostore/convostore/internal/words"
)

// same tells whether two characters are the same by simple case folding.
func same(a, b rune) bool { return strings.EqualFold(string(a), string(b)) }

// naive returns where a text has a form of a part, character by character.
func naive(text, part string) (found []words.Match) {
	var forms [][]rune
	if part != "" {
		forms = [][]rune{[]rune(part), []rune(norm.NFC.String(part)), []rune(norm.NFD.String(part))}
	}
	runes := []rune(text)
	at := 0
	for i := 0; i < len(runes); {
		longest := 0
		for _, form := range forms {
			if n := startsWith(runes[i:], form); n > 0 && len(string(form)) > 0 {
				longest = max(longest, n)
			}
		}
		end := at + len(string(runes[i:i+longest]))
		if longest > 0 {
			found = append(found, words.Match{Span: words.Span{Start: at, End: end}})
			at, i = end, i+longest
			continue
		}
		at += utf8.RuneLen(runes[i])
		i++
	}
	return found
}

func startsWith(text, form []rune) int {
	if len(text) < len(form) {
		return 0
	}
	for i, r := range form {
		if !same(text[i], r) {
			return 0
		}
	}
	return len(form)
}

// Letters draws characters of all of Unicode, and often those with a case, of which the kinds
// with more than two members are the rarest.
func letters() *rapid.Generator[string] {
	hostile := []rune("kKKsSſσςΣiIİıßẞµμΜåÅÅéÉeE\u0301\u0345ιΙιƉɖꭰᎠაᲐ𐐨𐐀東 %_*[]?^\\'\"a/-\n\U0010FFFF\uFFFD\uFFFE\uFFFF\ufdd0")
	return rapid.Custom(func(t *rapid.T) string {
		return rapid.StringOf(rapid.OneOf(
			rapid.SampledFrom(hostile), rapid.RuneFrom(nil, unicode.L), rapid.RuneFrom(nil, unicode.Mn), rapid.Rune(),
		)).Draw(t, "text")
	})
}

func TestFindAgreesWithANaiveSearch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := letters().Draw(t, "part")
		text := letters().Draw(t, "before") + otherCase(t, part) + letters().Draw(t, "after")
		if rapid.Bool().Draw(t, "decompose") {
			text = norm.NFD.String(text)
		}
		f := substring.New(part)
		want := naive(text, part)
		require.Equal(t, want, f.Find(text), "%q in %q", part, text)
		require.Equal(t, len(want) > 0, f.In(text))
	})
}

// otherCase changes the case of some characters.
func otherCase(t *rapid.T, text string) string {
	return strings.Map(func(r rune) rune {
		for range rapid.IntRange(0, 3).Draw(t, "turns") {
			r = unicode.SimpleFold(r)
		}
		return r
	}, text)
}

func TestEveryCharacterFoldsToTheFirstOfItsOrbit(t *testing.T) {
	t.Parallel()
	for r := range rune(unicode.MaxRune + 1) {
		orbit := substring.Orbit(r)
		n := 1
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			n++
			require.Contains(t, orbit, other)
			require.GreaterOrEqual(t, other, orbit[0])
		}
		require.Len(t, orbit, n, "%U", r)
		require.Contains(t, orbit, r)
		if utf8.ValidRune(r) {
			require.Equal(t, []string{string(orbit[0])}, substring.New(string(r)).Forms()[:1])
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, part, want string }{
		{"GRÜSSE aus Wien", "grüsse", "[GRÜSSE] aus Wien"},
		{"xABaba", "ab", "x[AB][ab]a"},
		{"273 \u212A", "k", "273 [\u212A]"},
		{"K", "\u212A", "[K]"},
		{"ΟΔΥΣΣΕΥΣ οδυσσευς", "οδυσσευσ", "[ΟΔΥΣΣΕΥΣ] [οδυσσευς]"},
		{"Congreſs", "CONGRESS", "[Congreſs]"},
		{"Straße", "strasse", "Straße"},
		{"STRAẞE", "straße", "[STRAẞE]"},
		{"Kadıköy", "kadiköy", "Kadıköy"},
		{"cafe\u0301 CAFÉ", "caf\u00e9", "[cafe\u0301] [CAFÉ]"},
		{"cafe\u0301 CAFÉ", "cafe\u0301", "[cafe\u0301] [CAFÉ]"},
		{"cafe\u0301", "cafe", "[cafe]\u0301"},
		{"한글", norm.NFD.String("한글"), "[한글]"},
		{"aaaa", "aa", "[aa][aa]"},
		{"a\xffB\xff", "b", "a\xff[B]\xff"},
		{"abc", "", "abc"},
		{"", "a", ""},
		{"ab", "abc", "ab"},
	} {
		var marked strings.Builder
		end := 0
		for _, m := range substring.New(tt.part).Find(tt.text) {
			marked.WriteString(tt.text[end:m.Start] + "[" + tt.text[m.Start:m.End] + "]")
			end = m.End
		}
		assert.Equal(t, tt.want, marked.String()+tt.text[end:], tt.part)
	}
	assert.Len(t, substring.New("a").Find(strings.Repeat("a", 5000)), 1000)
}

func TestLettersAndPairs(t *testing.T) {
	t.Parallel()
	got, all := substring.Letters("A1K", 2)
	assert.Equal(t, [][]rune{{'A', 'a'}, {'1'}}, got)
	assert.False(t, all)
	got, all = substring.Letters("A1K", 3)
	assert.Equal(t, [][]rune{{'A', 'a'}, {'1'}, {'K', 'k', '\u212A'}}, got)
	assert.True(t, all)
	from, to := substring.New("k1Kä").Pairs()
	assert.Equal(t, "k\u212Aäa", string(from))
	assert.Equal(t, "KKÄA", string(to))
}

// Hostile texts are searched many times each, so that a search that is not linear shows by not
// ending.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ unit, part string }{
		{"a/", strings.Repeat("a/", 8<<10)},
		{"a/", strings.Repeat("a/", 8<<10-1) + "b"},
		{"a", strings.Repeat("a", 16<<10-1) + "b"},
		{"a", "b" + strings.Repeat("a", 16<<10-1)},
		{"σ", strings.Repeat("ς", 4<<10) + "b" + strings.Repeat("Σ", 4<<10-1)},
		{"e\u0301", strings.Repeat("é", 4<<10) + "b"},
	} {
		text := strings.Repeat(tt.unit, 960<<10/len(tt.unit))
		f := substring.New(tt.part)
		for range 50 {
			require.Equal(t, !strings.Contains(tt.part, "b"), f.In(text))
		}
		assert.Equal(t, f.In(text), len(f.Find(text)) > 0)
	}
}
