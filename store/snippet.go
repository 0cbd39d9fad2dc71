package store

import (
	"html"
	"strings"
	"unicode/utf8"
)

// Snippet is a part of a text around the words that a search found.
type Snippet struct {
	// Text is one line of about 160 characters at most, with … where it was cut.
	Text string `json:"text"`
	// Matches are the places of the words in Text, in order and without overlaps. A place may be
	// missing if the database found a word by its grammar.
	Matches []Range `json:"matches"`
}

// Range is a part of a text, in bytes, from Start up to but not including End.
type Range struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Mark returns the text with open and end around each match. It escapes nothing; for web pages
// use HTML. A match that a snippet from elsewhere has wrong, because it is partly outside of the
// text, begins or ends inside a character, or overlaps the match before it, is marked as far as
// whole characters of the text are left for it.
func (s Snippet) Mark(open, end string) string {
	return s.mark(open, end, func(text string) string { return text })
}

// HTML returns the text, escaped for HTML, with <mark> around each match.
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

// within returns the part of r that lies in text after from, in whole characters.
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
