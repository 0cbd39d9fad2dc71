package mailbox

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"regexp"
	"strconv"
)

// Dialect is one of the ways to write mails into a mbox file, which differ in what becomes of a
// line of a body that begins with "From ".
type Dialect int

// The dialects. What a file is in is written nowhere.
const (
	// Auto goes mail by mail: by the Content-Length where a mail ends there, and by lines that
	// look like those that begin a mail else. Lines are unquoted as in MboxRD, unless the
	// Content-Length shows that they never were quoted.
	Auto Dialect = iota
	// MboxO quotes "From " as ">From ", and nothing else.
	MboxO
	// MboxRD quotes ">From " as ">>From " as well, and so on.
	MboxRD
	// MboxCL quotes as MboxO does and has a Content-Length.
	MboxCL
	// MboxCL2 has a Content-Length and quotes nothing.
	MboxCL2
)

// Mbox returns the mails of a mbox file, one at a time: memory holds the one that was yielded
// last. An error of r is yielded once, at the end. Bytes before the first "From " line are
// skipped.
func Mbox(r io.Reader, d Dialect) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		b := mboxReader{window: window{r: r}, dialect: d}
		for {
			it, err := b.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

// window holds the bytes of a reader that may be needed again.
type window struct {
	r   io.Reader
	buf []byte
	// base is the offset of buf in the file, and pos where the next line begins in buf.
	base int64
	pos  int
	err  error
	// carriage says that lines end with CR alone.
	carriage, begun bool
}

const windowStep = 64 << 10

// fill reads more, and reports whether there was any.
func (w *window) fill() bool {
	if w.err != nil {
		return false
	}
	n := len(w.buf)
	w.buf = append(w.buf, make([]byte, windowStep)...)
	var read int
	read, w.err = io.ReadFull(w.r, w.buf[n:])
	w.buf = w.buf[:n+read]
	if errors.Is(w.err, io.ErrUnexpectedEOF) {
		w.err = io.EOF
	}
	if !w.begun {
		w.begun = true
		w.carriage = bytes.IndexByte(w.buf, '\n') < 0 && bytes.IndexByte(w.buf, '\r') >= 0
	}
	if w.carriage {
		for i := n; i < len(w.buf); i++ {
			if w.buf[i] == '\r' {
				w.buf[i] = '\n'
			}
		}
	}
	return read > 0
}

// lineAt returns the end of the line that begins at i, behind its end of line. A line of more
// than a mebibyte comes in pieces.
func (w *window) lineAt(i int) int {
	const longest = 1 << 20
	from := i
	for {
		if n := bytes.IndexByte(w.buf[from:], '\n'); n >= 0 {
			return from + n + 1
		}
		from = len(w.buf)
		if from-i > longest || !w.fill() {
			return from
		}
	}
}

// drop forgets what is before i.
func (w *window) drop(i int) {
	w.base += int64(i)
	w.buf = w.buf[i:]
	w.pos -= i
}

// at reports whether there are bytes from i on.
func (w *window) at(i int) bool { return i < len(w.buf) || w.fill() && i < len(w.buf) }

type mboxReader struct {
	window

	dialect Dialect
	inside  bool
	// wrong counts the lengths that did not lead to the next mail. A file of wrong lengths would
	// be read again and again.
	wrong int
}

var (
	fromLine = []byte("From ")
	// named lines have a sender and no date.
	named = regexp.MustCompile(`^From (-|\S+@\S+)\s*$`)
	dated = regexp.MustCompile(`^From .*\b\d{1,2}:\d{2}(:\d{2})?\b.*\b\d{4}\b`)
)

// next reads the mail behind the next "From " line.
func (b *mboxReader) next() (*Item, error) {
	for !b.inside {
		if !b.at(b.pos) {
			return nil, b.err
		}
		end := b.lineAt(b.pos)
		b.inside = bytes.HasPrefix(b.buf[b.pos:end], fromLine)
		b.pos = end
		b.drop(b.pos)
	}
	m := mboxMail{mboxReader: b, length: -1, candidate: -1}
	end, next := m.find()
	if !errors.Is(b.err, io.EOF) && b.err != nil {
		return nil, b.err
	}
	it := &Item{Offset: m.offset, Cut: m.cut != nil, Raw: m.cut}
	if it.Raw == nil {
		it.Raw = bytes.Clone(b.buf[:end])
	}
	m.unquote(it)
	it.inMbox()
	if b.inside = b.at(next); b.inside {
		// Behind the "From " line of the next mail.
		next = b.lineAt(next)
	}
	b.pos = next
	b.drop(next)
	return it, nil
}

// mboxMail is the mail that is being looked for the end of. It begins at 0 in the window.
type mboxMail struct {
	*mboxReader

	offset int64
	body   int
	// length is the Content-Length, -1 without one that holds; exact says that it held.
	length int
	exact  bool
	// candidate is the first line inside of the length that looks like the beginning of a mail.
	candidate int
	// cut is the beginning of a mail that is too large.
	cut []byte
}

// find returns where the mail ends, and where the next "From " line begins.
func (m *mboxMail) find() (end, next int) {
	m.offset = m.base
	inHeader, blank, whole := true, false, true
	for i := 0; m.at(i); {
		stop := m.lineAt(i)
		text := m.buf[i:stop]
		if m.length >= 0 && !inHeader && i-m.body >= m.length {
			if end, next, ok := m.byLength(); ok {
				return end, next
			}
			if m.candidate >= 0 {
				return m.trimmed(m.candidate), m.candidate
			}
		}
		if whole && bytes.HasPrefix(text, fromLine) && m.begins(i, stop, blank) {
			if m.length < 0 || inHeader {
				return m.trimmed(i), i
			}
			if m.candidate < 0 {
				m.candidate = i
			}
		}
		blank = len(bytes.TrimRight(text, "\r\n")) == 0
		if inHeader {
			if blank {
				inHeader, m.body = false, stop
			} else if whole {
				m.contentLength(text)
			}
		}
		whole = len(text) > 0 && text[len(text)-1] == '\n'
		if i = stop; i > MaxBytes {
			i = m.shorten(i)
		}
	}
	if m.length >= 0 && !inHeader {
		if end, next, ok := m.byLength(); ok {
			return end, next
		}
		if m.candidate >= 0 {
			return m.trimmed(m.candidate), m.candidate
		}
	}
	end = len(m.buf)
	if bytes.HasSuffix(m.buf, []byte("\n\n")) || bytes.HasSuffix(m.buf, []byte("\n\r\n")) {
		end = m.trimmed(end)
	}
	return end, len(m.buf)
}

func (m *mboxMail) contentLength(text []byte) {
	const most = 16
	if m.dialect == MboxO || m.dialect == MboxRD || m.wrong >= most {
		return
	}
	if name, value, ok := splitField(text); ok && name == "Content-Length" {
		if n, err := strconv.Atoi(string(bytes.TrimSpace(value))); err == nil && n >= 0 && n <= MaxBytes {
			m.length = n
		}
	}
}

// byLength asks whether a mail, or the end of the file, comes where the length says. If not, the
// length is wrong.
func (m *mboxMail) byLength() (end, next int, ok bool) {
	end = m.body + m.length
	m.at(end + 2)
	next = min(end, len(m.buf))
	if rest := m.buf[next:]; len(rest) > 0 {
		next += len(rest) - len(bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte("\r")), []byte("\n")))
	}
	m.at(next + len(fromLine))
	if end <= len(m.buf) && (next >= len(m.buf) || bytes.HasPrefix(m.buf[next:], fromLine)) {
		m.exact = true
		return end, next, true
	}
	m.length = -1
	m.wrong++
	return 0, 0, false
}

