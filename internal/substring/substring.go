// Package substring finds a part of a text without caring for case, in any alphabet.
//
// Two texts are the same if Unicode's simple case folding makes them so, character by character:
// k, K and the sign K for kelvin are one, as are σ, ς and Σ, or ſ, s and S. ß and ss are not,
// since they differ in length, nor are I and ı, whose case depends on the language. A part is
// looked for as it is, composed (NFC) and decomposed (NFD), so that é is found as one character
// and as two.
package substring

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/convostore/convostore/internal/words"
)

// maxMatches bounds what Find returns: a snippet has no room for more.
const maxMatches = 1000

// Finder finds a part. It is not for several goroutines at once.
type Finder struct {
	forms [][]byte
	// buffer keeps the memory of the last text without its case.
	buffer []byte
}

// New returns a finder of part, which is found nowhere if it is empty.
func New(part string) *Finder {
	f := &Finder{}
	for _, form := range []string{part, norm.NFC.String(part), norm.NFD.String(part)} {
		folded := appendFold(nil, form)
		same := func(other []byte) bool { return bytes.Equal(other, folded) }
		if part != "" && !slices.ContainsFunc(f.forms, same) {
			f.forms = append(f.forms, folded)
		}
	}
	return f
}

// Forms returns the part in its one to three different forms. Of each character they have the
// first of its Orbit.
func (f *Finder) Forms() []string {
	forms := make([]string, len(f.forms))
	for i, form := range f.forms {
		forms[i] = string(form)
	}
	return forms
}

// In tells whether a text has the part. The time is linear in the text.
func (f *Finder) In(text string) bool {
	f.buffer = appendFold(f.buffer[:0], text)
	return slices.ContainsFunc(f.forms, func(form []byte) bool { return bytes.Contains(f.buffer, form) })
}

// Find returns where a text has the part, in order and without overlaps, at most a thousand
// places. Where several forms begin it takes the longest. The time is linear in the text.
func (f *Finder) Find(text string) []words.Match {
	f.buffer = appendFold(f.buffer[:0], text)
	next := make([]int, len(f.forms)) // where each form is next, behind the end if nowhere
	for i := range next {
		next[i] = f.index(i, 0)
	}
	var found []words.Match
	var at position
	for len(found) < maxMatches {
		start, end := f.first(next)
		if start == end {
			break
		}
		span := words.Span{Start: at.move(text, start)}
		span.End = at.move(text, end)
		found = append(found, words.Match{Span: span})
		for i := range next {
			if next[i] < end {
				next[i] = f.index(i, end)
			}
		}
	}
	return found
}

// index returns where in the buffer a form is, from a place on.
func (f *Finder) index(form, from int) int {
	if i := bytes.Index(f.buffer[from:], f.forms[form]); i >= 0 {
		return from + i
	}
	return len(f.buffer)
}

// first returns the first place, and the end of the longest form there. They are the same if
// there is none.
func (f *Finder) first(next []int) (start, end int) {
	start = len(f.buffer)
	end = start
	for i, at := range next {
		to := at + len(f.forms[i])
		if at < start || at == start && at < len(f.buffer) && to > end {
			start, end = at, to
		}
	}
	return start, end
}

// position is a place in a text and the same place in the text without its case.
type position struct{ text, folded int }

// move goes on to a place in the text without its case, and returns it in the text.
func (p *position) move(text string, folded int) int {
	for p.folded < folded {
		size, foldedSize := foldedLen(text[p.text:])
		p.text += size
		p.folded += foldedSize
	}
	return p.text
}

// Letters returns the first n characters of a form, each with all that differ from it in case
// alone, and whether these are all of the form.
func Letters(form string, n int) (letters [][]rune, all bool) {
	for i, r := range form {
		if len(letters) == n {
			return letters, i == len(form)
		}
		letters = append(letters, Orbit(r))
	}
	return letters, true
}

// Pairs returns the characters that a text may have in the place of one of the forms', and for
// each that one: as many of both, in a fixed order.
func (f *Finder) Pairs() (from, to []rune) {
	seen := map[rune]bool{}
	for _, form := range f.forms {
		for len(form) > 0 {
			r, size := utf8.DecodeRune(form)
			if form = form[size:]; seen[r] {
				continue
			}
			seen[r] = true
			for _, other := range Orbit(r)[1:] {
				from, to = append(from, other), append(to, r)
			}
		}
	}
	return from, to
}
