package mailbox

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// decodeUTF7 reads RFC 2152: ASCII, with everything else as UTF-16 in base64 between + and -.
func decodeUTF7(b []byte) (string, verdict) {
	if !isASCII(b) {
		// Not UTF-7, whatever it is called.
		s, _ := decodeASCII(b, "")
		return s, misnamed
	}
	var out strings.Builder
	v := asNamed
	for len(b) > 0 {
		if b[0] != '+' {
			out.WriteByte(b[0])
			b = b[1:]
			continue
		}
		n := 1
		for n < len(b) && isBase64(b[n]) {
			n++
		}
		text, ok := utf7Run(b[1:n])
		switch {
		case n == 1 && n < len(b) && b[n] == '-':
			out.WriteByte('+')
		case n == 1 || !ok:
			out.Write(b[:n])
			b, v = b[n:], lossy
			continue
		default:
			out.WriteString(text)
		}
		if n < len(b) && b[n] == '-' {
			n++
		}
		b = b[n:]
	}
	return out.String(), v
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

func utf7Run(b []byte) (string, bool) {
	raw, err := base64.RawStdEncoding.DecodeString(string(b))
	if err != nil || len(raw) < 2 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	return string(utf16.Decode(units)), true
}
