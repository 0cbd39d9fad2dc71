package words

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRareCharactersAreFoldedOnce: a long text of the same characters is not folded again and
// again, which is what a rare character costs.
func TestRareCharactersAreFoldedOnce(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"a\u0301", "ก้", "น้ำ", "ｶﾞ", "\u1100\u1161\u11a8", "\u1100\u1161\u11a8\u11a8", "हि", "مُحَ", "\u0e33\u0e4d", "a\u0301\u0302 x\u0303"} {
		misses := func(times int) int {
			s := scanner{text: strings.Repeat(unit, times), yield: func(Token) bool { return true }, fold: &folder{}}
			s.run()
			return s.fold.misses
		}
		assert.Equal(t, misses(10), misses(10_000), "%+q", unit)
		assert.LessOrEqual(t, misses(10_000), 6, "%+q", unit)
	}
}

// TestFindIsLinear: the steps of a search are at most a few a word, whatever repeats itself.
func TestFindIsLinear(t *testing.T) {
	t.Parallel()
	var nested []string
	for i := range 120 {
		nested = append(nested, strings.Repeat("a-", i+1)+"b*")
	}
	for _, tt := range []struct {
		text, query string
		most        int // steps a word
	}{
		{"a b ", `"` + strings.Repeat("a b ", 250) + `"`, 2},
		{"a b ", `"` + strings.Repeat("a b ", 127) + `a c"`, 3},
		{"a/", strings.Repeat("a/", 255) + "b", 3},
		{"a ", strings.Join(nested, " "), 3},
		{"a ", strings.Join(nested, " ") + ` "zz a*" a-zz*`, 3 + maxNested},
		{"東", strings.Repeat("東", 250) + "京", 3},
		{"ab ", "abc* abcd* b* c* x", 6},
	} {
		terms := Parse(tt.query).Terms()
		s := NewFinder(terms, nil).search(strings.Repeat(tt.text, 20_000))
		n := 0
		for range Tokens(strings.Repeat(tt.text, 20_000)) {
			n++
		}
		assert.LessOrEqual(t, s.steps, tt.most*n, "%.20q in %q", tt.query, tt.text)
	}
}

func TestAllocations(t *testing.T) {
	text := strings.Repeat("plain words of a text, with numbers 12345 and signs foo_bar/baz@example.com. ", 100) +
		strings.Repeat("東京都に住んでいます。한국어 텍스트 привет как дела ภาษาไทย ", 100)
	for range Tokens(text) { // folds
	}
	n := testing.AllocsPerRun(10, func() {
		for range Tokens(text) {
		}
	})
	assert.LessOrEqual(t, n, 10.0, "terms are parts of the text")
}
