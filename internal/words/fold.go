package words

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folded is the one form of all spellings of a character: NFKC, without case, and without the
// accents that people leave out.
type folded struct {
	text string
	// letters is how many characters it has, and parts are these if there are several.
	letters int
	parts   []string
	// broken says that not all of them are letters.
	broken bool
}

const (
	// maxTable is behind the alphabets of Europe.
	maxTable = 0x530
	// maxCharacter is how many bytes of a character with its marks are looked at, and maxMarks
	// how many of its marks: more are noise.
	maxCharacter = 64
	maxMarks     = 8
	// maxSpelled is how many characters that stand for several are remembered.
	maxSpelled = 256
)

// table has the folds of letters that nothing but a mark changes.
var table = sync.OnceValue(func() *[maxTable]folded {
	var t [maxTable]folded
	var f folder
	for r := range rune(len(t)) {
		if kindOf(r).is(letter) {
			t[r] = f.slow(string(r))
		}
	}
	return &t
})

// A folder remembers the folds of the characters of its last texts.
type folder struct {
	buf, out []byte
	cache    [256]struct {
		raw string
		folded
	}
	spelled map[string][]Token
	// misses counts what was not remembered.
	misses int
}

var folders = sync.Pool{New: func() any { return &folder{spelled: map[string][]Token{}} }}

// character folds a character with its marks.
func (f *folder) character(raw string) folded {
	r, n := utf8.DecodeRuneInString(raw)
	if n == len(raw) {
		switch {
		case r < maxTable:
			return table()[r]
		case isPlain(r):
			return folded{text: raw, letters: 1}
		}
	}
	if len(raw) > maxCharacter {
		end := maxCharacter
		for !utf8.RuneStart(raw[end]) {
			end--
		}
		raw = raw[:end]
	}
	hash := uint32(2166136261)
	for i := range len(raw) {
		hash = (hash ^ uint32(raw[i])) * 16777619
	}
	entry := &f.cache[(hash^hash>>16)%uint32(len(f.cache))]
	if entry.raw != raw {
		f.misses++
		entry.folded = f.slow(raw)
		entry.raw = strings.Clone(raw) // a part of the text would keep the text in memory
	}
	return entry.folded
}

// isPlain tells of the common characters that are their own fold: Chinese, Hangul, Kana, Thai.
func isPlain(r rune) bool {
	return r >= 0x4e00 && r < 0x9fff || r >= 0xac00 && r < 0xd7a4 || r >= 0x3041 && r < 0x3097 ||
		r >= 0x30a1 && r < 0x30fb || r >= 0xe01 && r < 0xe2f
}

// spell returns the tokens of a character that stands for several.
func (f *folder) spell(raw string) []Token {
	tokens, ok := f.spelled[raw]
	if ok {
		return tokens
	}
	f.misses++
	if len(f.spelled) == maxSpelled {
		clear(f.spelled)
	}
	tokens = slices.Collect(Tokens(norm.NFKC.String(raw)))
	f.spelled[strings.Clone(raw)] = tokens
	return tokens
}

func (f *folder) slow(raw string) folded {
	base, n := utf8.DecodeRuneInString(raw)
	f.out = f.out[:0]
	if whole, ok := wholeJamo(base); ok {
		f.buf = norm.NFKD.AppendString(utf8.AppendRune(f.buf[:0], whole), raw[n:])
	} else {
		f.buf = norm.NFKD.AppendString(f.buf[:0], raw)
	}
	highest, marks, ring := base, 0, -1
	for i := 0; i < len(f.buf); {
		r, n := utf8.DecodeRune(f.buf[i:])
		i += n
		switch k := kindOf(r); {
		case k == joiner || unicode.Is(unicode.Variation_Selector, r) || r == '\u034f':
			continue // no spelling
		case r == '\u0345' && kindOf(base).is(letter):
			r = 'ι' // as its upper case
		case k == mark:
			if marks++; marks > maxMarks || dropsMark(base, r) {
				continue
			}
			if r == saraRing || r == laoRing {
				ring = len(f.out)
			}
			f.out = utf8.AppendRune(f.out, r)
			continue
		case ring >= 0 && (r == saraAa || r == laoAa):
			f.out = append(f.out[:ring], f.out[ring+len("\u0e4d"):]...)
			r, ring = r+1, -1 // the vowel am follows the aa
		default:
			base, marks = r, 0
		}
		highest = max(highest, base)
		f.out = appendFold(f.out, r)
	}
	text := string(f.out)
	if highest <= 0xffff { // above, NFC composes wrongly (golang.org/issue/81028)
		text = norm.NFC.String(text)
	}
	return split(text)
}

func appendFold(to []byte, r rune) []byte {
	if plain, ok := plainLetters[r]; ok {
		return append(to, plain...)
	}
	return utf8.AppendRune(to, lower(r))
}

// lower by way of the upper case, which makes one of σ and ς, and of i and ı.
func lower(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// wholeJamo returns the letter of Hangul that stands by itself (ㅋㅋㅋ, ㅠㅠ) and is not to be joined
// with its neighbours, as what NFKC makes of it would be.
func wholeJamo(r rune) (rune, bool) {
	switch {
	case r >= firstJamo && r <= lastJamo:
		return r, true
	case r >= 0xffa0 && r <= 0xffdc: // narrow ones
		whole, ok := narrowJamo()[norm.NFKD.String(string(r))]
		return whole, ok
	}
	return 0, false
}

const firstJamo, lastJamo = 'ㄱ', '\u318e'

var narrowJamo = sync.OnceValue(func() map[string]rune {
	whole := map[string]rune{}
	for r := firstJamo; r <= lastJamo; r++ {
		whole[norm.NFKD.String(string(r))] = r
	}
	return whole
})

// split finds the letters of a fold.
func split(text string) folded {
	f := folded{text: text}
	for at := 0; at < len(text); {
		start := at
		_, at = character(text, at)
		f.parts = append(f.parts, text[start:at])
		f.broken = f.broken || !isLetter(text[start:])
	}
	f.letters = len(f.parts)
	if f.letters == 1 {
		f.parts = nil
	}
	return f
}

// isLetter tells whether a text begins with a letter or a digit.
func isLetter(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	k := kindOf(r)
	return k.is(letter) || k.is(dense)
}

// dropsMark: Latin and Greek lose all marks, Cyrillic all but the breve of й and ў, Hebrew,
// Arabic and Syriac their points. In every other script a mark is a part of the spelling.
func dropsMark(base, m rune) bool {
	switch {
	case unicode.Is(unicode.Me, m): // a circle around a letter
		return true
	case base < 0x250 || unicode.In(base, unicode.Latin, unicode.Greek, unicode.Hebrew, unicode.Arabic, unicode.Syriac):
		return true
	case unicode.Is(unicode.Cyrillic, base):
		return m != '\u0306'
	}
	return false
}

// plainLetters are the letters that Unicode does not take apart, as people type them without.
var plainLetters = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'đ': "d", 'Đ': "d", 'ø': "o", 'Ø': "o", 'ł': "l", 'Ł': "l", 'æ': "ae", 'Æ': "ae",
	'œ': "oe", 'Œ': "oe", 'ð': "d", 'Ð': "d", 'þ': "th", 'Þ': "th", 'ħ': "h", 'Ħ': "h", 'ŧ': "t", 'Ŧ': "t",
}
