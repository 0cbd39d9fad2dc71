package mailbox

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// verdict says how far the name of a charset could be trusted.
type verdict int

const (
	asNamed verdict = iota
	// withNUL texts have U+0000 in them, which is taken out.
	withNUL
	// unnamed text is not ASCII and has no charset.
	unnamed
	// misnamed text is not in its charset, and was read in another.
	misnamed
	// unknown charsets are read by guessing.
	unknown
	// lossy text has bytes that mean nothing in its charset.
	lossy
)

// decodeText reads text in a charset, "" for one that was not said. The result is UTF-8 without
// U+0000.
//
// Mail programs lie about charsets in few ways: UTF-8 is called US-ASCII or Latin-1, and
// Windows-1252 is called either. Text that is UTF-8 beyond ASCII is that in any charset of one
// byte a letter, in which it would be gibberish.
func decodeText(b []byte, label string) (string, verdict) {
	s, v := decodeBytes(b, label)
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s, v = strings.ReplaceAll(s, "\x00", ""), max(v, withNUL)
	}
	return strings.TrimPrefix(s, "\ufeff"), v // the byte order mark
}

func decodeBytes(b []byte, label string) (string, verdict) {
	label = charsetName(label)
	if s, ok := decodeWide(b, label); ok {
		return s, asNamed
	}
	switch label {
	case "utf-7", "unicode-1-1-utf-7", "csunicode11utf7", "unicode-2-0-utf-7", "x-unicode-2-0-utf-7":
		return decodeUTF7(b)
	case "", "us-ascii", "utf-8":
		return decodeASCII(b, label)
	}
	enc := lookUp(label)
	if enc == nil {
		s, _ := decodeASCII(b, "")
		return s, unknown
	}
	if isMultiByte(label) {
		return decodeMultiByte(b, enc, label)
	}
	if !isASCII(b) && utf8.Valid(b) {
		return string(b), misnamed
	}
	return decodeWith(b, enc)
}

var replacement = []byte("\uFFFD")

// decodeWith takes a charset at its word.
func decodeWith(b []byte, enc encoding.Encoding) (string, verdict) {
	s, err := enc.NewDecoder().Bytes(b)
	// U+FFFD that somebody wrote in UTF-8 is a letter.
	if err != nil || bytes.Contains(s, replacement) && !bytes.Contains(b, replacement) {
		return string(s), lossy
	}
	return string(s), asNamed
}

// decodeMultiByte prefers UTF-8 where the charset does not fit, or where it is UTF-8 by more than
// chance: a letter or two of Chinese may be both.
func decodeMultiByte(b []byte, enc encoding.Encoding, label string) (string, verdict) {
	s, v := decodeWith(b, enc)
	if !isASCII(b) && utf8.Valid(b) && (v == lossy || wideRunes(b) >= 2) {
		return string(b), misnamed
	}
	if v == lossy {
		// Shift_JIS, EUC-JP and GBK are told from one another by what fits.
		for _, other := range []encoding.Encoding{simplifiedchinese.GB18030, japanese.ShiftJIS, japanese.EUCJP} {
			if label == "iso-2022-jp" {
				if t, v := decodeWith(b, other); v == asNamed {
					return t, misnamed
				}
			}
		}
	}
	return s, v
}

// wideRunes counts the letters that have three bytes or more in UTF-8, as those of East Asia do.
func wideRunes(b []byte) (n int) {
	for _, r := range string(b) {
		if r >= 0x800 {
			n++
		}
	}
	return n
}

// decodeASCII reads what is said to be ASCII or UTF-8, or nothing: UTF-8 where it is, the escapes
// of ISO-2022-JP, and Windows-1252 for each byte that is neither.
func decodeASCII(b []byte, label string) (string, verdict) {
	if bytes.Contains(b, []byte("\x1b$")) || bytes.Contains(b, []byte("\x1b(J")) {
		if s, v := decodeWith(b, japanese.ISO2022JP); v == asNamed {
			return s, misnamed
		}
	}
	if isASCII(b) {
		return string(b), asNamed
	}
	v := misnamed
	if label == "" {
		v = unnamed
	}
	if utf8.Valid(b) {
		if label == "utf-8" {
			v = asNamed
		}
		return string(b), v
	}
	var out strings.Builder
	out.Grow(len(b) + len(b)/8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(b[0])
		}
		out.WriteRune(r)
		b = b[n:]
	}
	return out.String(), v
}

