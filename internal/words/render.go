package words

import "strings"

// FTS5 writes the query for SQLite's MATCH on one column. Every term is a string in
// quotes, so that no word can be an operator. What is not to be there stands in one
// group: SQLite bounds the depth of an expression, and a NOT within a NOT is deep.
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

// TSQuery writes the query for PostgreSQL's to_tsquery, and once more what of it is to be
// there: where a configuration leaves out every word of that, the whole would ask for
// all texts that lack the rest.
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

// tsQuery asks for the term as it is written, which PostgreSQL may take for one thing (a
// mail address, a file's name, a number with its sign), or for its words side by side.
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
