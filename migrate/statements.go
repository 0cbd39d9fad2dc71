package migrate

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The annotations of a statement, each on a line of the comment before it. docs/migrations.md
// explains them to those who write a migration.
const (
	// concurrently is before a CREATE INDEX. On PostgreSQL it is made CONCURRENTLY if its table
	// has rows.
	concurrently = "concurrently"
	// validate is before an ALTER TABLE … ADD CONSTRAINT. On PostgreSQL it is added NOT VALID
	// and validated afterwards if its table has rows.
	validate = "validate"
	// batch is before a statement that changes the rows of a table, followed by the table, its
	// key in brackets and the rows of a batch. It runs for one range of keys after another.
	batch = "batch"
	// oldestCode is for the whole file, and followed by the oldest version of the code that
	// works with the schema that the migration leaves.
	oldestCode = "oldest-code"
)

// batchMark is where a statement with the annotation batch gets the range of keys. What follows
// it is a condition, so that the statement is valid as it is for another tool.
const batchMark = "/* batch */"

// defaultBatch is the rows of a batch for which the annotation names no number.
const defaultBatch = 1000

// statement is one statement of a migration.
type statement struct {
	sql string
	// kind is empty or one of the annotations of a statement.
	kind string
	// table is the table of a statement with an annotation, quoted, and object the index or
	// constraint that it makes, without quotes.
	table, object string
	// key is the columns of the key of a batch, rows the number of its rows.
	key  []string
	rows int
}

const nameSQL = `((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)`

var (
	annotation    = regexp.MustCompile(`(?m)^\s*-- convostore:(.*)$`)
	batchArgument = regexp.MustCompile(`^` + nameSQL + ` \(([\w, "]+)\)(?: ([1-9]\d{0,6}))?$`)
	createIndex   = regexp.MustCompile(`(?i)\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?("[^"]+"|\w+)\s+ON\s+(?:ONLY\s+)?` + nameSQL)
	addConstraint = regexp.MustCompile(`(?i)\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?` + nameSQL + `\s+ADD\s+CONSTRAINT\s+("[^"]+"|\w+)`)
)

// parse splits the SQL of a migration into statements, with their annotations.
func parse(sql string) ([]statement, error) {
	var list []statement
	for _, text := range statements(sql) {
		s, err := parseStatement(text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func parseStatement(sql string) (statement, error) {
	s := statement{sql: sql}
	for _, match := range annotation.FindAllStringSubmatch(sql, -1) {
		kind, argument, _ := strings.Cut(strings.TrimSpace(match[1]), " ")
		if kind == oldestCode {
			continue
		}
		if s.kind != "" {
			return s, fmt.Errorf("convostore: two annotations of one statement: %s and %s", s.kind, kind)
		}
		s.kind = kind
		if !s.annotate(argument) {
			return s, fmt.Errorf("convostore: the annotation %q does not fit its statement: %s", match[1], headline(sql))
		}
	}
	return s, nil
}

// annotate fills in what the annotation says, and tells whether it fits the statement.
func (s *statement) annotate(argument string) bool {
	code := withoutComments(s.sql)
	switch s.kind {
	case concurrently:
		if match := createIndex.FindStringSubmatch(code); match != nil && argument == "" {
			s.object, s.table = strings.Trim(match[1], `"`), match[2]
		}
	case validate:
		if match := addConstraint.FindStringSubmatch(code); match != nil && argument == "" {
			s.table, s.object = match[1], strings.Trim(match[2], `"`)
		}
	case batch:
		match := batchArgument.FindStringSubmatch(argument)
		// Only the comments of a line go: one that explains the mark must not count as one.
		s.sql = lexeme.ReplaceAllStringFunc(s.sql, func(word string) string {
			if strings.HasPrefix(word, "--") {
				return ""
			}
			return word
		})
		if match == nil || strings.Count(s.sql, batchMark) != 1 {
			return false
		}
		s.table, s.rows = match[1], defaultBatch
		for column := range strings.SplitSeq(match[2], ",") {
			s.key = append(s.key, strings.TrimSpace(column))
		}
		if match[3] != "" {
			s.rows, _ = strconv.Atoi(match[3]) // a few digits
		}
	}
	return s.table != ""
}

// execute runs the SQL of a migration as it is, without regard to annotations. On PostgreSQL it
// sends one statement at a time, because Citus forwards the text to the shards, which accept only
// one statement.
func (m *migrator) execute(ctx context.Context, q querier, sql string) error {
	list := []string{sql}
	if m.dialect == postgres {
		list = statements(sql)
	}
	for _, s := range list {
		if _, err := q.ExecContext(ctx, s); err != nil {
			return &statementError{sql: s, err: err}
		}
	}
	return nil
}

// statementError remembers which statement failed, to tell which tables it waited for.
type statementError struct {
	sql string
	err error
}

func (e *statementError) Error() string { return e.err.Error() }
func (e *statementError) Unwrap() error { return e.err }

// lexeme matches what a splitter of SQL must not look into, then words, then any character.
var lexeme = regexp.MustCompile("(?s)--[^\n]*|/\\*.*?\\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\\$\\w*\\$|\\w+|.")

// statements splits SQL after each semicolon that ends a statement: not one in a comment, in
// quotes or in the body of SQLite's triggers. A comment belongs to the statement that follows it,
// or that ends on its line. Nothing but whitespace and comments after the last one is lost.
func statements(sql string) (list []string) {
	start, body := 0, &triggerBody{}
	for at := 0; at < len(sql); {
		word := lexeme.FindString(sql[at:])
		at += len(word)
		switch {
		case word[0] == '$' && len(word) > 1: // a dollar quote, up to its like
			if end := strings.Index(sql[at:], word); end >= 0 {
				at += end + len(word)
			}
		case word == ";" && !body.open():
			at += len(restOfLine.FindString(sql[at:]))
			list = append(list, sql[start:at])
			start, body = at, &triggerBody{}
		default:
			body.add(word)
		}
	}
	if strings.TrimSpace(withoutComments(sql[start:])) != "" {
		list = append(list, sql[start:])
	}
	return list
}

// restOfLine matches what is left of a line if it is blank or a comment.
var restOfLine = regexp.MustCompile(`^[ \t]*(?:--[^\n]*)?(?:\n|$)`)

// triggerBody follows the words of a statement, to know whether it is between the BEGIN and the
// END of a trigger of SQLite.
type triggerBody struct {
	words   int
	trigger bool
	depth   int
}

func (b *triggerBody) add(word string) {
	if !plain.MatchString(word) {
		return
	}
	b.words++
	switch strings.ToUpper(word) {
	case "TRIGGER":
		b.trigger = b.trigger || b.words <= 3 // CREATE TEMP TRIGGER
	case "BEGIN", "CASE":
		b.depth++
	case "END":
		b.depth--
	}
}

func (b *triggerBody) open() bool { return b.trigger && b.depth > 0 }

// withoutComments returns SQL without its comments.
func withoutComments(sql string) string {
	return lexeme.ReplaceAllStringFunc(sql, func(word string) string {
		if strings.HasPrefix(word, "--") || strings.HasPrefix(word, "/*") {
			return ""
		}
		return word
	})
}

// headline returns the beginning of a statement as one line, for events and errors.
func headline(sql string) string {
	const most = 100
	line := strings.TrimSuffix(strings.Join(strings.Fields(withoutComments(sql)), " "), ";")
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "…"
	}
	return line
}
