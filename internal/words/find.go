package words

import "slices"

// Match is a place where a text has a term.
type Match struct {
	Span
	// Term is the index of the term.
	Term int
}

const (
	// maxMatches bounds the matches: a snippet has no room for more.
	maxMatches = 1000
	// together is the length in bytes of a part of a text that is good enough for a snippet once
	// it has all terms.
	together = 200
	// maxNested bounds how many terms are tried at a word that are each other's ends, the last
	// word only begun ("a a*", "a a a*" and so on): what has more is not asked by people.
	maxNested = 64
)

// Find returns the matches of terms in a text in a language, nil for none, sorted by their start;
// they may overlap. It stops shortly after the first part of the text that has all terms close
// together, and after about 1,000 matches. Its time is in proportion to the text and the terms.
func Find(text string, terms []Term, language *Language) []Match {
	return NewFinder(terms, language).Find(text)
}

// Finder finds the same terms in many texts. It may be used by several goroutines at a time.
type Finder struct {
	automaton
	terms []Term
	// language is that of the texts, nil if no term has other forms in it, and stems are the
	// terms by their stems.
	language *Language
	stems    map[string][]int
}

// NewFinder returns a Finder of terms in texts of a language, nil for none. A term without words
// is found nowhere.
func NewFinder(terms []Term, language *Language) *Finder {
	f := &Finder{automaton: newAutomaton(terms), terms: terms}
	if !language.HasStems() {
		return f
	}
	for i, t := range terms {
		if t.Word == "" {
			continue
		}
		if f.stems == nil {
			f.language, f.stems = language, map[string][]int{}
		}
		stem := language.StemOf(t.Word)
		f.stems[stem] = append(f.stems[stem], i)
	}
	return f
}

// Find does for a text what the function Find does.
func (f *Finder) Find(text string) []Match { return f.search(text).found }

// search is a walk through a text.
type search struct {
	*Finder
	state int
	// starts are those of the last tokens, by Pos modulo its length.
	starts []int
	found  []Match
	// last is the start of each term's last match, and enough the byte after which to stop, 0 if
	// not known yet.
	last   []int
	enough int
	// steps counts what was looked up.
	steps int
	// text is where it walks.
	text   string
	stemOf Stems
}

func (f *Finder) search(text string) *search {
	s := &search{Finder: f, text: text}
	if f.longest == 0 {
		return s
	}
	s.starts = make([]int, f.longest)
	s.last = slices.Repeat([]int{-together}, len(f.terms))
	for t := range Tokens(text) {
		s.token(t)
		if len(s.found) >= maxMatches || s.enough > 0 && t.Start > s.enough {
			break
		}
	}
	slices.SortStableFunc(s.found, func(a, b Match) int { return a.Start - b.Start })
	return s
}

// token records the terms that end with a token: those whose last word is the beginning of it,
// and those whose last word is it.
func (s *search) token(t Token) {
	s.starts[t.Pos%len(s.starts)] = t.Start
	s.steps += len(s.lengths)
	if begun := s.beginnings(t.Term); len(begun) > 0 {
		s.begun(t, begun)
	}
	if s.language != nil {
		s.otherForms(t)
	}
	word, ok := s.words[t.Term]
	if !ok {
		s.state = 0
		return
	}
	var tried int
	s.state, tried = s.step(s.state, word)
	s.steps += tried
	at := s.state
	if len(s.states[at].ends) == 0 {
		at = s.states[at].ending
	}
	for ; at != 0 && len(s.found) < maxMatches; at = s.states[at].ending {
		for _, term := range s.states[at].ends {
			s.match(term, t, t.End)
		}
	}
}

// otherForms records the terms of which the token is another form.
func (s *search) otherForms(t Token) {
	stem := s.stemOf.Of(s.language, s.text, t)
	if stem == "" {
		return
	}
	for _, term := range s.stems[stem] {
		if s.terms[term].Words[0] != t.Term {
			s.match(term, t, t.End)
		}
	}
}

func (s *search) begun(t Token, prefixes []int) {
	at, nested := s.state, 0
	for {
		if s.states[at].open {
			for _, p := range prefixes {
				for _, term := range s.begins[edge{at, p}] {
					words := s.terms[term].Words
					s.match(term, t, head(t, words[len(words)-1]))
				}
			}
			s.steps += len(prefixes)
			nested++
		}
		if at == 0 || nested == maxNested {
			return
		}
		at = s.states[at].opening
	}
}

func (s *search) match(term int, t Token, end int) {
	first := t.Pos - len(s.terms[term].Words) + 1
	start := s.starts[first%len(s.starts)]
	s.found = append(s.found, Match{Span{start, end}, term})
	s.last[term] = start
	if s.enough == 0 && slices.Min(s.last) > t.End-together {
		s.enough = t.End + 5*together
	}
}
