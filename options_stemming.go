package convostore

import (
	"strings"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/words"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// WithStemming lets searches by words find other forms of a word: paying with pay, in texts of
// the languages that stemmers are given for. A text is in the language of its conversation
// (conversation.Conversation.Language), or, if that names none, in standard, which may be empty.
// Texts in a language without a stemmer are found by their exact words, as all are without this
// option. The module convostore/stem has stemmers.
//
// All stores of a database need the same stemmers and the same standard. What others have
// indexed is found by its exact words alone: SearchState counts it as Outdated, and
// Maintenance().ReindexSearch makes it anew.
//
// No stemmers, a nil one, two of one language, a language that is not two or three small letters,
// a version that is none, and a standard without a stemmer are ErrInvalid.
func WithStemming(standard string, stemmers ...store.Stemmer) Option {
	return func(c *config.Config) error {
		if len(stemmers) == 0 {
			return rule.Invalid("WithStemming", "has no stemmer")
		}
		stems := map[string]words.Stemmer{}
		for i, s := range stemmers {
			if s == nil {
				return rule.Invalid("WithStemming", "has a nil stemmer at place %d of %d", i+1, len(stemmers))
			}
			language, version := s.Language(), s.Version()
			_, twice := stems[language]
			switch {
			case language == "" || check.Language("", language) != nil:
				return rule.Invalid("WithStemming", "has a stemmer of the language %q, which is not two or three small letters", language)
			case twice:
				return rule.Invalid("WithStemming", "has two stemmers of the language %s", language)
			case !isVersion(version):
				return rule.Invalid("WithStemming", "has a stemmer of %s with the version %q, which is not 1 to %d letters, digits and signs", language, version, maxVersion)
			}
			stems[language] = words.Stemmer{Version: version, Stem: s.Stem}
		}
		if _, ok := stems[standard]; !ok && standard != "" {
			return rule.Invalid("WithStemming", "has no stemmer of its standard language %q", standard)
		}
		c.Languages = words.NewLanguages(standard, stems)
		return nil
	}
}

// maxVersion is how long the version of a stemmer may be: each segment of the index has it.
const maxVersion = 64

func isVersion(s string) bool {
	return s != "" && len(s) <= maxVersion && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
