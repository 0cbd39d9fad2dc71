package store

import (
	"html"
	"strings"
	"unicode/utf8"
)

// Snippet is a part of a text around what was found in it.
type Snippet struct {
	// Text is at most some 160 characters of one line, with … where it was cut.
	Text string `json:"text"`
	// Matches are where in Text the words are, in order and apart from one another. They
	// may be missing where a database finds a word by its grammar.
	Matches []Range `json:"matches"`
}

// Range is a part of a text, in bytes: from Start up to End, which is not in it.
type Range struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Mark returns the text with open and end around each match. It escapes nothing: for
// pages there is HTML. Of a match that is not in the text, inside of a letter or of the one
// before, as a snippet from elsewhere may have it, the whole letters in the text that no
// other match has are marked, or nothing.
func (s Snippet) Mark(open, end string) string {
	return s.mark(open, end, func(text string) string { return text })
}

// HTML returns the text escaped, with <mark> around each match.
func (s Snippet) HTML() string { return s.mark("<mark>", "</mark>", html.EscapeString) }

func (s Snippet) mark(open, end string, escape func(string) string) string {
	var b strings.Builder
	at := 0
	for _, m := range s.Matches {
		if m = m.within(s.Text, at); m.Start >= m.End {
			continue
		}
		b.WriteString(escape(s.Text[at:m.Start]) + open + escape(s.Text[m.Start:m.End]) + end)
		at = m.End
	}
	b.WriteString(escape(s.Text[at:]))
	return b.String()
}

// within returns the part of r that is in text from a place on, in whole letters.
func (r Range) within(text string, from int) Range {
	if r.Start >= r.End {
		return Range{}
	}
	in := Range{Start: min(max(r.Start, from), len(text)), End: min(max(r.End, from), len(text))}
	for in.Start > from && in.Start < len(text) && !utf8.RuneStart(text[in.Start]) {
		in.Start--
	}
	for in.Start < in.End && in.End < len(text) && !utf8.RuneStart(text[in.End]) {
		in.End++
	}
	return in
}
