// Package words cuts texts into words, parses full-text queries, and finds the words of a query
// in a text. The index, the query and the snippet share its words, so that what one has, the
// others find.
package words

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Version changes whenever the same text gives other terms. An index made by another version
// has to be made again.
const Version = 1

const (
	// maxLetters is the most letters of a term, and maxTerm the most bytes. A longer run is cut
	// into several terms side by side, so that it is still found exactly, as a phrase.
	maxLetters = 64
	maxTerm    = 256
)

// Span is a part of a text, from byte Start to before byte End.
type Span struct{ Start, End int }

// Token is a word of a text.
type Token struct {
	// Span is the part of the text that the token stands for. Those of neighbours may overlap.
	Span
	// Term is the folded word.
	Term string
	// Pos counts from 0 without a gap.
	Pos int
	// Single is the last character of a run without spaces, which no second one follows.
	Single bool

	// dense says that Term is one or two characters of a script without spaces; the first
	// takes head bytes of the span and headTerm bytes of the term.
	dense          bool
	head, headTerm int32
}

// Tokens iterates over the tokens of a text, sorted by Start and by End. Every text has tokens
// or none, never an error, in time and memory in proportion to its length.
//
// A word is a run of letters and digits with their marks; every sign ends it. So a compound such
// as foo_bar or ann@example.com is its parts side by side. ++ and # after a letter are words.
// Scripts without spaces have a token for each pair of neighbours in a run, and one for the last
// character alone: n for n characters. A pictograph is a token.
func Tokens(text string) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		s := scanner{text: text, yield: yield}
		defer s.release()
		s.run()
	}
}

type scanner struct {
	text  string
	yield func(Token) bool
	at    int
	pos   int
	stop  bool
	fold  *folder // nil until it is needed
	piece piece
}

func (s *scanner) folder() *folder {
	if s.fold == nil {
		s.fold, _ = folders.Get().(*folder)
	}
	return s.fold
}

func (s *scanner) release() {
	if s.fold != nil {
		s.fold.plain = folded{} // a part of the text
		folders.Put(s.fold)
	}
}

func (s *scanner) emit(t Token) {
	if s.stop || t.Term == "" {
		return
	}
	t.Pos = s.pos
	s.pos++
	s.stop = !s.yield(t)
}

func (s *scanner) run() {
	for s.at < len(s.text) && !s.stop {
		if c := s.text[s.at]; c < utf8.RuneSelf {
			if isASCII[c] {
				s.word()
			} else {
				s.at++
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		switch k := kindOf(r); {
		case k.is(letter):
			s.unicodeWord()
		case k.is(dense):
			s.denseRun()
		case k == pictograph:
			start := s.at
			_, s.at = character(s.text, start)
			s.emit(Token{Span: Span{start, s.at}, Term: s.text[start : start+n]})
		case k == flag:
			s.flag(n)
		case k == several:
			s.spell(r, n)
		default:
			s.at += n
		}
	}
}

// isASCII has the letters and digits of ASCII.
var isASCII = func() (is [utf8.RuneSelf]bool) {
	for c := range is {
		is[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	return is
}()

// word reads a word of ASCII, the most common by far.
func (s *scanner) word() {
	start, at, upper := s.at, s.at, false
	for at < len(s.text) && at-start < maxLetters {
		c := s.text[at]
		if c >= utf8.RuneSelf || !isASCII[c] {
			break
		}
		upper = upper || 'A' <= c && c <= 'Z'
		at++
	}
	if at < len(s.text) && s.text[at] >= utf8.RuneSelf {
		r, _ := utf8.DecodeRuneInString(s.text[at:])
		if k := kindOf(r); k.is(letter) || k.is(mark) || k == joiner {
			s.unicodeWord()
			return
		}
	}
	s.at = at
	term := s.text[start:at]
	if upper {
		term = strings.ToLower(term)
	}
	s.emit(Token{Span: Span{start, at}, Term: term})
	s.sign(term)
}

// sign makes a term of the ++ of C++ and of the # of C#, behind a word that ends with a letter.
func (s *scanner) sign(word string) {
	rest := s.text[s.at:]
	var n int
	switch {
	case strings.HasPrefix(rest, "++"):
		n = 2
	case strings.HasPrefix(rest, "#"):
		n = 1
	default:
		return
	}
	if last, _ := utf8.DecodeLastRuneInString(word); word == "" || unicode.IsDigit(last) {
		return
	}
	// C++17 has the sign, a++b and a# b#c have none.
	next, _ := utf8.DecodeRuneInString(rest[n:])
	if len(rest) > n && (next == rune(rest[0]) || kindOf(next).is(letter) && (n == 1 || !unicode.IsDigit(next))) {
		return
	}
	s.emit(Token{Span: Span{s.at, s.at + n}, Term: rest[:n]})
	s.at += n
}

func (s *scanner) flag(n int) {
	start := s.at
	s.at += n
	if r, w := utf8.DecodeRuneInString(s.text[s.at:]); w > 0 && kindOf(r) == flag {
		s.at += w
	}
	s.emit(Token{Span: Span{start, s.at}, Term: s.text[start:s.at]})
}

// spell gives the words of a character that stands for several.
func (s *scanner) spell(r rune, n int) {
	span := Span{s.at, s.at + n}
	s.at += n
	for _, t := range s.folder().spell(r) {
		t.Span, t.head = span, int32(n)
		s.emit(t)
	}
}

// spell returns the tokens of a character that stands for several.
func (f *folder) spell(r rune) []Token {
	tokens, ok := f.spelled[r]
	if !ok {
		tokens = slices.Collect(Tokens(norm.NFKC.String(string(r))))
		f.spelled[r] = tokens
	}
	return tokens
}
