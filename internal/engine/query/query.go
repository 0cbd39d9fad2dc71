// Package query puts SQL statements together, runs them and reads their rows. It also begins
// and ends transactions and falls back from a replica to the primary. It knows no table and
// no user.
package query

import (
	"strings"

	"github.com/google/uuid"
)

// Marks returns n question marks.
func Marks(n int) string { return "?" + strings.Repeat(", ?", n-1) }

// Bracketed appends inner in parentheses.
func (q *Query) Bracketed(inner *Query) *Query {
	return q.Add("(").Append(inner).Add(")")
}

// Query is SQL under construction with its arguments. It is for one goroutine.
type Query struct {
	sql  []byte
	Args []any
	// text is the finished text of a Statement. Nothing may be added to such a query.
	text string
}

// Statement is SQL that is put together once and run many times. It may be shared by
// goroutines.
type Statement struct {
	sql []byte
	// text has the placeholders of the driver.
	text string
}

// NewStatement returns a statement of SQL with question marks. With numbered the driver gets
// $1, $2 in their place.
func NewStatement(sql string, numbered bool) Statement {
	return Statement{sql: []byte(sql), text: marked([]byte(sql), numbered)}
}

// With returns a query that runs the statement with arguments of types that drivers take.
func (s *Statement) With(args []any) *Query { return &Query{sql: s.sql, Args: args, text: s.text} }

// New returns a query of SQL and its arguments, one for each question mark.
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

// bindable turns a UUID into a string, which every driver takes as it is. For a driver.Valuer
// like uuid.UUID pgx tries three ways to encode it.
func bindable(arg any) any {
	if id, ok := arg.(uuid.UUID); ok {
		return id.String()
	}
	return arg
}

// In appends the condition that a column is one of values. Without values it is never true.
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

// Append appends another query with its arguments.
func (q *Query) Append(o *Query) *Query {
	q.sql = append(q.sql, o.sql...)
	q.Args = append(q.Args, o.Args...)
	return q
}

// And appends AND and another condition.
func (q *Query) And(o *Query) *Query { return q.Add(" AND ").Append(o) }

// Qualified puts an alias, given with its dot, before each column of a list.
func Qualified(alias, columns string) string {
	return alias + strings.ReplaceAll(columns, ", ", ", "+alias)
}
