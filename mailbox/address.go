package mailbox

import (
	"bytes"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
)

// addresses reads a list of RFC 5322 from a value that is not decoded yet: an encoded word is
// part of a name, whatever it decodes to. Comments, groups and routes are read, and so is what
// is no address by the standard: a name without quotes that has an @ or a comma's worth of dots,
// a bracket that does not close. Of a name that looks like an address and one in brackets, the
// one in brackets is the address. Entries without any @ are left out.
func addresses(value []byte, guess string) []mail.Address {
	const most = 10_000
	var list []mail.Address
	r := addressReader{b: value, guess: guess}
	for r.i < len(r.b) && len(list) < most {
		if a, ok := r.next(); ok {
			list = append(list, a)
		}
	}
	return list
}

type addressReader struct {
	b     []byte
	i     int
	guess string
	// unclosed says that no > comes any more, so that a list of brackets that never close is
	// read once.
	unclosed bool
	// carried are words that were read already.
	carried []byte
}

// entry is what was read of one address.
type entry struct {
	// words are the text outside of brackets: raw is as it came, quotes taken off.
	words, comment, angle []byte
	hasAngle, hasAt       bool
	// before is how many of the words came before the brackets.
	before int
}

// next reads up to the comma, the semicolon or the end.
func (r *addressReader) next() (mail.Address, bool) {
	e := entry{words: r.carried}
	r.carried = nil
	for ; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; {
		case c == ',' || c == ';':
			r.i++
			return r.address(&e)
		case c == ':' && !e.hasAngle && !e.hasAt:
			e = entry{} // the name of a group
		case c == '"':
			e.words = append(e.words, r.quotedWord()...)
		case c == '(':
			e.comment = append(e.comment, r.comment()...)
		case c == '<' && !r.unclosed:
			if e.hasAngle && len(bytes.TrimSpace(e.words[e.before:])) > 0 {
				// A comma is missing: the words since are the next one's name.
				r.carried = e.words[e.before:]
				e.words = e.words[:e.before]
				return r.address(&e)
			}
			e.before = len(e.words)
			r.angle(&e)
		case c == '>':
		default:
			e.words = append(e.words, c)
			e.hasAt = e.hasAt || c == '@'
		}
	}
	return r.address(&e)
}

// What stands for a blank or an @ in quotes, which are no end of a word and no address there.
const quotedBlank, quotedAt = 0x01, 0x02

var unquote = strings.NewReplacer("\x01", " ", "\x02", "@")

// quotedWord reads a quoted string. Before an @ it is the name of a mailbox and keeps its quotes.
func (r *addressReader) quotedWord() []byte {
	text := r.quoted()
	text = bytes.ReplaceAll(text, []byte("@"), []byte{quotedAt})
	if r.i+1 < len(r.b) && r.b[r.i+1] == '@' {
		text = bytes.ReplaceAll(text, []byte(" "), []byte{quotedBlank})
		return []byte(`"` + string(text) + `"`)
	}
	return text
}

// quoted reads a quoted string, whose closing quote is left for the caller's step. One without
// an end goes up to the end of the value.
func (r *addressReader) quoted() (text []byte) {
	for r.i++; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; {
		case c == '\\' && r.i+1 < len(r.b):
			r.i++
			text = append(text, r.b[r.i])
		case c == '"':
			return text
		default:
			text = append(text, c)
		}
	}
	return text
}

// comment reads a comment, which may have others in it.
func (r *addressReader) comment() (text []byte) {
	depth := 1
	for r.i++; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; {
		case c == '\\' && r.i+1 < len(r.b):
			r.i++
			text = append(text, r.b[r.i])
			continue
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return text
			}
		}
		text = append(text, r.b[r.i])
	}
	return text
}

