package searchtest

import (
	"slices"
	"strings"

	"github.com/convostore/convostore/internal/words"
)

// Said is a text in the language that its conversation names, empty for none.
type Said struct{ Value, Language string }

// Forms say which forms of words are the same. The zero value knows none.
type Forms struct {
	// Standard is the language of texts that name none.
	Standard string
	// Stemmers are all that there are.
	Stemmers []Suffixes
	// Only is the language of the query, empty for that of each text.
	Only string
}

// of returns the stemmer for a text that names a language, or none.
func (f Forms) of(said string) *Suffixes {
	if said == "" {
		said = f.Standard
	}
	i := slices.IndexFunc(f.Stemmers, func(s Suffixes) bool { return s.Code == said })
	if i < 0 || f.Only != "" && f.Only != said {
		return nil
	}
	return &f.Stemmers[i]
}

// Suffixes is a small stemmer, which takes the first of some ends off a word of which at least
// three letters are left.
type Suffixes struct {
	Code   string
	Number string // the version
	Ends   []string
}

// Language implements store.Stemmer.
func (s Suffixes) Language() string { return s.Code }

// Version implements store.Stemmer.
func (s Suffixes) Version() string { return s.Number }

// Stem implements store.Stemmer.
func (s Suffixes) Stem(word string) string {
	for _, end := range s.Ends {
		if stem, ok := strings.CutSuffix(word, end); ok && len([]rune(stem)) >= 3 {
			return stem
		}
	}
	return word
}

// Stemmers are the stemmers that the table of [Languages] is for, with English as the standard.
func Stemmers() []Suffixes {
	return []Suffixes{
		{Code: "en", Number: "1", Ends: []string{"ments", "ment", "ings", "ing", "ed", "ies", "es", "s", "y", "e"}},
		{Code: "de", Number: "1", Ends: []string{"ungen", "ung", "en", "ern", "er", "es", "e", "n"}},
		{Code: "fr", Number: "1", Ends: []string{"ées", "ée", "és", "é", "ements", "ement", "er", "es", "e", "s"}},
		{Code: "ru", Number: "1", Ends: []string{"ами", "ов", "ы", "а", "у", "е"}},
	}
}

// doc is a text with its words, and the stemmer of its language, if there is one.
type doc struct {
	Said
	tokens  []words.Token
	stemmer *Suffixes
}

// stem is the folded stem of a word, which may be with accents.
func (s Suffixes) stem(word string) string {
	var folded strings.Builder
	for t := range words.Tokens(s.Stem(word)) {
		folded.WriteString(t.Term)
	}
	return folded.String()
}

// forms are the indexes of the tokens that have the term's stem.
func (d doc) forms(t term) (places []int) {
	if t.word == "" || d.stemmer == nil {
		return nil
	}
	for i, token := range d.tokens {
		if word := token.Word(d.Value); word != "" && d.stemmer.stem(word) == d.stemmer.stem(t.word) {
			places = append(places, i)
		}
	}
	return places
}

// count is how often a text has a term: as often as the word itself, or as any of its forms.
func (d doc) count(t term) float64 { return float64(max(len(t.places(d.tokens)), len(d.forms(t)))) }
