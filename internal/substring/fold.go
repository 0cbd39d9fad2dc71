package substring

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// lastCased is the last character with a case that unicode.SimpleFold knows, rounded up. A test
// checks it against the tables of the unicode package.
const lastCased = 0x1EFFF

// basic has the folded form of each character of the Basic Multilingual Plane, where most
// letters are. To look one up takes a tenth of the time of unicode.SimpleFold.
var basic = sync.OnceValue(func() *[1 << 16]uint16 {
	var table [1 << 16]uint16
	for r := range rune(len(table)) {
		table[r] = uint16(leastOf(r))
	}
	return &table
})

// leastOf returns the least character that differs from r in case alone, which may be r.
func leastOf(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}

// foldRune returns the character that stands for r and all that differ from it in case alone: the
// least of them.
func foldRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - ('a' - 'A')
	case r < utf8.RuneSelf:
		return r
	case r < 1<<16:
		return rune(basic()[r])
	case r <= lastCased:
		return leastOf(r)
	}
	return r
}

// Orbit returns the characters that differ from r in case alone, the least first, with r itself.
func Orbit(r rune) []rune {
	least := foldRune(r)
	orbit := []rune{least}
	for other := unicode.SimpleFold(least); other != least; other = unicode.SimpleFold(other) {
		orbit = append(orbit, other)
	}
	return orbit
}

// appendFold appends a text without its case. It has as many characters as the text, but not
// always as many bytes. Bytes that are not UTF-8 stay as they are.
func appendFold(to []byte, text string) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			to = append(to, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			to = append(to, text[i])
		} else {
			to = utf8.AppendRune(to, foldRune(r))
		}
		i += size
	}
	return to
}

// foldedLen returns how many bytes the first character of a text takes there, and how many
// appendFold makes of it.
func foldedLen(text string) (size, folded int) {
	r, size := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && size == 1 {
		return 1, 1
	}
	return size, utf8.RuneLen(foldRune(r))
}
