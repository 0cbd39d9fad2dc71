package words

import (
	"iter"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Version changes whenever the same text gives other terms.
const Version = 1

// maxTerm is the most bytes of a term: a longer run is cut into several, so that it is still
// found exactly, as a phrase of its pieces.
const maxTerm = 64

// Token is a term and the bytes of the text from Start to before End that it stands for.
type Token struct {
	Span
	// Term is the folded word.
	Term string
	// Pos counts from 0 without a gap.
	Pos int
	// Single is the last character of a run of a script without spaces, which no second one
	// follows.
	Single bool

	dense bool
}

// Span is a part of a text, from byte Start to before byte End.
type Span struct{ Start, End int }

// Tokens iterates over the tokens of a text. Every text has tokens or none, never an error; it takes
// time and memory in proportion to the text.
func Tokens(text string) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		s := scanner{text: text, yield: yield}
		s.run()
	}
}

type scanner struct {
	text  string
	yield func(Token) bool
	at    int
	pos   int
	fold  folder
	stop  bool
}

func (s *scanner) emit(term string, start, end int, dense, single bool) {
	if s.stop || term == "" {
		return
	}
	t := Token{Span: Span{start, end}, Term: term, Pos: s.pos, Single: single, dense: dense}
	s.pos++
	s.stop = !s.yield(t)
}

func (s *scanner) run() {
	for s.at < len(s.text) && !s.stop {
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		switch k := kindOf(r, n); k {
		case letter:
			s.word()
		case dense:
			s.dense()
		case pictograph:
			s.emit(string(r), s.at, s.at+n, false, false)
			s.at += n
		case flag:
			s.flag(n)
		case number: // ½ or ², of which NFKC makes digits
			s.pieces(norm.NFKC.String(s.text[s.at:s.at+n]), s.at, s.at+n)
			s.at += n
		default:
			s.at += n
		}
	}
}

// word reads a run of letters, digits and marks. What NFKC makes of a character may be several
// words.
func (s *scanner) word() {
	start, size, ascii := s.at, 0, true
	for s.at < len(s.text) && size < maxTerm {
		c := s.text[s.at]
		if c < utf8.RuneSelf {
			if ascii2kind[c] != letter {
				break
			}
			s.at++
			size++
			continue
		}
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		if k := kindOf(r, n); k != letter && k != mark && k != joiner {
			break
		} else if k == letter {
			size += n
		}
		ascii = false
		s.at += n
	}
	for s.at < len(s.text) && !ascii { // the marks of the last letter
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		if k := kindOf(r, n); k != mark && k != joiner {
			break
		}
		s.at += n
	}
	raw := s.text[start:s.at]
	if ascii {
		s.emit(strings.ToLower(raw), start, s.at, false, false)
	} else {
		s.pieces(s.fold.String(raw), start, s.at)
	}
	s.sign()
}

func (s *scanner) pieces(folded string, start, end int) {
	for _, piece := range strings.FieldsFunc(folded, func(r rune) bool { k := kindOf(r, 0); return k != letter && k != mark && k != dense }) {
		for len(piece) > 2*maxTerm { // only what NFKC made that long
			cut := 2 * maxTerm
			for !utf8.RuneStart(piece[cut]) {
				cut--
			}
			s.emit(piece[:cut], start, end, false, false)
			piece = piece[cut:]
		}
		s.emit(piece, start, end, false, false)
	}
}

// sign makes a term of the ++ of C++ and of the # of C#.
func (s *scanner) sign() {
	rest := s.text[s.at:]
	n := 0
	switch {
	case strings.HasPrefix(rest, "++"):
		n = 2
	case strings.HasPrefix(rest, "#"):
		n = 1
	default:
		return
	}
	if next, w := utf8.DecodeRuneInString(rest[n:]); w > 0 && (kindOf(next, w) == letter || next == rune(rest[0])) {
		return
	}
	if prev, w := utf8.DecodeLastRuneInString(s.text[:s.at]); kindOf(prev, w) == letter && !unicode.IsDigit(prev) {
		s.emit(rest[:n], s.at, s.at+n, false, false)
		s.at += n
	}
}

