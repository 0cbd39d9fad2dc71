package mailbox

import (
	"bytes"
	"net/textproto"
	"strings"
)

// field is one field of a header as it came, unfolded.
type field struct {
	// name is in the canonical spelling, Message-Id.
	name  string
	value []byte
}

// header is the fields of a mail or of a part, in their order.
type header struct {
	fields []field
	// garbage counts the lines that were no fields, and cut the bytes beyond the bound.
	garbage, cut int
}

const (
	// maxHeader bounds what is kept of a header. What follows is read over.
	maxHeader = 1 << 20
	// maxFields bounds how many fields are kept.
	maxFields = 10_000
)

// values returns the values of a field that may come more than once.
func (h *header) values(name string) (values [][]byte) {
	for i := range h.fields {
		if h.fields[i].name == name {
			values = append(values, h.fields[i].value)
		}
	}
	return values
}

// get returns the first value of a field that is not blank, nil if there is none: programs that
// write a field twice write the empty one first as often as not.
func (h *header) get(name string) []byte {
	for i := range h.fields {
		if h.fields[i].name == name && len(bytes.TrimSpace(h.fields[i].value)) > 0 {
			return h.fields[i].value
		}
	}
	return nil
}

// line returns the end of the line that begins at i and where the next one begins. A line ends
// with LF, CRLF or CR.
func line(b []byte, i int) (end, next int) {
	for ; i < len(b); i++ {
		switch b[i] {
		case '\n':
			return i, i + 1
		case '\r':
			if i+1 < len(b) && b[i+1] == '\n' {
				return i, i + 2
			}
			return i, i + 1
		}
	}
	return len(b), len(b)
}

// span is a line of a header.
type span struct{ start, end, next int }

// readHeader reads the header that begins at i and returns where the body does. stop tells the
// lines that end a header without an empty one, which are boundaries.
//
// A line that is no field is read over if a well-known field comes after it, and else ends the
// header: programs that lost the empty line are as frequent as those that put a line of garbage
// into the header. A line of blanks ends it unless a folded line or such a field is the next.
func readHeader(b []byte, i int, stop func(line []byte) bool) (h header, body int) {
	lines, last, after := headerLines(b, i, stop)
	kept, open := 0, false
	for n, s := range lines {
		text := b[s.start:s.end]
		folded := len(h.fields) > 0 && isBlank(text[0])
		switch name, value, ok := splitField(text); {
		case text[0] == ':', bytes.HasPrefix(text, []byte(">From ")): // the line of a mbox file, which moved
			h.garbage++
			open = false
		case len(bytes.TrimSpace(text)) == 0 && (n > last || !goesOn(b, lines[n+1:])):
			return h, s.next
		case n > last && !ok && !folded:
			return h, s.start
		case kept+len(text) > maxHeader || len(h.fields) >= maxFields && !folded:
			h.cut += len(text)
		case ok:
			kept += len(text)
			// A copy, since folded lines are appended to it.
			h.fields = append(h.fields, field{name, bytes.Clone(value)})
			open = true
		case folded && open:
			kept += len(text)
			f := &h.fields[len(h.fields)-1]
			f.value = append(append(f.value, ' '), bytes.Trim(text, " \t")...)
		default:
			h.garbage++
			open = false
		}
	}
	return h, after
}

// goesOn tells a header whose next lines are those.
func goesOn(b []byte, lines []span) bool {
	if len(lines) == 0 {
		return false
	}
	text := b[lines[0].start:lines[0].end]
	name, _, ok := splitField(text)
	return isBlank(text[0]) || ok && wellKnown(name)
}

// headerLines returns the lines up to the first empty one, the index of the last that has a
// well-known field, -1 if none has, and where the line after the empty one begins.
func headerLines(b []byte, i int, stop func([]byte) bool) (lines []span, last, after int) {
	last = -1
	for i < len(b) {
		end, next := line(b, i)
		if end == i {
			return lines, last, next
		}
		if bytes.HasPrefix(b[i:end], []byte("--")) && (stop(b[i:end]) || len(lines) > 0) {
			return lines, last, i
		}
		lines = append(lines, span{i, end, next})
		if name, _, ok := splitField(b[i:end]); ok && wellKnown(name) {
			last = len(lines) - 1
		}
		i = next
	}
	return lines, last, len(b)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// splitField splits "Name: value". A name has no blanks but before the colon.
func splitField(text []byte) (name string, value []byte, ok bool) {
	const longest = 200
	colon := bytes.IndexByte(text[:min(len(text), longest)], ':')
	if colon <= 0 {
		return "", nil, false
	}
	raw := bytes.TrimRight(text[:colon], " \t")
	if len(raw) == 0 {
		return "", nil, false
	}
	for _, c := range raw {
		if c <= ' ' || c >= 0x7f {
			return "", nil, false
		}
	}
	return textproto.CanonicalMIMEHeaderKey(string(raw)), bytes.Trim(text[colon+1:], " \t"), true
}

// wellKnown tells the names that no sentence of a body begins with.
func wellKnown(name string) bool {
	switch name {
	case "From", "To", "Cc", "Bcc", "Subject", "Date", "Sender", "Received", "Status", "References", "Precedence":
		return true
	}
	return strings.IndexByte(name, '-') > 0
}
