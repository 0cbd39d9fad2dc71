package bench

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/convostore/convostore/store"
)

// ask is one search by words or by a part of one, for both sides.
type ask struct {
	name  string
	kind  askKind
	words []string
	order store.TextOrder
}

type askKind int

const (
	allWords askKind = iota // of which there is one here
	phrase
	prefix
	anyWord
	substring
)

// library is the query and its options as the library takes them.
func (a ask) library() (string, store.TextOptions) {
	o := store.TextOptions{Order: a.order}
	text := strings.Join(a.words, " ")
	switch a.kind {
	case phrase:
		text = `"` + text + `"`
	case prefix:
		text += "*"
	case anyWord:
		o.Match = store.MatchAny
	case substring:
		o.Match, o.Order = store.MatchSubstring, store.Newest
	}
	return text, o
}

// fts5 is the query as FTS5 takes it.
func (a ask) fts5() string {
	switch a.kind {
	case phrase:
		return `"` + strings.Join(a.words, " ") + `"`
	case prefix:
		return `"` + a.words[0] + `"*`
	case anyWord:
		return `("` + strings.Join(a.words, `" OR "`) + `")`
	}
	return `"` + strings.Join(a.words, `" "`) + `"`
}

// tsquery is the query as to_tsquery takes it.
func (a ask) tsquery() string {
	switch a.kind {
	case phrase:
		return strings.Join(a.words, " <-> ")
	case prefix:
		return a.words[0] + ":*"
	case anyWord:
		return strings.Join(a.words, " | ")
	}
	return strings.Join(a.words, " & ")
}

// questionWords is how many different words the long question has.
const questionWords = 100

// asks are the searches that are measured.
func (c *searchCorpus) asks() []ask {
	rare, common := wordIn(c.inTexts, c.messages/10_000), wordIn(c.inTexts, c.messages/5)
	medium := wordIn(c.inTexts, c.messages/100)
	side := []string{wordOf(0), wordOf(1)}
	return []ask{
		{"a rare word", allWords, []string{rare}, store.ByRank},
		{"a word of one text in 100", allWords, []string{medium}, store.ByRank},
		{"a common word", allWords, []string{common}, store.ByRank},
		{"a common word, newest", allWords, []string{common}, store.Newest},
		{"a phrase of the two most common words", phrase, side, store.ByRank},
		{"a prefix of four letters", prefix, []string{medium[:4]}, store.ByRank},
		{"any of 100 words", anyWord, question(), store.ByRank},
		{"a part of a rare word", substring, []string{rare[1:]}, store.Newest},
		{"a part of a common word", substring, []string{common[1:]}, store.Newest},
	}
}

// question has different words, common ones first of all, as a text has.
func question() (words []string) {
	zipf := rand.NewZipf(rand.New(rand.NewPCG(7, 100)), 1.1, 2.7, vocabulary-1)
	for len(words) < questionWords {
		if w := wordOf(int(zipf.Uint64())); !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}
