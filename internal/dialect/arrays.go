package dialect

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Arrays are the columns of many rows as PostgreSQL's array literals ("Array Input and Output
// Syntax" in its manual). Unnest turns them back into rows, so that one statement with one
// argument for each column inserts any number of rows.
type Arrays struct {
	columns [][]byte
	size    int
}

// NewArrays returns arrays for rows of width values.
func NewArrays(width int) *Arrays { return &Arrays{columns: make([][]byte, width)} }

// Add adds a row. Its values are of types that drivers take: nil, string, []byte, int64, time.Time and
// a driver.Valuer that returns one of them. Any other type is an error.
func (a *Arrays) Add(row []any) error {
	for i, v := range row {
		separator := byte(',')
		if len(a.columns[i]) == 0 {
			separator = '{'
		}
		had := len(a.columns[i])
		column, err := appendElement(append(a.columns[i], separator), v)
		if err != nil {
			return err
		}
		a.columns[i] = column
		a.size += len(column) - had
	}
	return nil
}

// Size is the length of all arrays in bytes.
func (a *Arrays) Size() int { return a.size }

// Args returns the arguments of Unnest. Add must not be called after it.
func (a *Arrays) Args() []any {
	args := make([]any, len(a.columns))
	for i, column := range a.columns {
		if len(column) == 0 {
			column = append(column, '{')
		}
		args[i] = string(append(column, '}'))
	}
	return args
}

func appendElement(to []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(to, "NULL"...), nil
	case string:
		return appendQuoted(to, v), nil
	case []byte: // bytea's hex format, its backslash quoted
		return append(hex.AppendEncode(append(to, `"\\x`...), v), '"'), nil
	case int64:
		return strconv.AppendInt(to, v, 10), nil
	case bool:
		return strconv.AppendBool(to, v), nil
	case time.Time:
		return append(v.AppendFormat(append(to, '"'), "2006-01-02 15:04:05.999999Z07:00"), '"'), nil
	case driver.Valuer:
		plain, err := v.Value()
		if err != nil {
			return nil, err
		}
		return appendElement(to, plain)
	}
	return nil, fmt.Errorf("convostore: cannot make an element of an array of %T", v)
}

// appendQuoted appends s in quotes, with a backslash before each quote and backslash.
func appendQuoted(to []byte, s string) []byte {
	to = append(to, '"')
	for {
		i := 0
		for i < len(s) && s[i] != '"' && s[i] != '\\' {
			i++
		}
		to = append(to, s[:i]...)
		if i == len(s) {
			return append(to, '"')
		}
		to = append(to, '\\', s[i])
		s = s[i+1:]
	}
}
