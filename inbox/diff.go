package inbox

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// diffPart is a part of a word diff: Kind is same, gone or new.
type diffPart struct{ Kind, Text string }

// mostDiff is the largest number of bytes of two texts that are compared.
const mostDiff = 64 << 10

// wordDiff says, word by word, what becomes of one text in another one; nil if they are the same, or
// too long to compare.
func wordDiff(before, after string) []diffPart {
	if before == after || len(before)+len(after) > mostDiff {
		return nil
	}
	var known words
	from, to := known.runes(before), known.runes(after)
	engine := diffmatchpatch.New()
	engine.DiffTimeout = 200 * time.Millisecond // a coarser diff comes then
	parts := make([]diffPart, 0, 16)
	for _, d := range engine.DiffMainRunes(from, to, false) {
		kind := map[diffmatchpatch.Operation]string{
			diffmatchpatch.DiffEqual: "same", diffmatchpatch.DiffDelete: "gone", diffmatchpatch.DiffInsert: "new",
		}[d.Type]
		parts = append(parts, diffPart{kind, printable(known.text(d.Text))})
	}
	return parts
}

// words gives each different word a character of its own: a diff of characters is one of words then.
type words struct {
	of    map[string]rune
	texts map[rune]string
	next  rune
}

// runes are the characters of a text's words, and of what stands between them.
func (w *words) runes(text string) []rune {
	if w.of == nil {
		w.of, w.texts, w.next = map[string]rune{}, map[rune]string{}, 1
	}
	var all []rune
	for len(text) > 0 {
		n := wordEnd(text)
		all = append(all, w.rune(text[:n]))
		text = text[n:]
	}
	return all
}

func (w *words) rune(word string) rune {
	if c, known := w.of[word]; known {
		return c
	}
	c := w.next
	w.of[word], w.texts[c] = c, word
	if w.next++; w.next == 0xD800 { // no surrogates: they are not valid alone
		w.next = 0xE000
	}
	return c
}

func (w *words) text(coded string) string {
	var b strings.Builder
	for _, c := range coded {
		b.WriteString(w.texts[c])
	}
	return b.String()
}

// wordEnd is where the first word of a text ends: a run of letters and digits, a run of spaces, or
// one other character.
func wordEnd(text string) int {
	first, n := utf8.DecodeRuneInString(text)
	class := classOf(first)
	if class == 0 {
		return n
	}
	for n < len(text) {
		c, width := utf8.DecodeRuneInString(text[n:])
		if classOf(c) != class {
			break
		}
		n += width
	}
	return n
}

func classOf(c rune) int {
	switch {
	case unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c):
		return 1
	case unicode.IsSpace(c) && c != '\n':
		return 2
	}
	return 0
}
