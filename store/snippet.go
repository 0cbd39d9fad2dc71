package store

import (
	"html"
	"strings"
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
// pages there is HTML.
func (s Snippet) Mark(open, end string) string {
	return s.mark(open, end, func(text string) string { return text })
}

// HTML returns the text escaped, with <mark> around each match.
func (s Snippet) HTML() string { return s.mark("<mark>", "</mark>", html.EscapeString) }

func (s Snippet) mark(open, end string, escape func(string) string) string {
	var b strings.Builder
	at := 0
	for _, m := range s.Matches {
		b.WriteString(escape(s.Text[at:m.Start]) + open + escape(s.Text[m.Start:m.End]) + end)
		at = m.End
	}
	b.WriteString(escape(s.Text[at:]))
	return b.String()
}
