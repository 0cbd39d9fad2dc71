package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// threadID is the field that Gmail's export begins a mail with.
const threadID = "X-GM-THRID" //nolint:misspell // that is its name

// box is a folder with mails and the database that they go into.
type box struct {
	t       *testing.T
	dir, db string
	all     bool
	subject bool
}

func newBox(t *testing.T) *box {
	t.Helper()
	return &box{t: t, dir: t.TempDir(), db: filepath.Join(t.TempDir(), "mail.db")}
}

func (b *box) write(name string, lines ...string) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	require.NoError(b.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(b.t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

// run imports the folder and returns what was printed, with its white space narrowed.
func (b *box) run(me ...string) string {
	b.t.Helper()
	var out, progress bytes.Buffer
	o := options{db: b.db, user: "test", mine: me, paths: []string{b.dir}, all: b.all, bySubject: b.subject}
	require.NoError(b.t, run(b.t.Context(), o, &out, &progress), out.String())
	lines := strings.Split(out.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
}

// threads returns what is stored, oldest thread first.
func (b *box) threads() []*conversation.Conversation {
	b.t.Helper()
	st, err := sqlite.Open(b.t.Context(), b.db)
	require.NoError(b.t, err)
	defer func() { require.NoError(b.t, st.Close()) }()
	mine := st.ForUser(mailimport.UserID("test"))
	var all []*conversation.Conversation
	for c, err := range mine.Conversations().All(b.t.Context(), store.ConversationFilter{Order: store.NewestCreated}) {
		require.NoError(b.t, err)
		c, err = mine.Conversations().Thread(b.t.Context(), c.ID)
		require.NoError(b.t, err)
		all = append([]*conversation.Conversation{c}, all...)
	}
	return all
}

func (b *box) only() *message.Message {
	b.t.Helper()
	threads := b.threads()
	require.Len(b.t, threads, 1)
	require.Len(b.t, threads[0].Messages, 1)
	return threads[0].Messages[0]
}

// eml writes a mail of a thread; day is its date, and its id.
func eml(day int, subject string, answers ...int) []string {
	lines := []string{
		fmt.Sprintf("From: User %d <u%d@example.com>", day%2, day%2), "To: list@example.com", "Subject: " + subject,
		fmt.Sprintf("Date: %02d Nov 2025 10:00:00 +0100", day), fmt.Sprintf("Message-ID: <m%d@example.com>", day),
	}
	for _, a := range answers {
		lines = append(lines, fmt.Sprintf("In-Reply-To: <m%d@example.com>", a))
	}
	return append(lines, "", fmt.Sprintf("text of %d", day))
}

func TestMbox(t *testing.T) {
	b := newBox(t)
	var lines []string
	// The answers stand before what they answer.
	for _, m := range [][]string{eml(3, "other words", 2), eml(2, "Re: Hello", 1), eml(1, "Hello"), eml(4, "Hello")} {
		lines = append(lines, append([]string{"From someone Thu Jan  1 00:00:01 2025"}, append(m, ">From here on", "")...)...)
	}
	b.write("box.mbox", lines...)

	out := b.run("U1@Example.com")
	assert.Contains(t, out, "4 mails read: 4 stored, 0 there already")
	assert.Contains(t, out, "3 2 0 2025-11-01 2025-11-03 Hello")
	threads := b.threads()
	require.Len(t, threads, 2, "a first mail with the same subject begins another thread")
	first := threads[0]
	require.Len(t, first.Messages, 3)
	for i, m := range first.Messages {
		assert.Equal(t, fmt.Sprintf("text of %d\nFrom here on\n", i+1), m.Content)
	}
	assert.Equal(t, message.DirectionOutbound, first.Messages[0].Direction)
	assert.Equal(t, message.DirectionInbound, first.Messages[1].Direction)
	assert.Equal(t, "u1@example.com", first.Messages[0].SenderEmail)
	assert.Equal(t, "list@example.com", first.Messages[0].RecipientEmail)
	assert.Equal(t, time.Date(2025, 11, 1, 9, 0, 0, 0, time.UTC), first.CreatedAt)
	assert.Equal(t, first.CreatedAt, first.Messages[0].SentAt)

	again := b.run("u1@example.com")
	assert.Contains(t, again, "4 mails read: 0 stored, 4 there already")
	assert.Len(t, b.threads(), 2)
}

func TestMaildirAndTrees(t *testing.T) {
	b := newBox(t)
	b.write("inbox/cur/1:2,S", eml(1, "[list] Plan")...)
	b.write("inbox/new/2", eml(2, "Re: [list] RE: plan")...) // no In-Reply-To
	b.write("inbox/tmp/3", eml(3, "half delivered")...)
	b.write("inbox/.Sent/cur/4:2,S", eml(4, "Fwd: Plan", 99)...) // answers what is not there
	b.write("inbox/.index", "no mail")
	b.write("tree/a/b/5.eml", eml(5, "")...)
	b.write("tree/a/b/6.eml", eml(6, "")...)

	out := b.run()
	assert.Contains(t, out, "5 mails read: 5 stored, 0 there already (the same Message-ID), 0 skipped")
	assert.NotContains(t, out, "Problems")
	threads := b.threads()
	require.Len(t, threads, 5, "a subject makes no thread")
	assert.Equal(t, "[list] Plan", threads[0].Subject)
	assert.Contains(t, b.run(), "5 mails read: 0 stored, 5 there already")
}

func TestParts(t *testing.T) {
	b := newBox(t)
	b.write("m.eml", "From: =?utf-8?q?J=C3=B6rg?= <j@example.com>", "Subject: =?iso-8859-1?q?Gr=FC=DFe?=", "Message-ID: <a@b>",
		"Date: 4 Nov 2025 10:00:00 +0000", `Content-Type: multipart/mixed; boundary="x"`, "",
		"--x", `Content-Type: multipart/alternative; boundary="y"`, "",
		"--y", "Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: quoted-printable", "", "sch=F6n", "",
		"--y", "Content-Type: text/html", "", "<p>sch&ouml;n</p>", "--y--",
		"--x", `Content-Type: image/png; name="logo.png"`, "Content-Transfer-Encoding: base64", "Content-ID: <logo@b>",
		"Content-Disposition: inline", "", "AAECAwQ=", "--x--")
	assert.NotContains(t, b.run(), "Problems")
	m := b.only()
	assert.Equal(t, "schön", strings.TrimSpace(m.Content))
	assert.Equal(t, "Grüße", m.Headers.Get("subject"))
	require.Len(t, m.Attachments, 1)
	a := m.Attachments[0]
	assert.Equal(t, "logo.png", a.Filename)
	assert.Equal(t, "image/png", a.ContentType)
	assert.Equal(t, int64(5), a.Size)
	assert.Equal(t, "logo@b", a.ContentID)
	assert.True(t, a.Inline)
}

func TestHTMLAlone(t *testing.T) {
	b := newBox(t)
	b.write("m.eml", append(eml(1, "page")[:5], "Content-Type: text/html; charset=utf-8", "",
		"<html><head><title>T</title><style>p{}</style></head><body><p>Hello&nbsp;<b>you</b></p><script>x()</script><br>1 &lt; 2</body></html>")...)
	b.run()
	assert.Equal(t, "Hello you\n\n1 < 2", b.only().Content)
}

// TestBrokenMails has one mail for each way of being broken: the reason is reported, and
// what can be kept is kept.
func TestBrokenMails(t *testing.T) {
	head := func(more ...string) []string { return append(eml(1, "broken")[:5], more...) }
	for name, c := range map[string]struct {
		lines   []string
		reason  string
		content string // "" if the file is skipped
	}{
		"garbage":         {[]string{"\x7fELF\x00\x01\x02\xff\xfe"}, "SKIPPED", ""},
		"text":            {[]string{"Dear diary,", "", "no mail"}, "it has no header", ""},
		"empty":           {[]string{""}, "it has no header", ""},
		"NUL":             {head("", "a\x00b"), "the text has NUL", "ab"},
		"NUL in a header": {head("X-Bad: a\x00b", "", "text"), "header X-Bad has NUL", "text"},
		"not UTF-8":       {head("Content-Type: text/plain; charset=utf-8", "", "caf\xe9"), "not in the charset that it names", "café"},
		"8-bit header":    {head("X-Name: caf\xe9", "", "text"), "header X-Name has bytes without a charset", "text"},
		"charset":         {head("Content-Type: text/plain; charset=klingon", "", "text"), "klingon", "text"},
		"encoding":        {head("Content-Transfer-Encoding: rot13", "", "text"), "rot13", "text"},
		"base64":          {head("Content-Transfer-Encoding: base64", "", "aGVs!!!"), "base64", "hel"},
		"no boundary":     {head("Content-Type: multipart/mixed", "", "text"), "kept as it is", "text"},
		"cut short":       {head(`Content-Type: multipart/mixed; boundary="x"`, "", "--x", "", "text"), "has no last boundary", "text"},
		"wrong boundary":  {head(`Content-Type: multipart/mixed; boundary="x"`, "", "text"), "kept as it is", "text"},
		"late header":     {head("X-Note : spaced", ">From somebody", " folded", "", "text"), "2 header lines that are none", "text"},
		"header line":     {head(">From somebody", "", "text"), "1 header lines that are none", "text"},
		"bad date":        {append([]string{"Date: yesterday", "Subject: x"}, "", "text"), `has the date "yesterday"`, "text"},
		"no date":         {[]string{"Subject: x", "", "text"}, "has no date", "text"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write("m.eml", c.lines...)
			b.write("good.eml", eml(9, "good")...)
			out := b.run()
			assert.Contains(t, out, c.reason)
			assert.Contains(t, out, "m.eml: ")
			want := "2 mails read: 2 stored"
			if c.content == "" {
				want = "1 mail read: 1 stored, 0 there already (the same Message-ID), 1 skipped"
			}
			assert.Contains(t, out, want)
			assert.Equal(t, c.content, b.contentBeside("text of 9"))
			assert.Contains(t, b.run(), "0 stored")
		})
	}
}

func (b *box) contentBeside(known string) string {
	b.t.Helper()
	for _, c := range b.threads() {
		for _, m := range c.Messages {
			if text := strings.TrimSpace(m.Content); text != known {
				return text
			}
		}
	}
	return ""
}

func TestDateOfReceiptStandsIn(t *testing.T) {
	b := newBox(t)
	b.write("m.eml", "From: a@b.example", "Received: from x by y;", "\tTue, 4 Nov 2025 10:00:00 +0000", "", "text")
	assert.Contains(t, b.run(), "the time of receipt stands for it")
	assert.Equal(t, time.Date(2025, 11, 4, 10, 0, 0, 0, time.UTC), b.only().SentAt)
}

func TestDraftsSpamAndTrashStayOut(t *testing.T) {
	b := newBox(t)
	b.write("Maildir/cur/1:2,S", eml(1, "kept")...)
	b.write("Maildir/cur/2:2,DS", eml(2, "a draft")...)
	b.write("Maildir/.Trash/cur/3:2,S", eml(3, "thrown away")...)
	b.write("takeout.mbox", append([]string{"From 1@xxx Tue Nov 04 10:00:00 +0000 2025", threadID + ": 1", "X-Gmail-Labels: Spam,Unread"}, eml(4, "spam")...)...)
	out := b.run()
	assert.Contains(t, out, "1 mail read: 1 stored")
	assert.Contains(t, out, "3 drafts, spam and trash left out (-all takes them)")
	b.all = true
	assert.Contains(t, b.run(), "4 mails read: 3 stored, 1 there already")
	threads := b.threads()
	require.Len(t, threads, 4)
	assert.Equal(t, message.DirectionOutbound, threads[1].Messages[0].Direction, "a draft is the user's own")
}

func TestCompressedFiles(t *testing.T) {
	b := newBox(t)
	var lines []string
	for day := 1; day <= 3; day++ {
		lines = append(append(lines, "From x Thu Jan  1 00:00:01 2025"), append(eml(day, "Hello"), "")...)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write([]byte(strings.Join(lines, "\n") + "\n"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "box.mbox.gz"), zipped.Bytes(), 0o600))
	t.Setenv("TMPDIR", t.TempDir())
	assert.Contains(t, b.run(), "3 mails read: 3 stored")
	assert.Contains(t, b.run(), "3 mails read: 0 stored, 3 there already")
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	assert.Empty(t, left, "the copy of the file is removed")
}

func TestRepliesBeforeTheirParentsByTheClock(t *testing.T) {
	b := newBox(t)
	b.write("1.eml", eml(20, "question")...)
	b.write("2.eml", eml(3, "answer with another subject", 20)...) // a wrong clock
	b.write("3.eml", eml(5, "a circle", 6)...)
	b.write("4.eml", eml(6, "of two", 5)...)
	b.run()
	threads := b.threads()
	require.Len(t, threads, 2)
	for _, c := range threads {
		assert.Len(t, c.Messages, 2, c.Subject)
	}
}

func TestDeletedThreadsStayDeleted(t *testing.T) {
	b := newBox(t)
	b.write("1.eml", eml(1, "secret")...)
	b.write("2.eml", eml(2, "with another subject", 1)...)
	b.run()
	st, err := sqlite.Open(t.Context(), b.db)
	require.NoError(t, err)
	mine := st.ForUser(mailimport.UserID("test"))
	listed, err := mine.Conversations().List(t.Context(), store.ConversationFilter{}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, listed.Items, 1)
	_, err = mine.Conversations().Delete(t.Context(), listed.Items[0].ID)
	require.NoError(t, err)
	require.NoError(t, st.Close())
	assert.Contains(t, b.run(), "2 mails read: 0 stored, 2 there already")
	assert.Empty(t, b.threads())
	b.write("3.eml", eml(3, "Re: secret", 1)...)
	stranger := eml(4, "secret")
	stranger[0] = "From: Eve <eve@y.example>"
	b.write("4.eml", stranger...)
	out := b.run()
	assert.Contains(t, out, "belongs to a conversation that was deleted")
	assert.Contains(t, out, "4 mails read: 1 stored, 2 there already")
	assert.Equal(t, "eve@y.example", b.only().SenderEmail)
}

func TestAMissingPathIsAnError(t *testing.T) {
	o := options{db: filepath.Join(t.TempDir(), "x.db"), paths: []string{filepath.Join(t.TempDir(), "missing")}}
	require.Error(t, run(t.Context(), o, &bytes.Buffer{}, &bytes.Buffer{}))
	_, err := parseFlags([]string{"-user", "x"})
	require.Error(t, err)
}
