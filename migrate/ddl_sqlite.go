package migrate

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// token matches a token of a CREATE statement. In this order: comments, text literals,
	// three ways to quote a name, words and numbers, and any other character.
	token = regexp.MustCompile("(?s)--[^\n]*|/\\*.*?\\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\\[[^\\]]*\\]|[\\w.$]+|\\S")
	// plain matches a name that needs no quotes.
	plain = regexp.MustCompile(`^\w+$`)
)

// tokens returns the tokens of a statement in a normal form, so that two ways to write the same
// statement become equal: without comments, in lower case except text literals, and without
// quotes around a plain name.
func tokens(statement string) []string {
	var list []string
	for _, t := range token.FindAllString(statement, -1) {
		switch t[0] {
		case '\'':
			list = append(list, t)
			continue
		case '"', '`', '[':
			if inner := t[1 : len(t)-1]; plain.MatchString(inner) {
				t = inner
			}
		}
		if !strings.HasPrefix(t, "--") && !strings.HasPrefix(t, "/*") {
			list = append(list, strings.ToLower(t))
		}
	}
	return list
}

// join returns tokens as readable text.
func join(list []string) string {
	text := strings.Join(list, " ")
	return strings.NewReplacer("( ", "(", " )", ")", " ,", ",").Replace(text)
}

// parseTable returns a table, its columns and its constraints. Options after the closing bracket,
// such as STRICT and WITHOUT ROWID, belong to the table. A virtual table is not taken apart.
func parseTable(table string, list []string) catalogue {
	first := slices.Index(list, "(")
	if first < 0 || slices.Contains(list[:first], "virtual") {
		return catalogue{{kind: "table", table: table}: join(list)}
	}
	c := catalogue{}
	depth, start := 0, first+1
	for i := first; i < len(list); i++ {
		switch list[i] {
		case "(":
			depth++
		case ")":
			depth--
		}
		if (depth == 1 && list[i] == ",") || depth == 0 {
			o, definition := parseDefinition(table, list[start:i])
			c[o] = definition
			start = i + 1
		}
		if depth == 0 {
			break
		}
	}
	c[object{kind: "table", table: table}] = join(append([]string{"table"}, list[start:]...))
	return c
}

// parseDefinition returns the column or constraint that a definition makes. A constraint without
// a name is named by its text.
func parseDefinition(table string, list []string) (object, string) {
	switch {
	case len(list) > 2 && list[0] == "constraint":
		return object{"constraint", table, list[1]}, join(list[2:])
	case len(list) > 0 && slices.Contains([]string{"check", "unique", "primary", "foreign"}, list[0]):
		return object{"constraint", table, join(list)}, join(list)
	case len(list) > 0:
		return object{"column", table, list[0]}, join(list[1:])
	}
	return object{"column", table, ""}, ""
}
