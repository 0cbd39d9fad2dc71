package words

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words returns a term of the whole text, and false if there is no word in it.
func Words(text string) (Term, bool) { return termOf(text) }

// FTS5 returns the query for SQLite's MATCH on one column, empty for an empty query. Every term
// is a quoted string, so that no word can be an operator. All excluded terms are in one group,
// since SQLite limits the depth of an expression and each NOT inside a NOT adds to it.
func (q Query) FTS5(column string) string {
	if q.Empty() {
		return ""
	}
	groups := make([]string, len(q.Groups))
	for i, g := range q.Groups {
		groups[i] = join(g, " OR ", Term.fts5)
	}
	all := "(" + strings.Join(groups, " AND ") + ")"
	if len(q.Not) > 0 {
		all += " NOT " + join(q.Not, " OR ", Term.fts5)
	}
	return column + " : (" + all + ")"
}

func (t Term) fts5() string {
	s := `"` + strings.ReplaceAll(t.Text, `"`, `""`) + `"`
	if t.Prefix {
		s += "*"
	}
	return s
}

// TSQuery returns the query for PostgreSQL's to_tsquery, and positive without its excluded terms.
// The caller has to check that positive is not empty for the text search configuration: if all
// its words are stop words, the whole query would match every text without the excluded terms.
func (q Query) TSQuery() (all, positive string) {
	if q.Empty() {
		return "", ""
	}
	groups := make([]string, len(q.Groups))
	for i, g := range q.Groups {
		groups[i] = join(g, " | ", Term.tsQuery)
	}
	positive = strings.Join(groups, " & ")
	if len(q.Not) == 0 {
		return positive, positive
	}
	return positive + " & !" + join(q.Not, " | ", Term.tsQuery), positive
}

// tsQuery matches the term as it is written, which PostgreSQL may parse as one token (a mail
// address, a file name, a signed number), or its words as a phrase.
func (t Term) tsQuery() string {
	prefix := ""
	if t.Prefix {
		prefix = ":*"
	}
	var raw, quoted []string
	for s := range splitPlain(t.Text) {
		raw = append(raw, t.Text[s.Start:s.End])
		quoted = append(quoted, quoteTS(t.Text[s.Start:s.End]))
	}
	apart := strings.Join(quoted, " <-> ") + prefix
	switch {
	case len(raw) == 0:
		return quoteTS(t.Text)
	case len(raw) == 1 && raw[0] == t.Text:
		return apart
	case strings.Join(raw, " ") == t.Text:
		return "(" + apart + ")"
	}
	return "(" + quoteTS(t.Text) + prefix + " | (" + apart + "))"
}

var tsEscaper = strings.NewReplacer(`'`, `''`, `\`, `\\`)

func quoteTS(s string) string { return "'" + tsEscaper.Replace(s) + "'" }

func join(terms []Term, or string, write func(Term) string) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = write(t)
	}
	return "(" + strings.Join(parts, or) + ")"
}

// splitPlain iterates over the words of a text: runs of letters and digits, with combining marks.
func splitPlain(text string) iter.Seq[Span] {
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
