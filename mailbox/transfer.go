package mailbox

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// transferEncoding returns the encoding of a part in lower case, without what does not belong
// there.
func transferEncoding(value []byte) string {
	s := strings.ToLower(strings.Trim(string(value), " \t\"';"))
	s, _, _ = strings.Cut(s, ";")
	s, _, _ = strings.Cut(s, "(")
	return strings.Trim(s, " \t\"'")
}

// decodeTransfer undoes a transfer encoding as far as it goes. What cannot be decoded stays as it
// is, and reason says so.
func decodeTransfer(b []byte, encoding string) (decoded, tail []byte, reason string) {
	switch encoding {
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit", "7bits", "8bits", "none":
		return b, nil, ""
	case "quoted-printable", "quoted printable", "quotedprintable", "qp":
		decoded, broken := decodeQuoted(b)
		if broken {
			reason = "has broken quoted-printable"
		}
		return decoded, nil, reason
	case "base64", "base-64", "b64":
		if isProse(b) {
			return b, nil, "is not in base64, which its header names"
		}
		return decodeBase64(b)
	case "x-uuencode", "uuencode", "x-uue", "uue", "x-uu":
		if files, _ := cutUU(b); len(files) > 0 {
			return files[0].data, nil, ""
		}
		return b, nil, "has no file in its uuencoding"
	}
	return b, nil, "has the unknown transfer encoding " + encoding
}

// decodeQuoted reads quoted-printable. An = that begins no byte stays.
func decodeQuoted(b []byte) (out []byte, broken bool) {
	out = make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		end, next := line(b, i)
		text := bytes.TrimRight(b[i:end], " \t")
		soft := len(text) > 0 && text[len(text)-1] == '='
		if soft {
			text = text[:len(text)-1]
		}
		for j := 0; j < len(text); j++ {
			if text[j] != '=' {
				out = append(out, text[j])
				continue
			}
			if c, ok := hexByte(text, j+1); ok {
				out = append(out, c)
				j += 2
				continue
			}
			out, broken = append(out, '='), true
		}
		if !soft {
			out = append(out, b[end:next]...)
		}
		i = next
	}
	return out, broken
}

// hexByte reads the two digits at i.
func hexByte(b []byte, i int) (byte, bool) {
	if i+1 >= len(b) {
		return 0, false
	}
	high, low := hexDigit(b[i]), hexDigit(b[i+1])
	return high<<4 | low, high < 16 && low < 16
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// decodeBase64 reads base64 line by line, over what is no letter of it. Pieces that were padded
// and put behind one another are read one after the other. Lines that come after the padding and
// are no base64 are the tail: mailing lists write their footers there.
func decodeBase64(b []byte) (out, tail []byte, reason string) {
	out = make([]byte, 0, len(b)/4*3)
	var four [4]byte
	n, padded, broken := 0, false, false
	for i := 0; i < len(b); {
		end, next := line(b, i)
		text := b[i:end]
		if padded && !allBase64(text) {
			return out, b[i:], reasonIf(broken)
		}
		for _, c := range text {
			switch {
			case isBase64(c):
				four[n], n, padded = c, n+1, false
				if n == 4 {
					out, n = appendBase64(out, four[:]), 0
				}
			case c == '=':
				out, n, padded = appendBase64(out, four[:n]), 0, true
			case !isBlank(c):
				broken = true
			}
		}
		i = next
	}
	return appendBase64(out, four[:n]), nil, reasonIf(broken || n == 1)
}

// isProse tells text that only says it is base64: its first line has words.
func isProse(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	end, _ := line(b, 0)
	return len(bytes.Fields(b[:min(end, 1000)])) > 2
}

func reasonIf(broken bool) string {
	if broken {
		return "has broken base64"
	}
	return ""
}

// appendBase64 decodes up to four letters. One alone is half a byte and says nothing.
func appendBase64(out, letters []byte) []byte {
	var three [3]byte
	n, _ := base64.RawStdEncoding.Decode(three[:], letters)
	return append(out, three[:n]...)
}

func allBase64(text []byte) bool {
	for _, c := range text {
		if !isBase64(c) && c != '=' && !isBlank(c) {
			return false
		}
	}
	return len(text) == 0 || !bytes.ContainsAny(bytes.TrimSpace(text), " \t")
}

// uuFile is a file in the lines of a text.
type uuFile struct {
	name []byte
	data []byte
}

// cutUU takes uuencoded files out of a text, as programs sent them before there was MIME. What
// has no end is left in the text.
func cutUU(text []byte) (files []uuFile, rest []byte) {
	if !bytes.Contains(text, []byte("begin ")) || !bytes.Contains(text, []byte("end")) {
		return nil, text
	}
	from := 0
	for i := 0; i < len(text); {
		end, next := line(text, i)
		name, ok := uuBegin(text[i:end])
		if !ok {
			i = next
			continue
		}
		data, after, complete := uuLines(text, next)
		if !complete {
			i = after
			continue
		}
		rest = append(rest, text[from:i]...)
		files = append(files, uuFile{name, data})
		i, from = after, after
	}
	if files == nil {
		return nil, text
	}
	return files, append(rest, text[from:]...)
}

// uuBegin reads "begin 644 name".
func uuBegin(text []byte) (name []byte, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte("begin "))
	if !ok {
		return nil, false
	}
	mode, name, ok := bytes.Cut(rest, []byte(" "))
	if !ok || len(mode) < 3 || len(mode) > 4 || len(bytes.Trim(mode, "01234567")) > 0 || len(bytes.TrimSpace(name)) == 0 {
		return nil, false
	}
	return bytes.TrimSpace(name), true
}

// uuLines reads lines up to "end".
func uuLines(text []byte, i int) (data []byte, after int, complete bool) {
	for i < len(text) {
		end, next := line(text, i)
		row := text[i:end]
		switch {
		case bytes.Equal(bytes.TrimSpace(row), []byte("end")):
			return data, next, true
		case len(row) == 0 || row[0] < ' ' || row[0] > '`':
			return nil, i, false
		}
		var ok bool
		if data, ok = uuRow(data, row); !ok {
			return nil, i, false
		}
		i = next
	}
	return nil, i, false
}

func uuRow(data, row []byte) ([]byte, bool) {
	n := int(row[0]-' ') & 63
	row = row[1:]
	if len(row) > (n+2)/3*4+2 { // a checksum, or blanks
		return data, false
	}
	for i := 0; n > 0; i += 4 {
		var four [4]byte
		for k := range four {
			if i+k < len(row) {
				four[k] = (row[i+k] - ' ') & 63
			}
		}
		three := []byte{four[0]<<2 | four[1]>>4, four[1]<<4 | four[2]>>2, four[2]<<6 | four[3]}
		data = append(data, three[:min(n, 3)]...)
		n -= 3
	}
	return data, true
}
