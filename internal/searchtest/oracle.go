package searchtest

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/convostore/convostore/internal/words"
)

// The constants of BM25.
const (
	k1 = 1.2
	b  = 0.75
)

// Hit is a text that a query finds.
type Hit struct {
	// Text is its index in the texts.
	Text  int
	Score float64
}

// Find returns the texts that a query finds, in the order of the texts, with their scores by
// BM25 among these texts. [Part] has no scores.
func Find(texts []string, ask string, how How) []Hit {
	all := make([]Said, len(texts))
	for i, text := range texts {
		all[i].Value = text
	}
	return FindForms(all, ask, how, Forms{})
}

// FindForms is Find for texts in several languages, by the forms of their words.
func FindForms(texts []Said, ask string, how How, forms Forms) []Hit {
	var hits []Hit
	if how == Part {
		part := lower(strings.TrimSpace(ask))
		for i, text := range texts {
			if part != "" && strings.Contains(lower(text.Value), part) {
				hits = append(hits, Hit{Text: i})
			}
		}
		return hits
	}
	q := parse(ask, how, forms)
	all := make([]doc, len(texts))
	for i, text := range texts {
		all[i] = doc{text, slices.Collect(words.Tokens(text.Value)), forms.of(text.Language)}
	}
	for i, text := range all {
		if q.matches(text) {
			hits = append(hits, Hit{Text: i, Score: q.score(all, text)})
		}
	}
	return hits
}

// Ranked sorts hits by their score, highest first. Hits with the same score stay as they are.
func Ranked(hits []Hit) []Hit {
	sorted := slices.Clone(hits)
	slices.SortStableFunc(sorted, func(x, y Hit) int { return cmp.Compare(y.Score, x.Score) })
	return sorted
}

// MarksOf returns the parts of a text that the terms of a query take, in order. Parts that touch
// are one. That is what a snippet marks if it has all of the text.
func MarksOf(text, ask string, how How) []string {
	return MarksOfForms(Said{Value: text}, ask, how, Forms{})
}

// MarksOfForms is MarksOf for a text in a language.
func MarksOfForms(of Said, ask string, how How, forms Forms) []string {
	text := of.Value
	marked := make([]bool, len(text))
	if how == Part {
		markParts(marked, text, strings.TrimSpace(ask))
	} else {
		d := doc{of, slices.Collect(words.Tokens(text)), forms.of(of.Language)}
		for _, group := range parse(ask, how, forms).groups {
			for _, t := range group {
				d.mark(marked, t)
			}
		}
	}
	var parts []string
	for at := 0; at < len(text); {
		end := at
		for end < len(text) && marked[end] {
			end++
		}
		if end > at {
			parts = append(parts, text[at:end])
		}
		at = end + 1
	}
	return parts
}

// mark marks the places of a term.
func (d doc) mark(marked []bool, t term) {
	for _, at := range append(t.places(d.tokens), d.forms(t)...) {
		for i := d.tokens[at].Start; i < t.end(d.tokens[at:]); i++ {
			marked[i] = true
		}
	}
}

// markParts marks a part wherever it begins after the end of the one before.
func markParts(marked []bool, text, part string) {
	letters, want := []rune(lower(text)), []rune(lower(part))
	var starts []int
	for i := range text {
		starts = append(starts, i)
	}
	starts = append(starts, len(text))
	for i := 0; len(want) > 0 && i+len(want) <= len(letters); i++ {
		if slices.Equal(letters[i:i+len(want)], want) {
			for k := starts[i]; k < starts[i+len(want)]; k++ {
				marked[k] = true
			}
			i += len(want) - 1
		}
	}
}

// lower changes letter by letter, so that a text keeps its number of letters.
func lower(s string) string { return strings.Map(unicode.ToLower, s) }

// question is a query as it is understood: a text needs a term of each group, and none of not.
type question struct {
	groups [][]term
	not    []term
	// said are the terms of groups as often as the query has them.
	said []term
}

// term is a word, or several side by side. prefix says that the last is the beginning of a word.
type term struct {
	words  []string
	prefix bool
	// word is with its accents, empty if other forms of it are not asked for.
	word string
}

func (q question) matches(text doc) bool {
	has := func(t term) bool { return text.count(t) > 0 }
	for _, group := range q.groups {
		if !slices.ContainsFunc(group, has) {
			return false
		}
	}
	return len(q.groups) > 0 && !slices.ContainsFunc(q.not, has)
}

// places are the indexes of the tokens at which the term begins.
func (t term) places(text []words.Token) []int {
	var places []int
	for i := 0; i+len(t.words) <= len(text); i++ {
		if t.at(text[i:]) {
			places = append(places, i)
		}
	}
	return places
}

// end is where a term ends that begins with the first token. Two characters of a script without
// spaces are one word, of which a term may be the first.
func (t term) end(text []words.Token) int {
	last := text[len(t.words)-1]
	if t.word != "" {
		return last.End
	}
	if last.Term != t.words[len(t.words)-1] && len(text) > len(t.words) {
		return min(last.End, text[len(t.words)].Start)
	}
	return last.End
}

func (t term) at(text []words.Token) bool {
	for i, word := range t.words {
		is := text[i].Term
		if t.prefix && i == len(t.words)-1 && strings.HasPrefix(is, word) {
			continue
		}
		if is != word {
			return false
		}
	}
	return true
}

// score adds up BM25 over the different terms, in the order of the query, each as often as the
// query says it. A text without a word
// counts neither among the texts nor in their average length.
func (q question) score(all []doc, text doc) float64 {
	n, total := 0.0, 0.0
	for _, one := range all {
		if len(one.tokens) > 0 {
			n, total = n+1, total+float64(len(one.tokens))
		}
	}
	score := 0.0
	for _, t := range distinct(slices.Concat(q.groups...), term.equal) {
		df := 0.0
		for _, one := range all {
			if one.count(t) > 0 {
				df++
			}
		}
		times := 0.0
		tf, length := text.count(t), float64(len(text.tokens))/(total/n)
		idf := math.Log(1 + (n-df+0.5)/(df+0.5))
		for _, said := range q.said {
			if said.equal(t) {
				times++
			}
		}
		score += times * idf * tf * (k1 + 1) / (tf + k1*(1-b+b*length))
	}
	return score
}