// angle reads what is in brackets. Of several the last one counts.
func (r *addressReader) angle(e *entry) {
	inQuotes := false
	for n := r.i + 1; n < len(r.b); n++ {
		switch c := r.b[n]; {
		case c == '"':
			inQuotes = !inQuotes
		case c == '>' && !inQuotes:
			e.angle, e.hasAngle = r.b[r.i+1:n], true
			r.i = n
			return
		case c == '<' && !inQuotes: // <<a@b>>
			r.i = n
		}
	}
	// None closes: the rest up to a comma is the address.
	r.unclosed = true
	end := r.i + 1
	for end < len(r.b) && r.b[end] != ',' && r.b[end] != ';' {
		end++
	}
	e.angle, e.hasAngle = r.b[r.i+1:end], true
	r.i = end - 1
}

func (r *addressReader) address(e *entry) (a mail.Address, ok bool) {
	name := e.words
	if e.hasAngle {
		a.Address = r.spec(e.angle)
	} else {
		// No brackets: the word with an @ is the address, and what is around it a name.
		var rest []string
		for _, w := range strings.Fields(string(e.words)) {
			if a.Address == "" && strings.Contains(w, "@") && len(w) > 2 {
				a.Address = r.spec([]byte(w))
			} else {
				rest = append(rest, w)
			}
		}
		if a.Address == "" {
			a.Address = r.spec([]byte(unquote.Replace(string(e.words)))) // a @ b . example, "a@b.example"
			rest = nil
		}
		name = []byte(strings.Join(rest, " "))
	}
	if len(strings.TrimSpace(string(name))) == 0 {
		name = e.comment
	}
	a.Name, _ = decodeWords([]byte(unquote.Replace(string(name))), r.guess)
	a.Name = strings.Join(strings.Fields(a.Name), " ")
	a.Address = oneLine(unquote.Replace(a.Address))
	return a, a.Address != ""
}

// spec returns an address without blanks, comments, a route and mailto:, "" for what has no @ in
// it.
func (r *addressReader) spec(b []byte) string {
	const longest = 2000
	if len(b) > longest {
		return ""
	}
	s := string(b)
	for {
		open := strings.IndexByte(s, '(')
		if open < 0 {
			break
		}
		end := strings.IndexByte(s[open:], ')')
		if end < 0 {
			s = s[:open]
			break
		}
		s = s[:open] + s[open+end+1:]
	}
	s = withoutBlanks(s)
	if strings.HasPrefix(s, "@") { // @a,@b:c@d
		if colon := strings.IndexByte(s, ':'); colon > 0 {
			s = s[colon+1:]
		}
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	s = strings.Trim(s, "'<>,;")
	if at := strings.LastIndexByte(s, '@'); at <= 0 || at == len(s)-1 {
		if s, _ = decodeWords([]byte(s), r.guess); !strings.Contains(s, "@") || strings.ContainsAny(s, " <>,") {
			return ""
		}
	}
	s, _ = decodeText([]byte(s), r.guess)
	return s
}

// withoutBlanks takes blanks out that are not in quotes.
func withoutBlanks(s string) string {
	inQuotes := false
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] == '"' {
			inQuotes = !inQuotes
		}
		if inQuotes || !isBlank(s[i]) {
			out = append(out, s[i])
		}
	}
	return string(out)
}

// sameAddress compares without regard to case, and domains in either spelling.
func sameAddress(a, b string) bool { return foldAddress(a) == foldAddress(b) }

func foldAddress(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	at := strings.LastIndexByte(s, '@')
	if at < 0 || isASCII([]byte(s)) {
		return s
	}
	if domain, err := idna.ToASCII(s[at+1:]); err == nil {
		return s[:at+1] + domain
	}
	return s
}

// formatAddresses writes a list so that it reads back as the same: a decoded name that has a
// comma, an @ or a bracket in it is quoted.
func formatAddresses(list []mail.Address) string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.Address
		if a.Name != "" {
			texts[i] = quoteName(a.Name) + " <" + a.Address + ">"
		}
	}
	return strings.Join(texts, ", ")
}

func quoteName(name string) string {
	if !strings.ContainsAny(name, `()<>[]:;@\,."`) {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
