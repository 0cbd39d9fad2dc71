package words

import (
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// kind is what a character means for the words around it.
type kind uint16

const (
	other   kind = iota // a space, a sign: it ends a word
	letter              // or a digit
	mark                // an accent, a vowel sign
	joiner              // without a width, inside words and behind them
	dense               // a letter of a script that writes without spaces
	several             // one that stands for several characters, or for one in another place: ½ ² № ﷺ ㈱
	pictograph
	flag // one half of a flag
)

// What a kind says besides, as bits of it.
const (
	// tail: this letter belongs to the character before it, if there is one of its kind.
	tail kind = 1 << (4 + iota)
	// bare: a letter of Latin, Greek, Hebrew, Arabic or Syriac loses all its marks, bareButBreve: one
	// of Cyrillic all but the breve of й and ў. In every other script a mark is a part of the spelling.
	bare
	bareButBreve
	// noise: this mark is no part of any spelling, as a circle around a letter.
	noise
)

func (k kind) is(want kind) bool { return k&0xf == want }

// pages are the kinds of 256 characters each, found out when the first of them is met.
var pages [unicode.MaxRune>>8 + 1]atomic.Pointer[[256]kind]

func kindOf(r rune) kind {
	page := pages[r>>8].Load()
	if page == nil {
		page = new([256]kind)
		for i := range page {
			page[i] = classify(r&^0xff | rune(i))
		}
		pages[r>>8].Store(page)
	}
	return page[r&0xff]
}

var denseScripts = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

func classify(r rune) kind {
	switch {
	case unicode.In(r, unicode.Me, unicode.Variation_Selector), r == '\u034f':
		return mark | noise
	case unicode.IsMark(r), r == 'ﾞ', r == 'ﾟ': // the voice marks of narrow Katakana
		return mark
	case r == 'ـ': // the stretch of Arabic
		return joiner
	case unicode.In(r, unicode.L, unicode.Nl, unicode.Nd):
		return classifyLetter(r)
	case r == '\u200b': // a space without a width
		return other
	case unicode.Is(unicode.Cf, r), r >= 0x1f3fb && r <= 0x1f3ff: // the colours of a skin
		return joiner
	case r >= 0x1f1e6 && r <= 0x1f1ff:
		return flag
	case r == '™' || r == '℠': // they say nothing about the word before them
		return other
	case unicode.In(r, unicode.So, unicode.No, unicode.Sc):
		return classifySymbol(r)
	}
	return other
}

func classifyLetter(r rune) kind {
	k := letter
	switch {
	case strings.Contains(norm.NFKC.String(string(r)), " "):
		return several
	case !unicode.Is(unicode.Nd, r) && (unicode.In(r, denseScripts...) || r == 'ー' || r == 'ｰ'):
		k = dense
	}
	switch {
	case r >= 0x1160 && r <= 0x11ff, r >= 0xd7b0 && r <= 0xd7fb, // vowels and finals of Hangul in parts
		r == saraAm, r == laoAm,
		!norm.NFC.PropertiesString(string(r)).BoundaryBefore():
		k |= tail
	}
	switch {
	case r < 0x250, unicode.In(r, unicode.Latin, unicode.Greek, unicode.Hebrew, unicode.Arabic, unicode.Syriac):
		k |= bare
	case unicode.Is(unicode.Cyrillic, r):
		k |= bareButBreve
	}
	return k
}

// classifySymbol tells of the symbols that are written words and numbers.
func classifySymbol(r rune) kind {
	all, some := true, false
	plain := norm.NFKC.String(string(r))
	for _, c := range plain {
		is := unicode.In(c, unicode.L, unicode.Nd)
		some = some || is
		all = all && is && classify(c).is(dense)
	}
	switch {
	case plain == string(r) && isPictograph(r):
		return pictograph
	case plain == string(r) && unicode.Is(unicode.No, r):
		return letter
	case plain == string(r):
		return other
	case all:
		return dense
	case r >= 'Ⓐ' && r <= 'ⓩ', r >= 0x1f130 && r <= 0x1f149: // letters in circles and squares
		return letter
	case some:
		return several
	}
	return other
}

func isPictograph(r rune) bool {
	return r >= 0x2300 && r < 0x2400 || r >= 0x2600 && r < 0x27c0 || r >= 0x2b00 && r < 0x2c00 || r >= 0x1f000 && r < 0x1fb00
}

// The vowels am of Thai and Lao, which are typed as one character, or as a ring and an aa with
// a tone before, between or behind.
const (
	saraAm, saraRing, saraAa = 'ำ', '\u0e4d', 'า'
	laoAm, laoRing, laoAa    = 'ຳ', '\u0ecd', 'າ'
)

// character returns where the character at a byte ends, with its marks, and where the next one
// begins: there may be joiners between them.
func character(text string, at int) (end, next int) {
	first, n := utf8.DecodeRuneInString(text[at:])
	end, next = at+n, at+n
	own, ring := kindOf(first)&0xf|tail, false
	for next < len(text) && text[next] >= utf8.RuneSelf {
		r, n := utf8.DecodeRuneInString(text[next:])
		k := kindOf(r)
		switch {
		case k.is(mark), k&^(bare|bareButBreve) == own, ring && own == dense|tail && (r == saraAa || r == laoAa):
			end = next + n
		case k != joiner:
			return end, next
		}
		ring = ring || r == saraRing || r == laoRing
		next += n
	}
	return end, next
}
