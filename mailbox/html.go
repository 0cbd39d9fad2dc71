package mailbox

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText returns the text of a page: lines where a browser begins one, words of cells apart,
// no styles, scripts or comments. One of these that does not end hides nothing but itself: the
// rest is text, which a browser would not show.
func htmlText(page string) string {
	page = openComments(page)
	w := htmlWriter{page: page, ends: lastEnds(page)}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		w.pos += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			return tidy(w.out.String())
		case html.TextToken:
			w.text(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			if !w.start(tag) {
				z.NextIsNotRawText()
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(atom.Lookup(name))
		}
	}
}

// openComments takes away the beginnings of comments that do not end.
func openComments(page string) string {
	end := max(strings.LastIndex(page, "-->"), strings.LastIndex(page, "--!>"), 0)
	return page[:end] + strings.ReplaceAll(page[end:], "<!--", " ")
}

// hiding are the elements whose text nobody sees.
var hiding = []atom.Atom{atom.Script, atom.Style, atom.Title, atom.Iframe, atom.Noembed, atom.Noframes, atom.Template}

// lastEnds says where the last end tag of each is, -1 if there is none.
func lastEnds(page string) map[atom.Atom]int {
	ends := map[atom.Atom]int{}
	lower := asciiLower(page)
	for _, tag := range append([]atom.Atom{atom.Textarea, atom.Xmp, atom.Noscript}, hiding...) {
		ends[tag] = strings.LastIndex(lower, "</"+tag.String())
	}
	return ends
}

// asciiLower keeps the length, which strings.ToLower does not.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

type htmlWriter struct {
	page string
	out  strings.Builder
	ends map[atom.Atom]int
	// pos is how far the page was read.
	pos int
	// hidden is the element whose text is left out, and unclosed that its end is missing: then
	// its text ends at the next tag.
	hidden   atom.Atom
	unclosed bool
	pre      int
}

func (w *htmlWriter) text(text []byte) {
	switch {
	case w.hidden != 0:
	case w.pre > 0:
		w.out.Write(text)
	default:
		w.out.Write(bytes.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, text))
	}
}

// start reports whether what follows may be raw text, as it is in a style.
func (w *htmlWriter) start(tag atom.Atom) (raw bool) {
	if w.hidden != 0 && !w.unclosed {
		return true
	}
	w.hidden, w.unclosed = 0, false
	end, special := w.ends[tag]
	switch {
	case isHiding(tag):
		w.hidden, w.unclosed = tag, end < w.pos
		return !w.unclosed
	case special: // a textarea is shown
		return false
	case tag == atom.Plaintext:
		return false
	case tag == atom.Pre:
		w.pre++
		w.out.WriteByte('\n')
	case tag == atom.Td || tag == atom.Th:
		w.out.WriteByte(' ')
	case tag == atom.Li:
		w.out.WriteString("\n- ")
	case breaksLine(tag):
		w.out.WriteByte('\n')
	}
	return true
}

func (w *htmlWriter) end(tag atom.Atom) {
	if w.hidden != 0 {
		if tag != w.hidden && !w.unclosed {
			return
		}
		w.hidden, w.unclosed = 0, false
	}
	switch {
	case tag == atom.Pre:
		w.pre = max(0, w.pre-1)
		w.out.WriteByte('\n')
	case tag == atom.Td || tag == atom.Th:
		w.out.WriteByte(' ')
	case tag != atom.Li && breaksLine(tag) && tag != atom.Tr && tag != atom.Br:
		w.out.WriteByte('\n')
	}
}

func isHiding(tag atom.Atom) bool {
	for _, one := range hiding {
		if tag == one {
			return true
		}
	}
	return false
}

func breaksLine(tag atom.Atom) bool {
	switch tag {
	case atom.Br, atom.P, atom.Div, atom.Tr, atom.Ul, atom.Ol, atom.Dl, atom.Dt, atom.Dd, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
		atom.Blockquote, atom.Table, atom.Caption, atom.Hr, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Address, atom.Center,
		atom.Form, atom.Fieldset, atom.Option, atom.Body, atom.Main, atom.Figure, atom.Figcaption, atom.Details, atom.Summary, atom.Nav, atom.Aside:
		return true
	}
	return false
}

// tidy leaves at most one empty line between lines, and no white space around them.
func tidy(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