// dense gives each character of the run with its successor, and the last one alone: n terms for
// n characters, so a query of n characters is a phrase of n-1 terms, and one of a single
// character is the beginning of a term.
func (s *scanner) dense() {
	start, first := s.cluster()
	for {
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		if n == 0 || kindOf(r, n) != dense {
			s.emit(first, start, s.at, true, true)
			return
		}
		from := start + len(first)
		next, second := s.cluster()
		pair := s.text[start:s.at] // mostly as it is, without a copy
		if from != next || s.text[start:from] != first || s.text[from:s.at] != second {
			pair = first + second
		}
		s.emit(pair, start, s.at, true, false)
		if s.stop {
			return
		}
		start, first = next, second
	}
}

// cluster reads a character with its marks. More than a few marks are noise.
func (s *scanner) cluster() (start int, folded string) {
	start = s.at
	end := start
	for s.at < len(s.text) {
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		k := kindOf(r, n)
		if s.at > start && k != mark && k != joiner && !extends(r) {
			break
		}
		s.at += n
		if s.at-start <= maxTerm/4 {
			end = s.at
		}
	}
	if plainDense(s.text[start:end]) {
		return start, s.text[start:end]
	}
	return start, s.fold.String(s.text[start:end])
}

// plainDense tells of the common characters that are their own fold.
func plainDense(c string) bool {
	r, n := utf8.DecodeRuneInString(c)
	return n == len(c) && (r >= 0x4e00 && r < 0x9fff || r >= 0x3041 && r < 0x3097 || r >= 0x30a1 && r < 0x30fb || r >= 0xac00 && r < 0xd7a4 || r >= 0xe01 && r < 0xe33)
}

func (s *scanner) flag(n int) {
	start := s.at
	s.at += n
	if r, w := utf8.DecodeRuneInString(s.text[s.at:]); kindOf(r, w) == flag {
		s.at += w
	}
	s.emit(s.text[start:s.at], start, s.at, false, false)
}

// A folder makes one form of all spellings of a word: NFKC, without case, and without the
// accents that people leave out.
type folder struct{ buf, out []byte }

func (f *folder) String(s string) string {
	f.out = f.out[:0]
	for i, r := range s {
		if r >= maxFold || folds()[r] == "" {
			break
		}
		f.out = append(f.out, folds()[r]...)
		if i+utf8.RuneLen(r) == len(s) {
			return string(f.out)
		}
	}
	return f.slow(s)
}

const maxFold = 0x530 // Latin, Greek, Cyrillic

// folds are of single letters that nothing but a mark changes.
var folds = sync.OnceValue(func() *[maxFold]string {
	var t [maxFold]string
	var f folder
	for r := range rune(len(t)) {
		if unicode.IsLetter(r) || r < utf8.RuneSelf && ascii2kind[r] == letter {
			t[r] = f.slow(string(r))
		}
	}
	return &t
})

func (f *folder) slow(s string) string {
	f.buf = norm.NFKD.AppendString(f.buf[:0], s)
	f.out = f.out[:0]
	var base rune
	for i := 0; i < len(f.buf); {
		r, n := utf8.DecodeRune(f.buf[i:])
		i += n
		switch {
		case r == '\u034f' || r == 'ـ' || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
			continue // no spelling: joiners, the stretch of Arabic
		case r == '\u0345':
			r = 'ι' // as its upper case
		case unicode.Is(unicode.Mn, r):
			if dropsMark(base, r) {
				continue
			}
		default:
			base = r
		}
		if plain, ok := plainLetters[r]; ok {
			f.out = append(f.out, plain...)
			continue
		}
		f.out = utf8.AppendRune(f.out, foldRune(r))
	}
	return string(norm.NFC.Bytes(f.out))
}

// foldRune by way of the upper case, which makes one of σ and ς, i and ı.
func foldRune(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// dropsMark: Latin and Greek lose all marks, Cyrillic all but the breve of й, Hebrew and Arabic
// their points. In every other script a mark is a part of the spelling.
func dropsMark(base, m rune) bool {
	switch {
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
	'œ': "oe", 'Œ': "oe", 'ð': "d", 'Ð': "d", 'þ': "th", 'Þ': "th", 'ħ': "h", 'Ħ': "h",
}
