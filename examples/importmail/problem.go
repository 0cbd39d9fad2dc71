package main

import (
	"fmt"
	"io"
	"strings"
)

// problem is what was wrong with a mail, and what became of it.
type problem struct {
	where   string
	reason  string
	skipped bool
}

// problems are kept until the progress bar is done with the terminal.
type problems []problem

func (p *problems) add(where, reason string, skipped bool) {
	*p = append(*p, problem{where, oneLine(reason), skipped})
}

func (p problems) print(out io.Writer) {
	if len(p) == 0 {
		return
	}
	fmt.Fprintln(out, "Problems")
	for _, one := range p {
		verdict := "mended "
		if one.skipped {
			verdict = "SKIPPED"
		}
		fmt.Fprintf(out, "  %s  %s: %s\n", verdict, one.where, one.reason)
	}
	fmt.Fprintln(out)
}

// oneLine also takes out control characters, which a broken mail would send to the
// terminal.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