// decodeWide reads UTF-16 and UTF-32, which are named or begin with a byte order mark. Without
// either mark or order in the name the zeros of Latin letters tell.
func decodeWide(b []byte, label string) (string, bool) {
	marked := bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff"))
	switch label {
	case "utf-32", "utf-32be", "utf-32le", "ucs-4":
		order := utf32.BigEndian
		if label == "utf-32le" {
			order = utf32.LittleEndian
		}
		s, err := utf32.UTF32(order, utf32.UseBOM).NewDecoder().Bytes(b)
		return string(s), err == nil
	case "utf-16", "utf-16be", "utf-16le", "ucs-2", "iso-10646-ucs-2", "unicode", "csunicode":
	case "", "us-ascii", "utf-8":
		if !marked || len(b) < 4 {
			return "", false
		}
	default:
		return "", false
	}
	if !marked && utf8.Valid(b) && !bytes.ContainsRune(b, 0) {
		// Called UTF-16 by a program that wrote UTF-8.
		return string(b), true
	}
	order := unicode.BigEndian
	if label == "utf-16le" || label != "utf-16be" && littleEndian(b) {
		order = unicode.LittleEndian
	}
	s, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(b)
	return string(s), err == nil
}

func littleEndian(b []byte) bool {
	even, odd := 0, 0
	for i := 0; i+1 < len(b); i += 2 {
		switch binary.BigEndian.Uint16(b[i:]) & 0xff {
		case 0:
			odd++
		default:
			if b[i] == 0 {
				even++
			}
		}
	}
	return odd > even
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// charsetName puts a name into one spelling, without what broken programs put around it.
func charsetName(label string) string {
	label = strings.ToLower(strings.Trim(label, " \t\"'<>;:,"))
	label = strings.TrimPrefix(label, "charset=")
	label, _, _ = strings.Cut(label, "*") // the language of RFC 2231
	label, _, _ = strings.Cut(label, "$") // _iso-2022-jp$esc
	label = strings.TrimLeft(label, "_")
	switch label {
	case "utf8", "unicode-1-1-utf-8", "utf_8", "utf-8n", "x-utf-8", "utf-8mb4", "utf8mb4", "cp65001":
		return "utf-8"
	case "ascii", "ansi_x3.4-1968", "us", "iso-ir-6", "iso646-us", "us_ascii", "646", "7bit", "8bit":
		return "us-ascii"
	case "x-unknown", "unknown", "unknown-8bit", "x-user-defined", "default", "default_charset", "none", "binary", "charset", "x-default", "ansi":
		return ""
	case "utf7":
		return "utf-7"
	case "utf16", "utf_16":
		return "utf-16"
	}
	return label
}

// pageCharset returns the charset that a page names itself, "" if it names none.
func pageCharset(page []byte) string {
	if isASCII(page) || utf8.Valid(page) {
		return ""
	}
	_, name, certain := charset.DetermineEncoding(page[:min(len(page), 1024)], "text/html")
	if !certain && name == "windows-1252" {
		return ""
	}
	return name
}

func isMultiByte(label string) bool {
	switch name := lookUpName(label); name {
	case "gbk", "gb18030", "hz-gb-2312", "big5", "euc-jp", "iso-2022-jp", "shift_jis", "euc-kr", "iso-2022-kr", "iso-2022-cn":
		return true
	}
	return false
}

func lookUpName(label string) string {
	if _, name := charset.Lookup(label); name != "" {
		return name
	}
	return label
}

// lookUp knows the names of the web, those of IANA and some that neither has.
func lookUp(label string) encoding.Encoding {
	switch label {
	case "gb2312", "gbk", "x-gbk", "cp936", "ms936", "windows-936", "euc-cn", "gb_2312-80", "csgb2312":
		return simplifiedchinese.GB18030
	case "cp932", "ms932", "windows-932", "sjis", "shift-jis":
		return japanese.ShiftJIS
	case "cp949", "ms949", "uhc", "ks_c_5601", "ksc5601":
		label = "euc-kr"
	case "cp950", "ms950", "big5hkscs":
		label = "big5"
	case "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "cp50220", "cp50221":
		label = "iso-2022-jp"
	}
	if enc, name := charset.Lookup(label); enc != nil && name != "replacement" {
		return enc
	}
	for _, name := range []string{label, strings.Replace(label, "cp-", "cp", 1), strings.Replace(label, "cp", "windows-", 1), strings.Replace(label, "_", "-", 1), strings.Replace(label, "win-", "windows-", 1), "iso-" + strings.TrimPrefix(label, "iso")} {
		if enc, err := ianaindex.MIME.Encoding(name); err == nil && enc != nil {
			return enc
		}
		if enc, err := ianaindex.IANA.Encoding(name); err == nil && enc != nil {
			return enc
		}
	}
	return nil
}
