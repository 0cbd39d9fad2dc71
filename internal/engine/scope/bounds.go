package scope

import (
	"slices"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Distinct returns the different words of a filter in a fixed order, and leaves words
// unchanged. Few words are valid, but a filter may repeat them, and a database takes only a
// few thousand arguments.
func Distinct[T ~string](words []T) []T {
	if len(words) < 2 {
		return words
	}
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

// CheckPart checks a text to search for.
func CheckPart(field, text string) error {
	if len(text) > store.MaxQuery {
		return rule.Invalid(field, "has %d bytes, the most is %d", len(text), store.MaxQuery)
	}
	return check.Text(field, text)
}

// CleanFilter cleans a field of a filter. A text of which nothing is left is invalid: as an empty
// one it would be no condition.
func (s *Store) CleanFilter(field string, text *string) error {
	given := *text
	s.Clean.Text(text)
	if given != "" && *text == "" {
		return rule.Invalid(field, "has nothing but U+0000")
	}
	return nil
}

// SmallEdit is how many bytes an edit may write without a look at the whole row, which takes a
// transaction.
const SmallEdit = 64 << 10

// CheckSize refuses a row, such as "message", whose texts and documents take more bytes than the
// store was opened for.
func (s *Store) CheckSize(row string, bytes int) error { return check.Size(row, bytes, s.MaxBytes) }
