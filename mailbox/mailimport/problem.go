package mailimport

import "strings"

// Problem is what was wrong with a mail, and what became of it.
type Problem struct {
	// Where names the file, and the place in it if it has more than one mail.
	Where string
	// Reason is one line without control characters.
	Reason string
	// Skipped says that the mail was not stored; else it was mended.
	Skipped bool
}

type problems []Problem

func (p *problems) add(where, reason string, skipped bool) {
	*p = append(*p, Problem{where, OneLine(reason), skipped})
}

// OneLine also takes out control characters, which a broken mail would send to the
// terminal.
func OneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
