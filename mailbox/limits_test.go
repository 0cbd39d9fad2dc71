package mailbox_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
)

// bombs are mails that take long where work grows faster than their size.
func bombs(n int) map[string]string {
	deep := &strings.Builder{}
	for i := range n {
		fmt.Fprintf(deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	wrong := strings.Repeat("Content-Type: multipart/mixed; boundary=q\n\n--a\nContent-Type: multipart/mixed\n\n", n)
	return map[string]string{
		"parts":                 head + mixed + strings.Repeat("--x\n\na\n", n) + "--x--\n",
		"parts without a body":  head + mixed + strings.Repeat("--x\n", n),
		"files":                 head + mixed + strings.Repeat("--x\nContent-Type: a/b; name=c\n\na\n", n),
		"depth":                 head + deep.String(),
		"wrong boundaries":      head + wrong,
		"one boundary":          head + strings.Repeat("Content-Type: multipart/mixed; boundary=x\n\n--x\n", n),
		"boundary lines":        head + mixed + strings.Repeat("--y\n", n),
		"a long header":         head + "X-Long: " + strings.Repeat("a ", n) + "\n\ntext",
		"many fields":           head + strings.Repeat("X-A: b\n", n) + "\ntext",
		"folded lines":          head + "X-A: b\n" + strings.Repeat(" c\n", n) + "\ntext",
		"garbage lines":         head + strings.Repeat("garbage\n", n) + "X-A: b\n\ntext",
		"blank lines":           head + strings.Repeat(" \n", n) + "X-A: b\n\ntext",
		"words without an end":  head + "X-A: " + strings.Repeat("=?utf-8?q?", n) + "\n\ntext",
		"words":                 head + "X-A: " + strings.Repeat("=?utf-8?q?a?= ", n) + "\n\ntext",
		"word marks":            head + "X-A: " + strings.Repeat("=?", n) + "\n\ntext",
		"recipients":            head + "To: " + strings.Repeat("a@b.example,", n) + "\n\ntext",
		"brackets":              head + "To: " + strings.Repeat("<", n) + "\n\ntext",
		"brackets and quotes":   head + "To: " + strings.Repeat("<\"", n) + "\n\ntext",
		"comments":              head + "To: " + strings.Repeat("(", n) + "\n\ntext",
		"pairs of comments":     head + "To: <" + strings.Repeat("()", n) + "a@b>\n\ntext",
		"colons":                head + "To: a@" + strings.Repeat(":", n) + "\n\ntext",
		"quotes":                head + "To: " + strings.Repeat("\"a", n) + "\n\ntext",
		"ids":                   head + "References: " + strings.Repeat("<a@b> ", n) + "\n\ntext",
		"different ids":         head + "References: " + numbered("<%d@b> ", n) + "\n\ntext",
		"parameters":            head + "Content-Type: text/plain" + strings.Repeat("; a=b", n) + "\n\ntext",
		"pieces":                head + "Content-Type: a/b" + numbered("; name*%d=b", n) + "\n\ntext",
		"date":                  strings.Replace(head, "Date: ", "Date: "+strings.Repeat("(", n), 1) + "\n\ntext",
		"received":              strings.Replace(head, "Date: ", strings.Repeat("Received: x; y\n", n)+"X-D: ", 1) + "\n\ntext",
		"tags":                  head + "Content-Type: text/html\n\n" + strings.Repeat("<div>", n),
		"comments of a page":    head + "Content-Type: text/html\n\n" + strings.Repeat("<!--", n),
		"styles":                head + "Content-Type: text/html\n\n" + strings.Repeat("<style>", n),
		"scripts":               head + "Content-Type: text/html\n\n" + strings.Repeat("<script>a</script", n),
		"attributes":            head + "Content-Type: text/html\n\n<a " + strings.Repeat("b=c ", n),
		"broken entities":       head + "Content-Type: text/html\n\n" + strings.Repeat("&#", n),
		"uuencode":              head + "\n" + strings.Repeat("begin 644 a\n#0V%T\n", n) + "end",
		"uuencode without end":  head + "\n" + strings.Repeat("begin 644 a\n", n) + "end",
		"base64":                head + "Content-Transfer-Encoding: base64\n\n" + strings.Repeat("=\n!", n),
		"quoted-printable":      head + "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=\n =", n),
		"utf-7":                 head + "Content-Type: text/plain; charset=utf-7\n\n" + strings.Repeat("+AOk", n),
		"charsets":              head + mixed + numbered("--x\nContent-Type: text/plain; charset=a%d\n\n\xe9\n", n),
		"pages and texts":       head + mixed + strings.Repeat("--x\nContent-Type: text/html\n\n<p>a\n--x\n\na\n", n),
		"recipients of reports": head + mixed + "--x\nContent-Type: message/delivery-status\n\n" + strings.Repeat("Action: failed\n\n", n),
		"delivered to":          head + strings.Repeat("Delivered-To: a@b.example\n", n) + "\ntext",
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// bombSize makes work that grows with the square of the size take minutes in the full size.
func bombSize() int {
	if testrun.Full() {
		return 100_000
	}
	return 10_000
}

// TestBombs: whatever is repeated a hundred thousand times, what comes out is valid, and of a
// size that a store takes.
func TestBombs(t *testing.T) {
	t.Parallel()
	for name, raw := range bombs(bombSize()) {
		m, err := mailbox.Parse([]byte(raw), mailbox.Options{Own: []string{"me@acme.example"}})
		require.NoError(t, err, name)
		checkValid(t, m)
		assert.Equal(t, "Hello", m.Subject, name)
		assert.LessOrEqual(t, len(m.Problems), 100, name)
	}
}

// TestLargeMails: a mail that is too large is cut, and the next one is found behind it.
func TestLargeMails(t *testing.T) {
	t.Parallel()
	if !testrun.Full() {
		t.Skip("takes some hundred megabytes of memory")
	}
	large := head + "\n" + strings.Repeat(strings.Repeat("a", 70)+"\n", mailbox.MaxBytes/70)
	m, err := mailbox.Read(strings.NewReader(large), mailbox.Options{})
	require.NoError(t, err)
	assert.Contains(t, reasons(m), "is larger than 64 MiB")
	checkValid(t, m)
	var found []*mailbox.Item
	for it, err := range mailbox.Mbox(strings.NewReader(fromLine+large+"\n"+fromLine+head+"\nsmall\n"), mailbox.Auto) {
		require.NoError(t, err)
		found = append(found, it)
	}
	require.Len(t, found, 2)
	assert.True(t, found[0].Cut)
	assert.Len(t, found[0].Raw, mailbox.MaxBytes)
	m, err = found[1].Parse(mailbox.Options{})
	require.NoError(t, err)
	assert.Equal(t, "small\n", m.Message.Content)
	m, err = found[0].Parse(mailbox.Options{})
	require.NoError(t, err)
	assert.Contains(t, reasons(m), "is larger than 64 MiB")
}

func checkValid(t *testing.T, m *mailbox.Mail) {
	t.Helper()
	m.Message.Normalize(message.Now())
	require.NoError(t, m.Message.Validate())
	assert.LessOrEqual(t, m.Message.Size(), message.MaxBytes)
	assert.True(t, m.Message.Kind.Valid())
	require.Len(t, m.Files, len(m.Message.Attachments))
	texts := append([]string{m.Subject, m.HTML, m.Folder}, m.InReplyTo...)
	texts = append(append(texts, m.References...), m.Labels...)
	for _, p := range m.Problems {
		texts = append(texts, p.Reason, p.Part)
	}
	for _, list := range [][]string{texts} {
		for _, s := range list {
			assert.True(t, utf8.ValidString(s) && !strings.Contains(s, "\x00"), "%q", s)
		}
	}
	for _, a := range append(append(m.From, m.To...), m.Cc...) {
		assert.True(t, utf8.ValidString(a.Name+a.Address), "%q", a)
		assert.False(t, strings.ContainsAny(a.Name+a.Address, "\r\n\x00"), "%q", a)
	}
	for name, values := range m.Message.Headers {
		for _, v := range values {
			assert.False(t, strings.ContainsAny(v, "\r\n\x00"), "%s: %q", name, v)
		}
	}
}
