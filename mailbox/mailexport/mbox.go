package mailexport

import (
	"bytes"
	"io"
	"strings"
	"time"
)

// writeMbox writes a mail with the line that begins it and the empty one that ends it. Lines end
// with LF in a mbox file.
func writeMbox(w io.Writer, sender string, at time.Time, raw []byte) error {
	var out bytes.Buffer
	out.Grow(len(raw) + len(raw)/64 + 128)
	out.WriteString("From " + strings.ReplaceAll(sender, " ", "-") + " " + at.UTC().Format(time.ANSIC) + "\n")
	for line := range bytes.Lines(raw) {
		line = bytes.TrimRight(line, "\r\n")
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			out.WriteByte('>')
		}
		out.Write(line)
		out.WriteByte('\n')
	}
	out.WriteByte('\n')
	_, err := w.Write(out.Bytes())
	return err
}
