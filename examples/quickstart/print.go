package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/convostore/convostore/message"
)

// printer writes aligned lines: what happened, and the details.
type printer struct{ out io.Writer }

func (p printer) title(text string) { fmt.Fprintf(p.out, "\n%s\n", text) }

func (p printer) line(what, format string, args ...any) {
	fmt.Fprintf(p.out, "  %-12s %s\n", what, fmt.Sprintf(format, args...))
}

// thread prints messages as a table; a tool's part is named after its text.
func (p printer) thread(ms []*message.Message) {
	for _, m := range ms {
		text := m.Content
		if !m.ToolCalls.IsNull() {
			text = "calls " + m.ToolCalls.String()
		}
		if !m.ToolResults.IsNull() {
			text = "returns " + m.ToolResults.String()
		}
		fmt.Fprintf(p.out, "  %4d  %-10s %s\n", m.Seq, m.Role, short(text))
	}
}

// short shortens a text to one line of a terminal.
func short(text string) string {
	const most = 64
	letters := []rune(strings.Join(strings.Fields(text), " "))
	if len(letters) <= most {
		return string(letters)
	}
	return string(letters[:most-1]) + "…"
}

func many(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
