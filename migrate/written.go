package migrate

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// written returns the catalogue that the migrations up to a version make, read from their SQL and
// not from a database. The definitions are in the normal form of tokens.
func written(files fs.FS, p page, at int64) (catalogue, error) {
	steps, err := render(files, p)
	if err != nil {
		return nil, err
	}
	c := catalogue{}
	for _, s := range steps {
		if s.version > at {
			break
		}
		for _, statement := range tokenStatements(s.up) {
			if err := c.apply(statement); err != nil {
				return nil, fmt.Errorf("convostore: read migration %s: %w", s, err)
			}
		}
	}
	return c, nil
}

// tokenStatements splits SQL into the tokens of its statements. The semicolons inside dollar
// quotes and between BEGIN and END of a trigger do not end a statement.
func tokenStatements(sql string) (list [][]string) {
	var statement []string
	quoted := false
	for _, t := range tokens(sql) {
		if t == "$$" {
			quoted = !quoted
		}
		if t != ";" {
			statement = append(statement, t)
			continue
		}
		trigger := len(statement) > 1 && statement[1] == "trigger" && slices.Contains(statement, "begin")
		if quoted || trigger && statement[len(statement)-1] != "end" {
			statement = append(statement, t)
			continue
		}
		list, statement = append(list, statement), nil
	}
	if len(statement) > 0 {
		list = append(list, statement)
	}
	return list
}

// apply adds what a statement makes. It is an error for a statement that may change the schema in
// a way that is not known here, so that no object of a later migration is forgotten.
func (c catalogue) apply(list []string) error {
	words := strings.Join(list[:min(3, len(list))], " ")
	switch {
	case strings.HasPrefix(words, "create table"):
		maps.Copy(c, parseTable(nameAfter(list, "table"), list))
	case strings.HasPrefix(words, "create index"), strings.HasPrefix(words, "create unique index"):
		c[object{"index", nameAfter(list, "on"), nameAfter(list, "index")}] = join(list)
	case strings.HasPrefix(words, "create trigger"):
		c[object{"trigger", nameAfter(list, "on"), nameAfter(list, "trigger")}] = join(list)
	case strings.HasPrefix(words, "alter table"):
		if i := slices.Index(list, "add"); i > 0 && len(list) > i+2 && list[i+1] == "column" {
			o, definition := parseDefinition(nameAfter(list, "table"), list[i+2:])
			c[o] = definition
			return nil
		}
		if slices.Contains(list, "storage") { // Verify does not compare it either
			return nil
		}
		return fmt.Errorf("%w: %s", errUnknownStatement, join(list))
	case slices.Contains([]string{"insert", "update", "do"}, list[0]), strings.HasPrefix(words, "create extension"):
	default:
		return fmt.Errorf("%w: %s", errUnknownStatement, join(list))
	}
	return nil
}

var errUnknownStatement = fmt.Errorf("convostore: a statement that the comparison does not know")

// nameAfter returns the name that follows the first occurrence of a word, without its schema.
func nameAfter(list []string, word string) string {
	i := slices.Index(list, word) + 1
	for i+2 < len(list) && list[i+1] == "." {
		i += 2
	}
	if i <= 0 || i >= len(list) {
		return ""
	}
	return list[i]
}
