package words

import (
	"unicode/utf8"
)

// piece is a term that is being read.
type piece struct {
	Span
	term    []byte
	letters int
	last    string // the term before it in the word
}

// peek returns the character at a byte, of kind other at the end of the text.
func (s *scanner) peek(at int) (r rune, n int, k kind) {
	if at == len(s.text) {
		return 0, 0, other
	}
	r, n = utf8.DecodeRuneInString(s.text[at:])
	return r, n, kindOf(r)
}

// read reads the character at the beginning of the rest, which is r of n bytes, with its marks.
// It returns its fold and where it ends, and the character after it.
func (s *scanner) read(r rune, n int) (f *folded, end int, r2 rune, n2 int, k2 kind) {
	start := s.at
	end = start + n
	s.at = end
	r2, n2, k2 = s.peek(end)
	if k2 == other || k2&tail == 0 && (k2.is(letter) || k2.is(dense)) && r2 != saraAa && r2 != laoAa {
		return s.folder().single(r, s.text[start:end]), end, r2, n2, k2
	}
	end, s.at = character(s.text, start)
	r2, n2, k2 = s.peek(s.at)
	return s.folder().character(s.text[start:end]), end, r2, n2, k2
}

// unicodeWord reads a run of letters and digits with their marks, of any script with spaces.
func (s *scanner) unicodeWord() {
	s.piece = piece{term: s.piece.term[:0]}
	for r, n, k := s.peek(s.at); k.is(letter); {
		start := s.at
		var f *folded
		var end int
		f, end, r, n, k = s.read(r, n)
		s.extend(f, start, end)
	}
	s.flush()
	s.sign(s.piece.last)
}

// extend appends a character to the piece, and begins a new piece where this one is full.
func (s *scanner) extend(f *folded, start, end int) {
	p := &s.piece
	if !f.broken && p.letters+f.letters <= maxLetters && len(p.term)+len(f.text) <= maxTerm {
		p.add(f.text, f.letters, start, end)
		return
	}
	parts := f.parts
	if parts == nil {
		parts = []string{f.text}
	}
	for _, c := range parts {
		if !isLetter(c) {
			s.flush()
			continue
		}
		if p.letters == maxLetters || len(p.term)+len(c) > maxTerm {
			s.flush()
		}
		p.add(c, 1, start, end)
	}
}

func (p *piece) add(text string, letters, start, end int) {
	if len(p.term) == 0 {
		p.Start = start
	}
	p.End = end
	p.term = append(p.term, text...)
	p.letters += letters
}

// flush emits the piece.
func (s *scanner) flush() {
	p := &s.piece
	if len(p.term) == 0 {
		return
	}
	term := s.text[p.Start:p.End]
	if string(p.term) != term {
		term = string(p.term)
	}
	p.term, p.letters, p.last = p.term[:0], 0, term
	s.emit(Token{Span: p.Span, Term: term})
}

// denseChar is a character of a script without spaces. plain says that it is its own fold.
type denseChar struct {
	Span
	term  string
	plain bool
}

// denseRun reads a run of a script without spaces.
func (s *scanner) denseRun() {
	var before denseChar
	for r, n, k := s.peek(s.at); k.is(dense) && !s.stop; {
		start := s.at
		var f *folded
		var end int
		f, end, r, n, k = s.read(r, n)
		if f.letters == 1 {
			now := denseChar{Span{start, end}, f.text, f.text == s.text[start:end]}
			s.pair(before, now)
			before = now
		} else {
			before = s.pairs(before, f, Span{start, end})
		}
	}
	if before.term != "" {
		s.emitDense(before, before.End, before.term, true)
	}
}

// pairs emits the pairs of a character that is written for several, and returns the last of them.
func (s *scanner) pairs(before denseChar, f *folded, span Span) denseChar {
	at := 0
	for i, part := range f.parts {
		now := denseChar{Span: span, term: part}
		if i == 0 {
			s.pair(before, now)
		} else {
			s.emitDense(before, span.End, f.text[at:at+len(before.term)+len(part)], false)
			at += len(before.term)
		}
		before = now
	}
	return before
}

// pair emits two characters as a token, if there is a first one.
func (s *scanner) pair(a, b denseChar) {
	switch {
	case a.term == "":
	case a.plain && b.plain && a.End == b.Start:
		s.emitDense(a, b.End, s.text[a.Start:b.End], false)
	default:
		s.emitDense(a, b.End, a.term+b.term, false)
	}
}

// emitDense emits a token that begins with a character.
func (s *scanner) emitDense(first denseChar, end int, term string, single bool) {
	s.emit(Token{
		Span: Span{first.Start, end}, Term: term, Single: single,
		dense: true, head: int32(first.End - first.Start), headTerm: int32(len(first.term)),
	})
}
