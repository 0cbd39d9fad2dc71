package scope

import (
	"slices"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Distinct returns each word of a filter once, in a fixed order, and leaves words as it is:
// there are few that are valid, and a database takes some thousand arguments at most.
func Distinct[T ~string](words []T) []T {
	if len(words) < 2 {
		return words
	}
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

// CheckPart checks a text that LIKE is to look for, which SQLite takes up to 50,000 bytes
// of, with a backslash before each letter that it would take for a sign.
func CheckPart(field, text string) error {
	if len(text) > store.MaxQuery {
		return rule.Invalid(field, "has %d bytes, the most is %d", len(text), store.MaxQuery)
	}
	return check.Text(field, text)
}
