package mailbox

import "strings"

// unflow joins the lines of a text of RFC 3676 that were broken to fit: those that end in a blank
// go on in the next line, unless that one is quoted more or less often. delSp says that the blank
// was only put there for it. The line before a signature stays as it is.
func unflow(text string, delSp bool) string {
	var out strings.Builder
	open, depth := false, 0
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		rest := strings.TrimLeft(line, ">")
		quotes := len(line) - len(rest)
		rest = strings.TrimPrefix(rest, " ") // what begins with a blank, > or From was stuffed with one
		signature := rest == "-- "
		if open && (quotes != depth || signature) {
			out.WriteByte('\n')
			open = false
		}
		if !open && quotes > 0 {
			out.WriteString(line[:quotes] + " ")
		}
		depth, open = quotes, ended && !signature && strings.HasSuffix(rest, " ")
		if open && delSp {
			rest = rest[:len(rest)-1]
		}
		out.WriteString(rest)
		if ended && !open {
			out.WriteByte('\n')
		}
	}
	return out.String()
}
