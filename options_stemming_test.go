package convostore_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// noStems is a stemmer of a language and a version, which leaves words as they are.
type noStems struct{ language, version string }

func (s noStems) Language() string      { return s.language }
func (s noStems) Version() string       { return s.version }
func (noStems) Stem(word string) string { return word }

func TestWithStemmingRefuses(t *testing.T) {
	t.Parallel()
	en := noStems{"en", "1"}
	open := func(standard string, stemmers ...store.Stemmer) error {
		st, err := sqlite.OpenMemory(t.Context(), convostore.WithStemming(standard, stemmers...))
		if err == nil {
			require.NoError(t, st.Close())
		}
		return err
	}
	require.NoError(t, open("en", en, noStems{"deu", "v1.0/x=2~"}))
	require.NoError(t, open("", en))
	for name, err := range map[string]error{
		"none": open(""), "nil": open("", en, nil), "twice": open("", en, noStems{"en", "2"}),
		"no language": open("", noStems{"", "1"}), "a locale": open("", noStems{"en-GB", "1"}), "capitals": open("", noStems{"EN", "1"}),
		"no version": open("", noStems{"en", ""}), "a space": open("", noStems{"en", "a b"}), "no ASCII": open("", noStems{"en", "é"}),
		"a long version": open("", noStems{"en", strings.Repeat("1", 65)}), "a standard without stemmer": open("de", en),
	} {
		var invalid *rule.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, "WithStemming", invalid.Field, name)
	}
}
