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
	// maxValues keeps a document of many small values below the 256 MiB that a jsonb array or
	// object takes: of each value it stores up to 16 bytes beside the value's own.
	maxValues = 1_000_000
)

// JSON refuses a document that one of the databases would refuse or change: one that does not
// parse, has U+0000 or half a surrogate pair as an escape, a number with an exponent beyond
// ±1,000 or more than 10,000 bytes, more than 500 levels, or more than a million values, keys
// included. An empty document is valid. Written bounds how large its numbers become.
func JSON(field string, doc []byte) error {
	if len(doc) == 0 {
		return nil
	}
	if !utf8.Valid(doc) {
		return rule.Invalid(field, "is not UTF-8 at byte %d", invalidUTF8(string(doc)))
	}
	if !json.Valid(doc) {
		return rule.Invalid(field, "is not a JSON document")
	}
	return walkJSON(field, doc)
}

// walkJSON checks the parts of a document that parses.
func walkJSON(field string, doc []byte) error {
	depth, values := 0, 1
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case c == ',' || c == ':':
			if values++; values > maxValues {
				return rule.Invalid(field, "has more than %d values and keys", maxValues)
			}
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
	end := numberEnd(doc, start)
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

// numberEnd returns the index after the number that begins at doc[start].
func numberEnd(doc []byte, start int) int {
	end := start
	for end < len(doc) && bytes.IndexByte([]byte("+-.eE0123456789"), doc[end]) >= 0 {
		end++
	}
	return end
}

// Written returns the bytes of a document as PostgreSQL writes it out again: jsonb keeps a
// number as all its digits, so that 1e1000 becomes a thousand zeros. White space and repeated
// keys, which jsonb drops, are counted. It takes any bytes, also those of no document.
func Written(doc []byte) int {
	written := len(doc)
	if !bytes.ContainsAny(doc, "eE") {
		return written
	}
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case c == '"':
			i = stringEnd(doc, i)
		case c == '-' || c >= '0' && c <= '9':
			end := numberEnd(doc, i)
			written += zeros(doc[i:end])
			i = end - 1
		}
	}
	return written
}

// stringEnd returns the index of the quote that closes the string at doc[start], or the end.
func stringEnd(doc []byte, start int) int {
	for i := start + 1; i < len(doc); i++ {
		switch doc[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(doc)
}

// zeros returns how many digits the exponent of a number adds.
func zeros(number []byte) int {
	e := bytes.IndexAny(number, "eE")
	if e < 0 {
		return 0
	}
	n, err := strconv.Atoi(string(number[e+1:]))
	if err != nil || n > maxExponent || n < -maxExponent {
		return 0 // JSON refuses it
	}
	return max(n, -n)
}
