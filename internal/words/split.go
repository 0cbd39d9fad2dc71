package words

import (
	"iter"
	"unicode"
	"unicode/utf8"
)

// Span is a part of a text, from byte Start to before byte End.
type Span struct{ Start, End int }

// Split iterates over the words of a text: runs of letters and digits, with combining marks.
func Split(text string) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		start := -1
		for i, r := range text {
			switch {
			case isWord(r):
				if start < 0 {
					start = i
				}
			case start >= 0 && (r < utf8.RuneSelf || !unicode.IsMark(r)):
				if !yield(Span{start, i}) {
					return
				}
				start = -1
			}
		}
		if start >= 0 {
			yield(Span{start, len(text)})
		}
	}
}

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}
