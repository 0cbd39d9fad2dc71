// Package check refuses values that a database would refuse later with a less clear error, or
// that the two databases would keep differently. Every error is a *rule.InvalidError.
package check

import (
	"strings"
	"unicode/utf8"

	"github.com/convostore/convostore/rule"
)

// MaxKey is the maximum length in bytes of a text in an index. PostgreSQL refuses
// B-tree entries above 2,704 bytes; an RFC 5322 line has at most 998.
const MaxKey = 1024

// Text refuses what PostgreSQL cannot keep in a text column: U+0000 and invalid UTF-8.
func Text(field, s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return rule.Invalid(field, "has U+0000 at byte %d; PostgreSQL cannot keep it", i)
	}
	if i := invalidUTF8(s); i >= 0 {
		return rule.Invalid(field, "is not UTF-8 at byte %d", i)
	}
	return nil
}

// Line is Text for what stands on one line of an e-mail's head: there a line break would begin a
// header of its own.
func Line(field, s string) error {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return rule.Invalid(field, "has a line break at byte %d; a header is one line", i)
	}
	return Text(field, s)
}

// invalidUTF8 returns the index of the first byte that is not UTF-8, or -1.
func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
			return i
		}
	}
	return -1
}

// Key checks a text in an index: Text, and at most MaxKey bytes.
func Key(field, s string) error {
	if len(s) > MaxKey {
		return rule.Invalid(field, "has %d bytes, the most is %d", len(s), MaxKey)
	}
	return Text(field, s)
}

// Length checks a text that may have at most limit characters.
func Length(field, s string, limit int) error {
	if n := utf8.RuneCountInString(s); n > limit {
		return rule.Invalid(field, "has %d characters, the most is %d", n, limit)
	}
	return Text(field, s)
}

// First returns the first error that is not nil, so that a Validate reads as a list.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
