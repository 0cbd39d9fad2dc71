package dialect

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"
)

// CopyRows are rows in the text format of PostgreSQL's COPY ("File Formats" in its manual).
// The text of a value is the same for every type and every protocol, so that no type of a
// column must be known.
type CopyRows struct{ text []byte }

// Add adds a row. Its values are of types that drivers take: nil, string, []byte as bytea,
// bool, int64, float64, time.Time and a driver.Valuer that returns one of them. Any other type
// is an error, after which the rows are of no use.
func (c *CopyRows) Add(row []any) error {
	for i, v := range row {
		if i > 0 {
			c.text = append(c.text, '\t')
		}
		text, err := appendCopied(c.text, v)
		if err != nil {
			return err
		}
		c.text = text
	}
	c.text = append(c.text, '\n')
	return nil
}

// Text returns all rows. It is valid until the next Add or Reset.
func (c *CopyRows) Text() []byte { return c.text }

// Reset removes all rows and keeps the memory.
func (c *CopyRows) Reset() { c.text = c.text[:0] }

func appendCopied(to []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(to, `\N`...), nil
	case string:
		return appendEscaped(to, v), nil
	case []byte:
		return fmt.Appendf(to, `\\x%x`, v), nil
	case bool:
		return strconv.AppendBool(to, v), nil
	case int64:
		return strconv.AppendInt(to, v, 10), nil
	case float64:
		return strconv.AppendFloat(to, v, 'g', -1, 64), nil
	case time.Time:
		return v.AppendFormat(to, "2006-01-02 15:04:05.999999Z07:00"), nil
	case driver.Valuer:
		plain, err := v.Value()
		if err != nil {
			return nil, err
		}
		return appendCopied(to, plain)
	}
	return nil, fmt.Errorf("convostore: cannot copy a value of %T", v)
}

// appendEscaped appends s with a backslash before each byte that has a meaning in COPY. The
// four letters of a tab, a newline, a return and a backslash are those of the format.
func appendEscaped(to []byte, s string) []byte {
	done := 0
	for i := range len(s) {
		var letter byte
		switch s[i] {
		case '\\':
			letter = '\\'
		case '\n':
			letter = 'n'
		case '\r':
			letter = 'r'
		case '\t':
			letter = 't'
		default:
			continue
		}
		to = append(append(to, s[done:i]...), '\\', letter)
		done = i + 1
	}
	return append(to, s[done:]...)
}
