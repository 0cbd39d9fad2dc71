package words

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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
	for s := range Split(text) {
		f.word(text, s)
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
	buf    []byte
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
		for _, w := range t.Words {
			term.words = append(term.words, string(fold(nil, w)))
		}
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
func (f *finder) word(text string, s Span) {
	f.buf = fold(f.buf[:0], text[s.Start:s.End])
	begun := f.begun
	f.begun = f.begun[:0]
	for _, p := range begun {
		f.advance(p, s)
	}
	for _, term := range f.first[string(f.buf)] {
		f.advance(phrase{term: term, start: s.Start}, s)
	}
	for _, term := range f.open {
		f.advance(phrase{term: term, start: s.Start}, s)
	}
}

// advance compares the current word with the next word of a phrase. It records a match at the
// last word and keeps the phrase before that.
func (f *finder) advance(p phrase, s Span) {
	t := f.terms[p.term]
	last := p.next == len(t.words)-1
	word, want := f.buf, t.words[p.next]
	if last && t.prefix {
		word = word[:min(len(word), len(want))]
	}
	if string(word) != want {
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

// maxFolded is how many bytes of a word are compared at most. No term is longer.
const maxFolded = 16 << 10

// fold appends a word in lower case and without accents.
func fold(to []byte, word string) []byte {
	word = word[:min(len(word), maxFolded)]
	for i := range len(word) {
		c := word[i]
		if c >= utf8.RuneSelf {
			return foldUnicode(to[:len(to)-i], word)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

func foldUnicode(to []byte, word string) []byte {
	for _, r := range norm.NFD.String(word) {
		if !unicode.Is(unicode.Mn, r) {
			to = utf8.AppendRune(to, unicode.ToLower(r))
		}
	}
	return to
}
