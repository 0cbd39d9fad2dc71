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

// unicodeWord reads a run of letters and digits with their marks, of any script with spaces.
func (s *scanner) unicodeWord() {
	s.piece = piece{term: s.piece.term[:0]}
	for s.at < len(s.text) {
		start := s.at
		r, n := rune(s.text[start]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s.text[start:])
		}
		if !kindOf(r).is(letter) {
			break
		}
		end := start + n
		s.at = end
		if end < len(s.text) && s.text[end] >= utf8.RuneSelf {
			end, s.at = character(s.text, start)
		}
		s.extend(s.folder().character(s.text[start:end]), start, end)
	}
	s.flush()
	s.sign(s.piece.last)
}

// extend appends a character to the piece, and begins a new piece where this one is full.
func (s *scanner) extend(f folded, start, end int) {
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
	for s.at < len(s.text) && !s.stop {
		start := s.at
		r, _ := utf8.DecodeRuneInString(s.text[start:])
		if !kindOf(r).is(dense) {
			break
		}
		var end int
		end, s.at = character(s.text, start)
		raw := s.text[start:end]
		if f := s.folder().character(raw); f.letters == 1 {
			now := denseChar{Span{start, end}, f.text, f.text == raw}
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
func (s *scanner) pairs(before denseChar, f folded, span Span) denseChar {
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
