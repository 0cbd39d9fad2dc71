package mailimport

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/encoding/charmap"
)

// cleanText takes out what a database cannot keep: U+0000 and bytes that are not UTF-8.
func cleanText(s string) (clean string, changed bool) {
	clean = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	return clean, clean != s
}

// decodeBytes reads text whose charset was not said, or was not true: as UTF-8 if it is,
// else as Windows-1252, which is what mail programs wrote when they said nothing.
func decodeBytes(b []byte) (text string, guessed bool) {
	if utf8.Valid(b) {
		return string(b), false
	}
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return string(b), true
	}
	return string(decoded), true
}

// htmlText takes the text out of a page: for mails that came as HTML alone.
func htmlText(page string) string {
	var out strings.Builder
	hidden := 0
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return tidy(out.String())
		case html.TextToken:
			if hidden == 0 {
				out.Write(bytes.ReplaceAll(z.Text(), []byte("\n"), []byte(" ")))
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch tag := atom.Lookup(name); {
			case isHidden(tag) && kind == html.StartTagToken:
				hidden++
			case isHidden(tag) && kind == html.EndTagToken:
				hidden = max(0, hidden-1)
			case breaksLine(tag):
				out.WriteByte('\n')
			}
		}
	}
}

func isHidden(tag atom.Atom) bool {
	return tag == atom.Script || tag == atom.Style || tag == atom.Title
}

func breaksLine(tag atom.Atom) bool {
	switch tag {
	case atom.Br, atom.P, atom.Div, atom.Tr, atom.Li, atom.H1, atom.H2, atom.H3, atom.H4, atom.Blockquote, atom.Table, atom.Hr, atom.Pre:
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
