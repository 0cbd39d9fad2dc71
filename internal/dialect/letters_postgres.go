package dialect

import "strings"

// HasLetters is a regular expression that names each character, so that it means the same
// whatever the locale. It takes half of the time of ILIKE, which makes a copy of the text in
// lower case first, and the trigram indexes answer it as well. They have texts in lower case, in
// which İ can be two characters.
func (postgres) HasLetters(column string, letters [][]rune) (sql string, args []any) {
	var pattern strings.Builder
	for _, letter := range letters {
		switch r := letter[0]; {
		case r == 'İ':
			pattern.WriteByte('.')
		case len(letter) > 1:
			pattern.WriteString("[" + string(letter) + "]")
		case strings.ContainsRune(`\^$.|?*+()[]{}`, r):
			pattern.WriteString(`\` + string(r))
		default:
			pattern.WriteRune(r)
		}
	}
	return column + " ~ ?", []any{pattern.String()}
}

func (postgres) Replaced(column string, from, to []rune) (sql string, args []any) {
	return "translate(" + column + ", ?, ?)", []any{string(from), string(to)}
}
