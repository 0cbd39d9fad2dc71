package record

import (
	"bytes"
	"strings"

	"github.com/convostore/convostore/message"
)

// StripText removes U+0000 from texts, for a store WithNULStripped. It is called before
// validation, which refuses U+0000.
func StripText(fields ...*string) {
	for _, f := range fields {
		if strings.IndexByte(*f, 0) >= 0 {
			*f = strings.ReplaceAll(*f, "\x00", "")
		}
	}
}

// StripJSON removes the escape \u0000 from JSON documents. It leaves \\u0000 alone, which is an
// escaped backslash before the text u0000.
func StripJSON(docs ...*message.JSON) {
	for _, doc := range docs {
		if !bytes.Contains(*doc, []byte(`\u0000`)) {
			continue
		}
		out := make([]byte, 0, len(*doc))
		for rest := []byte(*doc); len(rest) > 0; {
			n := 1
			switch {
			case bytes.HasPrefix(rest, []byte(`\u0000`)):
				rest = rest[6:]
				continue
			case rest[0] == '\\' && len(rest) > 1:
				n = 2
			}
			out, rest = append(out, rest[:n]...), rest[n:]
		}
		*doc = out
	}
}
