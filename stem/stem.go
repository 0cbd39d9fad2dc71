// Package stem has the stemmers of the Snowball project for convostore.WithStemming: with them a
// search for pay finds paying, in English and fourteen other languages.
//
//	st, err := sqlite.Open(ctx, "chat.db", convostore.WithStemming("en", stem.English, stem.German))
//
// It is a module of its own, so that hosts without stemming do not get the code. The stemmers are
// those that Snowball's own compiler writes for Go, in the module blevesearch/snowballstem, which
// depends on nothing else.
package stem

import (
	"strings"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/turkish"

	"github.com/convostore/convostore/store"
)

// Stemmer is one of the stemmers below. It is safe for concurrent use.
type Stemmer struct {
	language string
	stem     func(env *snowballstem.Env) bool
	// spelling makes the letters of today those that the algorithm knows; nil for most.
	spelling *strings.Replacer
}

var _ store.Stemmer = Stemmer{}

// Romanian is written with a comma below, of which the algorithm has the cedilla, and Russian with
// or without the dots on ё.
var (
	cedilla = strings.NewReplacer("ș", "ş", "ț", "ţ")
	plainYe = strings.NewReplacer("ё", "е")
)

// The stemmers, with the languages that conversations name. Norwegian is for Bokmål, whose
// language is nb; texts that are said to be in no (Norwegian) have NorwegianNo.
var (
	Danish      = Stemmer{language: "da", stem: danish.Stem}
	Dutch       = Stemmer{language: "nl", stem: dutch.Stem}
	English     = Stemmer{language: "en", stem: english.Stem}
	Finnish     = Stemmer{language: "fi", stem: finnish.Stem}
	French      = Stemmer{language: "fr", stem: french.Stem}
	German      = Stemmer{language: "de", stem: german.Stem}
	Hungarian   = Stemmer{language: "hu", stem: hungarian.Stem}
	Italian     = Stemmer{language: "it", stem: italian.Stem}
	Norwegian   = Stemmer{language: "nb", stem: norwegian.Stem}
	NorwegianNo = Stemmer{language: "no", stem: norwegian.Stem}
	Portuguese  = Stemmer{language: "pt", stem: portuguese.Stem}
	Romanian    = Stemmer{language: "ro", stem: romanian.Stem, spelling: cedilla}
	Russian     = Stemmer{language: "ru", stem: russian.Stem, spelling: plainYe}
	Spanish     = Stemmer{language: "es", stem: spanish.Stem}
	Swedish     = Stemmer{language: "sv", stem: swedish.Stem}
	Turkish     = Stemmer{language: "tr", stem: turkish.Stem}
)

// All returns all stemmers. A search costs the more the more languages its texts are in, not the
// more stemmers there are.
func All() []store.Stemmer {
	return []store.Stemmer{
		Danish, Dutch, English, Finnish, French, German, Hungarian, Italian, Norwegian, NorwegianNo,
		Portuguese, Romanian, Russian, Spanish, Swedish, Turkish,
	}
}

// Language implements store.Stemmer.
func (s Stemmer) Language() string { return s.language }

// version is that of the algorithms. It changes with their module, if that changes a stem:
// TestStems says so.
const version = "snowball-0.9.0"

// Version implements store.Stemmer.
func (s Stemmer) Version() string { return version }

// Stem implements store.Stemmer.
func (s Stemmer) Stem(word string) string {
	if s.spelling != nil {
		word = s.spelling.Replace(word)
	}
	env := snowballstem.NewEnv(word)
	s.stem(env)
	return env.Current()
}
