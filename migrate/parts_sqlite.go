package migrate

import (
	"slices"
	"strings"
)

// tableText is a CREATE TABLE, taken apart without a change of its text, so that it can be put
// together again from other parts.
type tableText struct {
	// parts are the columns and constraints in their order, without comments.
	parts []tablePart
	// tail is what stands after the closing bracket.
	tail string
}

// tablePart is a column or a constraint: its text, and its definition in the normal form of tokens.
type tablePart struct {
	object
	text, definition string
}

// takeApart returns the parts of a CREATE TABLE of SQLite. A virtual table has none.
func takeApart(table, statement string) (t tableText) {
	statement = strings.TrimSpace(withoutComments(statement))
	depth, start := 0, 0
	for _, at := range token.FindAllStringIndex(statement, -1) {
		word := statement[at[0]:at[1]]
		end := depth == 1 && (word == "," || word == ")")
		switch {
		case end:
			t.parts = append(t.parts, newPart(table, statement[start:at[0]]))
			start = at[1]
		case word == "(" && depth == 0:
			start = at[1]
		}
		switch word {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				t.tail = statement[at[1]:]
				return t
			}
		}
	}
	return tableText{}
}

func newPart(table, text string) tablePart {
	o, definition := parseDefinition(table, tokens(text))
	return tablePart{object: o, text: strings.TrimSpace(text), definition: definition}
}

// part returns the part of an object, or one without a text.
func (t tableText) part(o object) tablePart {
	for _, p := range t.parts {
		if p.object == o {
			return p
		}
	}
	return tablePart{object: o}
}

func (t tableText) has(o object) bool { return t.part(o).text != "" }

// sql returns the CREATE TABLE of the parts under a name that needs no quotes. SQLite wants the
// columns first.
func (t tableText) sql(name string) string {
	var list []string
	for _, kind := range []string{"column", "constraint"} {
		for _, p := range t.parts {
			if p.kind == kind {
				list = append(list, p.text)
			}
		}
	}
	return "CREATE TABLE " + name + " (\n    " + strings.Join(list, ",\n    ") + "\n)" + t.tail
}

// mentions tells whether a part contains a word.
func (p tablePart) mentions(word string) bool { return slices.Contains(tokens(p.text), word) }

// checkOf returns the conditions of the CHECKs of a column or a constraint.
func checkOf(text string) string {
	var conditions []string
	depth, start, words := 0, -1, token.FindAllStringIndex(text, -1)
	for i, at := range words {
		switch text[at[0]:at[1]] {
		case "(":
			if depth == 0 && i > 0 && strings.EqualFold(text[words[i-1][0]:words[i-1][1]], "check") {
				start = at[1]
			}
			depth++
		case ")":
			if depth--; depth == 0 && start >= 0 {
				conditions = append(conditions, "("+text[start:at[0]]+")")
				start = -1
			}
		}
	}
	return strings.Join(conditions, " AND ")
}
