package query

import (
	"strings"

	"github.com/google/uuid"
)

// Marks returns n question marks.
func Marks(n int) string { return "?" + strings.Repeat(", ?", n-1) }

// Bracketed adds a query to another, in brackets.
func (q *Query) Bracketed(inner *Query) *Query {
	return q.Add("(").Append(inner).Add(")")
}

// Query is SQL under construction with its arguments.
type Query struct {
	sql  []byte
	Args []any
	// text is that of a statement, which nothing is added to.
	text string
}

// Statement is SQL that is put together once, for what runs most often.
type Statement struct {
	sql []byte
	// text is what the driver takes.
	text string
}

func NewStatement(sql string, numbered bool) Statement {
	s := Statement{sql: []byte(sql), text: sql}
	if numbered {
		s.text = numberMarks(s.sql, strings.Count(sql, "?"))
	}
	return s
}

func (s *Statement) With(args []any) *Query { return &Query{sql: s.sql, Args: args, text: s.text} }

func New(sql string, args ...any) *Query {
	return (&Query{sql: make([]byte, 0, 1024)}).Add(sql, args...)
}

// Add appends SQL and its arguments, one for each question mark.
func (q *Query) Add(sql string, args ...any) *Query {
	q.sql = append(q.sql, sql...)
	for _, a := range args {
		q.Args = append(q.Args, bindable(a))
	}
	return q
}

// bindable makes a text of an id, which every driver takes as it is: pgx tries three ways to
// encode a type of its own that is a driver.Valuer.
func bindable(arg any) any {
	if id, ok := arg.(uuid.UUID); ok {
		return id.String()
	}
	return arg
}

// In appends the condition that a column is one of values.
func In[T any](q *Query, column string, values []T) *Query {
	q.Add(column + " IN (")
	for i, v := range values {
		if i > 0 {
			q.Add(", ")
		}
		q.Add("?", v)
	}
	if len(values) == 0 {
		q.Add("NULL")
	}
	return q.Add(")")
}

// Append appends a part with its arguments.
func (q *Query) Append(o *Query) *Query {
	q.sql = append(q.sql, o.sql...)
	q.Args = append(q.Args, o.Args...)
	return q
}

// And appends another condition.
func (q *Query) And(o *Query) *Query { return q.Add(" AND ").Append(o) }

// Qualified puts the name of a table before each column of a list.
func Qualified(alias, columns string) string {
	return alias + strings.ReplaceAll(columns, ", ", ", "+alias)
}
