package mailbox

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// param is the value of a parameter, with the charset of RFC 2231 if it named one.
type param struct {
	value   []byte
	charset string
	// extended values were percent-encoded and have no encoded words.
	extended bool
	quoted   bool
}

// params are the parameters of a Content-Type or Content-Disposition by their names in lower
// case, with the pieces of RFC 2231 put together.
type params map[string]param

// maxParams bounds the parameters of a field.
const maxParams = 200

// parseParams reads "value; name=value; …" in every spelling that programs write: quoted or not,
// with blanks in values without quotes, with quotes that do not end, without semicolons.
func parseParams(field []byte) (value string, found params) {
	end := bytes.IndexAny(field, "; \t")
	if end < 0 {
		end = len(field)
	}
	first := field[:end]
	if bytes.IndexByte(first, '=') >= 0 { // the value itself is missing
		first, end = nil, 0
	}
	if c := bytes.IndexByte(first, '('); c >= 0 {
		first = first[:c]
	}
	raw := map[string]param{}
	for rest := field[end:]; len(rest) > 0 && len(raw) < maxParams; {
		var name string
		var p param
		name, p, rest = nextParam(rest)
		if _, taken := raw[name]; name != "" && !taken {
			raw[name] = p
		}
	}
	return strings.ToLower(strings.Trim(string(first), "\"' ")), joinPieces(raw)
}

// nextParam reads one name and its value.
func nextParam(b []byte) (name string, p param, rest []byte) {
	b = bytes.TrimLeft(b, "; \t")
	eq := bytes.IndexAny(b, "=;")
	if eq < 0 {
		return "", p, nil
	}
	if b[eq] == ';' {
		return "", p, b[eq:]
	}
	name = strings.ToLower(strings.TrimSpace(string(b[:eq])))
	if space := strings.LastIndexAny(name, " \t"); space >= 0 { // words that are no parameter before it
		name = name[space+1:]
	}
	b = bytes.TrimLeft(b[eq+1:], " \t")
	if len(b) > 0 && b[0] == '"' {
		p.quoted = true
		p.value, rest = quotedValue(b[1:])
		return name, p, rest
	}
	end := bytes.IndexByte(b, ';')
	if end < 0 {
		end = len(b)
	}
	p.value = bytes.TrimSpace(b[:end])
	return name, p, b[end:]
}

// quotedValue reads up to the closing quote, or to the end if there is none. A backslash escapes
// a quote and itself; before anything else it is one, as in the paths of Windows.
func quotedValue(b []byte) (value, rest []byte) {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && i+1 < len(b) && (b[i+1] == '"' || b[i+1] == '\\'):
			i++
			value = append(value, b[i])
		case b[i] == '"':
			return value, b[i+1:]
		default:
			value = append(value, b[i])
		}
	}
	return value, nil
}

// piece is a part of a value, name*0, or a whole extended one, name*.
type piece struct {
	n       int
	encoded bool
	value   []byte
}

func joinPieces(raw map[string]param) params {
	found, pieces := params{}, map[string][]piece{}
	for key, p := range raw {
		name, mark, starred := strings.Cut(key, "*")
		if !starred {
			found[name] = p
			continue
		}
		mark, encoded := strings.CutSuffix(mark, "*")
		if mark == "" {
			pieces[name] = append(pieces[name], piece{n: -1, encoded: true, value: p.value})
		} else if n, err := strconv.Atoi(mark); err == nil && n >= 0 {
			pieces[name] = append(pieces[name], piece{n: n, encoded: encoded, value: p.value})
		}
	}
	for name, list := range pieces {
		if p, ok := joined(list); ok {
			found[name] = p
		}
	}
	return found
}

// joined puts the pieces from 0 on together, up to the first that is missing. A whole value goes
// before pieces.
func joined(list []piece) (p param, ok bool) {
	// The value is for pieces that are there twice, which come in no order.
	slices.SortFunc(list, func(a, b piece) int { return cmp.Or(cmp.Compare(a.n, b.n), bytes.Compare(a.value, b.value)) })
	list = slices.CompactFunc(list, func(a, b piece) bool { return a.n == b.n })
	if list[0].n > 0 {
		return p, false
	}
	if list[0].n < 0 {
		list = list[:1]
	}
	for i, one := range list {
		if i > 0 && one.n != i {
			break
		}
		value := one.value
		if one.encoded {
			p.extended = true
			if i == 0 {
				p.charset, value = cutCharset(value)
			}
			value = decodePercent(value)
		}
		p.value = append(p.value, value...)
	}
	return p, true
}

// cutCharset takes charset'language' off.
func cutCharset(value []byte) (string, []byte) {
	parts := bytes.SplitN(value, []byte("'"), 3)
	if len(parts) < 3 {
		return "", value
	}
	return string(parts[0]), parts[2]
}

func decodePercent(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] == '%' {
			if c, ok := hexByte(raw, i+1); ok {
				out = append(out, c)
				i += 2
				continue
			}
		}
		out = append(out, raw[i])
	}
	return out
}

// text returns a value for people to read, "" if it is absent. guess is the charset of bytes
// that have none.
func (ps params) text(name, guess string) string {
	p, ok := ps[name]
	if !ok {
		return ""
	}
	if p.extended {
		if p.charset != "" {
			guess = p.charset
		}
		s, _ := decodeText(p.value, guess)
		return oneLine(s)
	}
	s, _ := decodeWords(p.value, guess)
	return s
}

// token returns a value for programs. Without quotes it ends at a blank: a comment comes behind
// it, or the next parameter without a semicolon between.
func (ps params) token(name string) string {
	p := ps[name]
	s := strings.TrimSpace(string(p.value))
	if blank := strings.IndexAny(s, " \t"); blank > 0 && !p.quoted {
		s = s[:blank]
	}
	return s
}
