package words_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/convostore/convostore/internal/testrun"
)

// TestFoldIsCoarserThanUnicode: every letter, digit and mark of Unicode is the same as its
// spellings in another case and another normal form, alone and beside letters, and its term is
// itself.
func TestFoldIsCoarserThanUnicode(t *testing.T) {
	t.Parallel()
	fold := cases.Fold()
	t.Log("unicode", unicode.Version, "norm", norm.Version, "cases", cases.UnicodeVersion)
	last := rune(unicode.MaxRune)
	if testrun.Race { // all takes a minute
		last = 0x3000
	}
	for r := rune(0x80); r <= last && !t.Failed(); r++ {
		if !unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl) {
			continue
		}
		c := string(r)
		for _, same := range []string{
			fold.String(c), norm.NFC.String(c), norm.NFD.String(c), norm.NFKC.String(c), norm.NFKD.String(c), strings.ToUpper(c), strings.ToLower(c),
		} {
			if same == c {
				continue
			}
			for _, around := range besides(r, same) {
				assert.Equal(t, terms(around[0]+c+around[1]), terms(around[0]+same+around[1]), "%U %q as %+q", r, c, same)
			}
		}
		checkTokens(t, c)
		checkTokens(t, "x"+c)
	}
}

// besides returns what to put around a character and its other spelling.
func besides(r rune, same string) [][2]string {
	spaced, dense, none := [][2]string{{"x", ""}, {"x", "x"}}, [][2]string{{"か", "き"}, {"ก", "า"}}, [][2]string{{"", ""}, {"", "か"}}
	switch {
	case strings.Contains(same, " "): // a sentence in one character
		return none[:1]
	case r == '\u0345', strings.HasPrefix(same, "ـ"): // a mark whose upper case is a letter, and marks with a letter to show them
		return spaced
	case strings.ContainsRune("ำຳ", r): // vowels of no letter
		return dense[1:]
	case r >= 'ㄱ' && r <= 'ㆎ' || r >= 'ﾠ' && r <= 'ￜ': // letters of Hangul by themselves, as in ㅋㅋㅋ
		return nil
	}
	return append(append(spaced, dense...), none...)
}
