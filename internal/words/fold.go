package words

import (
	"strings"
	"sync"
	"sync/atomic"
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
	// maxCharacter is how many bytes of a character with its marks are looked at, and maxMarks
	// how many of its marks: more are noise.
	maxCharacter = 64
	maxMarks     = 8
	// maxRemembered is how many characters with marks a folder remembers.
	maxRemembered = 1024
)

// foldPages are the folds of 256 characters without marks each, made when the first of them is
// met.
var foldPages [unicode.MaxRune>>8 + 1]atomic.Pointer[[256]folded]

func foldOf(r rune) *folded {
	page := foldPages[r>>8].Load()
	if page == nil {
		page = new([256]folded)
		var f folder
		for i := range page {
			c := r&^0xff | rune(i)
			if k := kindOf(c); k.is(letter) || k.is(dense) {
				page[i] = f.slow(string(c))
			}
		}
		foldPages[r>>8].Store(page)
	}
	return &page[r&0xff]
}

// A folder remembers the folds of the characters of its last texts.
type folder struct {
	buf, out []byte
	plain    folded
	cache    []remembered // by hash, made when it is needed
	// spelled are the tokens of characters that stand for several. There are some hundreds.
	spelled map[rune][]Token
	// misses counts what was not remembered.
	misses int
}

type remembered struct {
	raw string
	folded
}

var folders = sync.Pool{New: func() any { return &folder{spelled: map[rune][]Token{}} }}

// single folds a character without marks, r. The result is good until the next call.
func (f *folder) single(r rune, raw string) *folded {
	if isPlain(r) {
		f.plain = folded{text: raw, letters: 1}
		return &f.plain
	}
	return foldOf(r)
}

// character folds a character with its marks. The result is good until the next call.
func (f *folder) character(raw string) *folded {
	if r, n := utf8.DecodeRuneInString(raw); n == len(raw) {
		return f.single(r, raw)
	}
	if len(raw) > maxCharacter {
		end := maxCharacter
		for !utf8.RuneStart(raw[end]) {
			end--
		}
		raw = raw[:end]
	}
	if f.cache == nil {
		f.cache = make([]remembered, maxRemembered)
	}
	hash := uint32(2166136261)
	for i := range len(raw) {
		hash = (hash ^ uint32(raw[i])) * 16777619
	}
	entry := &f.cache[(hash^hash>>16)%maxRemembered]
	if entry.raw != raw {
		f.misses++
		raw = strings.Clone(raw) // a part of the text would keep the text in memory
		entry.raw, entry.folded = raw, f.slow(raw)
	}
	return &entry.folded
}

// isPlain tells of the common characters that are their own fold: Chinese, Hangul, Kana, Thai.
func isPlain(r rune) bool {
	return r >= 0x4e00 && r < 0x9fff || r >= 0xac00 && r < 0xd7a4 || r >= 0x3041 && r < 0x3097 ||
		r >= 0x30a1 && r < 0x30fb || r >= 0xe01 && r < 0xe2f
}

func (f *folder) slow(raw string) folded {
	if r, ok := syllable(raw); ok {
		return folded{text: string(r), letters: 1}
	}
	base, n := utf8.DecodeRuneInString(raw)
	f.out = f.out[:0]
	if whole, ok := wholeJamo(base); ok {
		f.buf = norm.NFKD.AppendString(utf8.AppendRune(f.buf[:0], whole), raw[n:])
	} else {
		f.buf = norm.NFKD.AppendString(f.buf[:0], raw)
	}
	highest, of, marks, ring := base, kindOf(base), 0, -1 // of is the kind of the letter before a mark
	for i := 0; i < len(f.buf); {
		r, n := utf8.DecodeRune(f.buf[i:])
		i += n
		k := kindOf(r)
		switch {
		case k.is(joiner) || k&noise != 0:
			continue
		case r == '\u0345' && of.is(letter):
			r = 'ι' // as its upper case
		case k.is(mark):
			if marks++; marks > maxMarks || of&bare != 0 || of&bareButBreve != 0 && r != '\u0306' {
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
			highest, of, marks = max(highest, r), k, 0
		}
		if k.is(dense) {
			f.out = utf8.AppendRune(f.out, r)
		} else {
			f.out = appendFold(f.out, r)
		}
	}
	out := f.out
	if highest <= 0xffff && !norm.NFC.IsNormal(out) { // above, NFC composes wrongly (golang.org/issue/81028)
		f.buf = norm.NFC.Append(f.buf[:0], out...)
		out = f.buf
	}
	if string(out) == raw {
		return split(raw)
	}
	return split(string(out))
}

func appendFold(to []byte, r rune) []byte {
	if plain, ok := plainLetters[r]; ok {
		return append(to, plain...)
	}
	return utf8.AppendRune(to, lower(r))
}

// lower by way of the upper case, which makes one of σ and ς, and of i and ı.
func lower(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// syllable composes a syllable of Hangul in parts, as whole texts are on some file systems.
func syllable(raw string) (rune, bool) {
	const first, vowel, final = 0x1100, 0x1161, 0x11a7 // the last is no final
	if len(raw) != 6 && len(raw) != 9 || raw[0] != 0xe1 || raw[3] != 0xe1 {
		return 0, false
	}
	l, _ := utf8.DecodeRuneInString(raw)
	v, _ := utf8.DecodeRuneInString(raw[3:])
	t := rune(final)
	if len(raw) == 9 {
		if t, _ = utf8.DecodeRuneInString(raw[6:]); t == final {
			return 0, false
		}
	}
	if l < first || l >= first+19 || v < vowel || v >= vowel+21 || t < final || t >= final+28 {
		return 0, false
	}
	return 0xac00 + ((l-first)*21+v-vowel)*28 + t - final, true
}

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
	for at := 0; at < len(text); f.letters++ {
		f.broken = f.broken || !isLetter(text[at:])
		_, at = character(text, at)
	}
	if f.letters > 1 {
		for at := 0; at < len(text); {
			start := at
			_, at = character(text, at)
			f.parts = append(f.parts, text[start:at])
		}
	}
	return f
}

// isLetter tells whether a text begins with a letter or a digit.
func isLetter(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	k := kindOf(r)
	return k.is(letter) || k.is(dense)
}

// plainLetters are the letters that Unicode does not take apart, as people type them without.
var plainLetters = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'đ': "d", 'Đ': "d", 'ø': "o", 'Ø': "o", 'ł': "l", 'Ł': "l", 'æ': "ae", 'Æ': "ae",
	'œ': "oe", 'Œ': "oe", 'ð': "d", 'Ð': "d", 'þ': "th", 'Þ': "th", 'ħ': "h", 'Ħ': "h", 'ŧ': "t", 'Ŧ': "t",
}
