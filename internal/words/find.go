package words

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// Match is a place where a text has a term.
type Match struct {
	Span
	// Term is the index of the term.
	Term int
}

const (
	// maxTerms and maxMatches bound the terms to look for and the matches: a snippet has no room
	// for more.
	maxTerms   = 100
	maxMatches = 1000
	// together is the length in bytes of a part of a text that is good enough for a snippet once
	// it has all terms.
	together = 200
)

// Find returns the matches of terms in a text, sorted by their start. It ignores case and
// accents. It stops shortly after the first part of the text that has all terms close together.
func Find(text string, terms []Term) []Match {
	f := newFinder(terms)
	for s := range Tokens(text) {
		f.word(s)
		if len(f.found) >= maxMatches || f.enough > 0 && s.Start > f.enough {
			break
		}
	}
	slices.SortStableFunc(f.found, func(a, b Match) int { return a.Start - b.Start })
	return f.found
}

type finder struct {
	terms []folded
	// first has the terms by their first word, and open those whose first word is a prefix.
	first map[string][]int
	open  []int
	// begun are the phrases whose first words match up to the current word.
	begun []phrase
	found []Match
	// last is the start of each term's last match, and enough the byte after which to stop, 0 if
	// not known yet.
	last   []int
	enough int
}

type folded struct {
	words  []string
	prefix bool
}

type phrase struct{ term, next, start int }

func newFinder(terms []Term) *finder {
	f := &finder{first: map[string][]int{}}
	for i, t := range terms[:min(len(terms), maxTerms)] {
		term := folded{prefix: t.Prefix}
		term.words = t.Words
		f.terms = append(f.terms, term)
		if t.Prefix && len(t.Words) == 1 {
			f.open = append(f.open, i)
		} else {
			f.first[term.words[0]] = append(f.first[term.words[0]], i)
		}
		f.last = append(f.last, -together)
	}
	return f
}

// word continues the phrases that have begun and begins those that begin with this word.
func (f *finder) word(s Token) {
	begun := f.begun
	f.begun = f.begun[:0]
	for _, p := range begun {
		f.advance(p, s)
	}
	for _, term := range f.first[s.Term] {
		f.advance(phrase{term: term, start: s.Start}, s)
	}
	for _, term := range f.open {
		f.advance(phrase{term: term, start: s.Start}, s)
	}
}

// advance compares the current word with the next word of a phrase. It records a match at the
// last word and keeps the phrase before that.
func (f *finder) advance(p phrase, s Token) {
	t := f.terms[p.term]
	last := p.next == len(t.words)-1
	word, want := s.Term, t.words[p.next]
	if last && t.prefix {
		word = word[:min(len(word), len(want))]
	}
	if word != want {
		return
	}
	if last {
		f.found = append(f.found, Match{Span{p.start, s.End}, p.term})
		f.last[p.term] = p.start
		if f.enough == 0 && slices.Min(f.last) > s.End-together {
			f.enough = s.End + 5*together
		}
		return
	}
	p.next++
	f.begun = append(f.begun, p)
}

// FindPart returns where a text contains part, ignoring case, in order and without overlaps.
func FindPart(text, part string) []Match {
	var found []Match
	first, _ := utf8.DecodeRuneInString(part)
	for i := 0; i < len(text) && part != "" && len(found) < maxMatches; {
		r, size := utf8.DecodeRuneInString(text[i:])
		if sameLetter(r, first) {
			if n := prefixFold(text[i:], part); n > 0 {
				found = append(found, Match{Span: Span{i, i + n}})
				i += n
				continue
			}
		}
		i += size
	}
	return found
}

// prefixFold returns how many bytes at the beginning of text equal part when case is ignored, 0 if
// they do not.
func prefixFold(text, part string) int {
	at := 0
	for _, p := range part {
		r, size := utf8.DecodeRuneInString(text[at:])
		if size == 0 || !sameLetter(r, p) {
			return 0
		}
		at += size
	}
	return at
}

func sameLetter(a, b rune) bool {
	return a == b || unicode.ToLower(a) == unicode.ToLower(b)
}
