package clean

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/convostore/convostore/message"
)

// Document cleans a JSON document in place: its strings and its keys, which are escaped or raw.
// Keys that become one stay beside each other; of such keys the last one counts, in jsonb and in
// Go. What is no document stays none.
func (o Options) Document(doc *message.JSON) {
	if o.NUL && bytes.Contains(*doc, []byte(`\u0000`)) {
		*doc = rewriteEscapes(*doc, func(rest []byte) ([]byte, int) {
			if codeOf(rest) == 0 {
				return nil, escapeSize
			}
			return rest[:escapeSize], escapeSize
		})
	}
	if !o.Invalid {
		return
	}
	if !utf8.Valid(*doc) {
		*doc = bytes.ToValidUTF8(*doc, []byte(replacement))
	}
	if bytes.Contains(*doc, []byte(`\u`)) {
		*doc = rewriteEscapes(*doc, replaceHalves)
	}
}

// escapeSize is the length of an escape such as \u0041.
const escapeSize = 6

// rewriteEscapes replaces the \u escapes of a document. rewrite gets the document from an escape
// on and returns what to write and how many bytes that stands for. An escaped backslash before a
// u is no escape of the u.
func rewriteEscapes(doc []byte, rewrite func(rest []byte) ([]byte, int)) []byte {
	out := make([]byte, 0, len(doc))
	for rest := doc; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 || i+1 == len(rest) {
			return append(out, rest...)
		}
		out, rest = append(out, rest[:i]...), rest[i:]
		if rest[1] != 'u' || codeOf(rest) < 0 {
			out, rest = append(out, rest[:2]...), rest[2:]
			continue
		}
		written, n := rewrite(rest)
		out, rest = append(out, written...), rest[n:]
	}
	return out
}

// replaceHalves keeps a pair of surrogates and replaces half of one.
func replaceHalves(rest []byte) ([]byte, int) {
	r := codeOf(rest)
	if !utf16.IsSurrogate(r) {
		return rest[:escapeSize], escapeSize
	}
	if second := codeOf(rest[escapeSize:]); second >= 0 && utf16.DecodeRune(r, second) != utf8.RuneError {
		return rest[:2*escapeSize], 2 * escapeSize
	}
	return []byte(`\ufffd`), escapeSize
}

// codeOf returns the code of the \u escape that a text begins with, or -1.
func codeOf(rest []byte) rune {
	if len(rest) < escapeSize || rest[0] != '\\' || rest[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(rest[2:escapeSize]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}
