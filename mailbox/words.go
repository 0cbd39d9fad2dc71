package mailbox

import (
	"bytes"
	"strings"
)

// wordDecoder reads the encoded words of RFC 2047 in a value, wherever they stand: the standard
// forbids them in quotes and beside other letters, and programs write them there.
type wordDecoder struct {
	value []byte
	// guess is the charset of bytes that are not ASCII.
	guess string
	out   strings.Builder
	worst verdict
	// end is the first "?=" at or after the place it was looked for, so that a value of many
	// words without an end is read once.
	end int
}

// decodeWords returns a value as text of one line: what was decoded into an end of line or
// another control character becomes a space, since it might begin a header of its own where the
// value is written again.
func decodeWords(value []byte, guess string) (string, verdict) {
	d := wordDecoder{value: value, guess: guess, end: -1}
	d.run()
	return oneLine(d.out.String()), d.worst
}

// oneLine replaces control characters.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

func (d *wordDecoder) run() {
	plain := 0 // where text begins that is no word
	var pending []byte
	label, inWord := "", false
	flush := func() {
		if inWord {
			d.write(pending, label)
		}
		pending, inWord = nil, false
	}
	for i := 0; ; {
		start := bytes.Index(d.value[i:], []byte("=?"))
		if start < 0 {
			break
		}
		start += i
		w, ok := d.word(start)
		if !ok {
			i = start + 2
			continue
		}
		between := d.value[plain:start]
		switch {
		case inWord && len(bytes.TrimSpace(between)) == 0 && strings.EqualFold(w.label, label):
			// A letter of several bytes may be divided between words.
			pending = append(pending, w.text...)
		default:
			blank := inWord && len(bytes.TrimSpace(between)) == 0
			flush()
			if !blank {
				d.plain(between)
			}
			pending, label, inWord = w.text, w.label, true
		}
		i, plain = w.end, w.end
	}
	flush()
	d.plain(d.value[plain:])
}

// plain writes what is no word. The guess is for bytes that ASCII does not have.
func (d *wordDecoder) plain(b []byte) {
	if isASCII(b) {
		d.write(b, "")
		return
	}
	d.write(b, d.guess)
}

func (d *wordDecoder) write(b []byte, label string) {
	s, v := decodeText(b, label)
	d.worst = max(d.worst, v)
	d.out.WriteString(s)
}

// word is an encoded word whose letters are still bytes.
type word struct {
	label string
	text  []byte
	end   int
}

// word reads the encoded word that begins at start.
func (d *wordDecoder) word(start int) (w word, ok bool) {
	const longestCharset = 80
	rest := d.value[start+2:]
	mark := bytes.IndexByte(rest[:min(len(rest), longestCharset)], '?')
	if mark <= 0 || bytes.ContainsAny(rest[:mark], " \t=<>\"") || mark+2 >= len(rest) || rest[mark+2] != '?' {
		return w, false
	}
	text := start + 2 + mark + 3
	end, ok := d.endAfter(text)
	if !ok {
		return w, false
	}
	w = word{label: string(rest[:mark]), end: end + 2}
	switch raw := d.value[text:end]; rest[mark+1] {
	case 'q', 'Q':
		w.text = decodeQ(raw)
	case 'b', 'B':
		w.text, _, _ = decodeBase64(raw)
	default:
		return w, false
	}
	return w, true
}

func (d *wordDecoder) endAfter(i int) (int, bool) {
	if d.end < i {
		n := bytes.Index(d.value[min(i, len(d.value)):], []byte("?="))
		if n < 0 {
			d.end = len(d.value) + 1
		} else {
			d.end = i + n
		}
	}
	return d.end, d.end < len(d.value)
}

func decodeQ(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '_':
			out = append(out, ' ')
		case '=':
			if b, ok := hexByte(raw, i+1); ok {
				out = append(out, b)
				i += 2
				continue
			}
			out = append(out, c)
		default:
			out = append(out, c)
		}
	}
	return out
}
