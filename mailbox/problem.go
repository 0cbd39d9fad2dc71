package mailbox

import (
	"fmt"
	"slices"
)

// Problem is something in a mail that could not be read as it should, and was mended or left
// out.
type Problem struct {
	// Part is the place of the part, such as 1.2 for the second part of the first, "" for the
	// mail itself.
	Part string
	// Reason is one line without control characters.
	Reason string
}

func (p Problem) String() string {
	if p.Part == "" {
		return p.Reason
	}
	return "part " + p.Part + " " + p.Reason
}

// problems are those of one mail, each once.
type problems []Problem

func (ps *problems) add(part, reason string) {
	const most, longest = 100, 300
	if len(reason) > longest {
		reason = reason[:longest]
	}
	reason, _ = decodeText([]byte(oneLine(reason)), "utf-8")
	if p := (Problem{part, reason}); len(*ps) < most && !slices.Contains(*ps, p) {
		*ps = append(*ps, p)
	}
}

func (ps *problems) header(part string, h *header) {
	if h.garbage > 0 {
		ps.add(part, fmt.Sprintf("has %d header lines that are none; they are left out", h.garbage))
	}
	if h.cut > 0 {
		ps.add(part, fmt.Sprintf("has a header that is too long; %d bytes of it are left out", h.cut))
	}
}

// text notes what was wrong with the charset of a text.
func (ps *problems) text(part, what, label string, v verdict) {
	switch v {
	case asNamed:
	case withNUL:
		ps.add(part, what+" has NUL, which is taken out")
	case unnamed:
		ps.add(part, what+" has bytes without a charset; they are read as UTF-8 or Windows-1252")
	case misnamed:
		ps.add(part, what+" is not in the charset that it names, "+quoteLabel(label))
	case unknown:
		ps.add(part, what+" has the unknown charset "+quoteLabel(label))
	case lossy:
		ps.add(part, what+" has bytes that are no text in its charset")
	}
}

func quoteLabel(label string) string {
	const longest = 40
	return fmt.Sprintf("%.*q", longest, label)
}
