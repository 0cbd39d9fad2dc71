package check

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/convostore/convostore/rule"
)

const (
	// maxDepth keeps a document below the depth that either database's parser takes: SQLite
	// stops at 1,000 levels.
	maxDepth = 500
	// maxExponent keeps jsonb, which stores numbers as numeric, from expanding a short number to
	// hundreds of thousands of digits.
	maxExponent = 1000
	// maxNumber is the maximum length of a number in bytes. Together with the exponent it stays
	// below the 131,072 digits before the point and the 16,383 after it that jsonb takes.
	maxNumber = 10_000
)

// JSON refuses a document that one of the databases would refuse or change: one that does not
// parse, has U+0000 or half a surrogate pair as an escape, a number with an exponent beyond
// ±1,000 or more than 10,000 bytes, or more than 500 levels. An empty document is valid.
func JSON(field string, doc []byte) error {
	if len(doc) == 0 {
		return nil
	}
	if !utf8.Valid(doc) {
		return rule.Invalid(field, "is not UTF-8")
	}
	if !json.Valid(doc) {
		return rule.Invalid(field, "is not a JSON document")
	}
	depth := 0
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return rule.Invalid(field, "has more than %d levels", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		case c == '"':
			end, err := jsonString(field, doc, i)
			if err != nil {
				return err
			}
			i = end
		case c == '-' || c >= '0' && c <= '9':
			end, err := jsonNumber(field, doc, i)
			if err != nil {
				return err
			}
			i = end
		}
	}
	return nil
}

// jsonString checks the escapes of the string that opens at doc[start] and returns the
// index of its closing quote. doc is valid JSON.
func jsonString(field string, doc []byte, start int) (int, error) {
	for i := start + 1; ; i++ {
		switch doc[i] {
		case '"':
			return i, nil
		case '\\':
			i++
			if doc[i] != 'u' {
				continue
			}
			r := hex4(doc[i+1:])
			switch {
			case r == 0:
				return 0, rule.Invalid(field, "has U+0000 at byte %d; PostgreSQL cannot keep it", i-1)
			case utf16.IsSurrogate(r):
				if !bytes.HasPrefix(doc[i+5:], []byte(`\u`)) ||
					utf16.DecodeRune(r, hex4(doc[i+7:])) == utf8.RuneError {
					return 0, rule.Invalid(field, "has half a surrogate pair at byte %d", i-1)
				}
				i += 6
			}
			i += 4
		}
	}
}

func hex4(b []byte) rune {
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// jsonNumber checks the exponent of the number that begins at doc[start] and returns
// the index of its last byte.
func jsonNumber(field string, doc []byte, start int) (int, error) {
	end := start
	for end < len(doc) && bytes.IndexByte([]byte("+-.eE0123456789"), doc[end]) >= 0 {
		end++
	}
	if end-start > maxNumber {
		return 0, rule.Invalid(field, "has a number of more than %d bytes at byte %d", maxNumber, start)
	}
	if e := bytes.IndexAny(doc[start:end], "eE"); e >= 0 {
		n, err := strconv.Atoi(string(doc[start+e+1 : end]))
		if err != nil || n > maxExponent || n < -maxExponent {
			return 0, rule.Invalid(field, "has a number with an exponent beyond ±%d at byte %d", maxExponent, start)
		}
	}
	return end - 1, nil
}
