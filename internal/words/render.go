package words

import "strings"

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
	quoted := make([]string, len(t.Words))
	for i, w := range t.Words {
		quoted[i] = quoteTS(w)
	}
	apart := strings.Join(quoted, " <-> ") + prefix
	switch {
	case len(t.Words) == 1 && t.Words[0] == t.Text:
		return apart
	case strings.Join(t.Words, " ") == t.Text:
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