// begins tells a line that begins a mail from one of a body. It has a date or a well-known field
// behind it, and an empty line before it or a date.
func (m *mboxMail) begins(i, stop int, blank bool) bool {
	const longest = 300
	from := m.buf[i:min(stop, i+longest)]
	date := dated.Match(from)
	if !date && !blank && !named.Match(from) {
		return false
	}
	if !m.at(stop) {
		return date && blank
	}
	nextStop := m.lineAt(stop)
	text := bytes.TrimRight(m.buf[stop:nextStop], "\r\n")
	name, _, ok := splitField(text)
	if !ok {
		return date && blank && (len(text) == 0 || bytes.HasPrefix(text, []byte(">From ")))
	}
	return date || wellKnown(name)
}

// trimmed leaves the empty line out that stands before the next mail.
func (m *mboxMail) trimmed(end int) int {
	if end > m.body && m.buf[end-1] == '\n' {
		end--
		if end > m.body && m.buf[end-1] == '\r' {
			end--
		}
	}
	return end
}

// shorten keeps the beginning of a mail that is too large, and forgets what was read since.
func (m *mboxMail) shorten(i int) int {
	if m.cut == nil {
		m.cut = bytes.Clone(m.buf[:MaxBytes])
		m.length = -1
	}
	m.pos = i
	m.drop(i)
	m.body = 0
	return 0
}

// unquote undoes what the dialect did to lines of the body.
func (m *mboxMail) unquote(it *Item) {
	deep := m.dialect == MboxRD || m.dialect == Auto && !m.exact
	if m.dialect == MboxCL2 || m.body == 0 || m.dialect == Auto && m.exact && hasFromLine(it.Raw[min(m.body, len(it.Raw)):]) {
		return
	}
	raw := it.Raw
	if !bytes.Contains(raw, []byte(">From ")) {
		return
	}
	out := raw[:min(m.body, len(raw))]
	for i := len(out); i < len(raw); {
		_, next := line(raw, i)
		text := raw[i:next]
		if unquoted := bytes.TrimLeft(text, ">"); bytes.HasPrefix(unquoted, fromLine) && len(unquoted) < len(text) &&
			(deep || len(text)-len(unquoted) == 1) {
			text = text[1:]
		}
		// In place: what is written is never longer than what was read.
		out = append(out, text...)
		i = next
	}
	it.Raw = out
}

func hasFromLine(body []byte) bool {
	return bytes.HasPrefix(body, fromLine) || bytes.Contains(body, []byte("\nFrom "))
}
