package mailbox_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/mailbox"
)

// threadID is the field that Gmail's export begins a mail with.
const threadID = "X-GM-THRID" //nolint:misspell // that is its name

const fromLine = "From ann@example.com Thu Nov 26 08:00:00 2026\n"

// box puts mails with the bodies into a mbox file, and a Content-Length into each header.
func box(lengths bool, bodies ...string) string {
	var b strings.Builder
	for i, text := range bodies {
		fmt.Fprintf(&b, "%sFrom: ann@example.com\nSubject: %d\n", fromLine, i)
		if lengths {
			fmt.Fprintf(&b, "Content-Length: %d\n", len(text))
		}
		b.WriteString("\n" + text + "\n")
	}
	return b.String()
}

// bodies returns those of all mails of a mbox.
func bodies(t *testing.T, raw string, d mailbox.Dialect) (texts []string) {
	t.Helper()
	for it, err := range mailbox.Mbox(iotest.OneByteReader(strings.NewReader(raw)), d) {
		require.NoError(t, err)
		_, text, _ := bytes.Cut(bytes.ReplaceAll(it.Raw, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
		texts = append(texts, string(text))
	}
	return texts
}

func TestDialects(t *testing.T) {
	t.Parallel()
	const o, rd, cl, cl2, auto = mailbox.MboxO, mailbox.MboxRD, mailbox.MboxCL, mailbox.MboxCL2, mailbox.Auto
	for name, c := range map[string]struct {
		raw  string
		d    mailbox.Dialect
		want []string
	}{
		"quoted":                       {box(false, "a\n>From b\n", "c\n"), auto, []string{"a\nFrom b\n", "c\n"}},
		"quoted twice":                 {box(false, ">>From b\n"), auto, []string{">From b\n"}},
		"quoted twice, mboxrd":         {box(false, ">>From b\n"), rd, []string{">From b\n"}},
		"quoted twice, mboxo":          {box(false, ">From a\n>>From b\n"), o, []string{"From a\n>>From b\n"}},
		"quoted, mboxcl":               {box(true, ">From a\n>>From b\n", "c\n"), cl, []string{"From a\n>>From b\n", "c\n"}},
		"quoted with a length":         {box(true, ">From a\n", "c\n"), auto, []string{"From a\n", "c\n"}},
		"not quoted":                   {box(true, "a\n\nFrom here on\nDate: x\n>From b\n", "c\n"), auto, []string{"a\n\nFrom here on\nDate: x\n>From b\n", "c\n"}},
		"not quoted, mboxcl2":          {box(true, "a\n>From b\n", "c\n"), cl2, []string{"a\n>From b\n", "c\n"}},
		"a mail in a mail":             {box(true, "a\n\n"+box(true, "inner\n")+"b\n", "c\n"), auto, []string{"a\n\n" + box(true, "inner\n") + "b\n", "c\n"}},
		"a sentence":                   {box(false, "a\n\nFrom here on\nit goes\n", "c\n"), auto, []string{"a\n\nFrom here on\nit goes\n", "c\n"}},
		"a sentence with a time":       {box(false, "a\nFrom 10:00 on in 2026\nit goes\n", "c\n"), auto, []string{"a\nFrom 10:00 on in 2026\nit goes\n", "c\n"}},
		"wrong lengths":                {strings.ReplaceAll(box(true, "a\n", "b\n", "c\n"), "Content-Length: 2", "Content-Length: 20"), auto, []string{"a\n", "b\n", "c\n"}},
		"lengths that are too long":    {strings.ReplaceAll(box(true, "a\n", "b\n"), "Content-Length: 2", "Content-Length: 9999"), auto, []string{"a\n", "b\n"}},
		"lengths of zero":              {strings.ReplaceAll(box(true, "a\n", "b\n"), "Content-Length: 2", "Content-Length: 0"), auto, []string{"a\n", "b\n"}},
		"a length without its newline": {strings.ReplaceAll(box(true, "a\n", "b\n"), "Content-Length: 2", "Content-Length: 1"), auto, []string{"a\n", "b\n"}},
		"lengths that say nothing":     {box(true, "a\n\n"+fromLine+"Subject: x\n\nb\n"), rd, []string{"a\n", "b\n"}},
		"CRLF":                         {strings.ReplaceAll(box(false, "a\n>From b\n", "c\n"), "\n", "\r\n"), auto, []string{"a\nFrom b\n", "c\n"}},
		"CR":                           {strings.ReplaceAll(box(false, "a\n>From b\n", "c\n"), "\n", "\r"), auto, []string{"a\nFrom b\n", "c\n"}},
		"no empty line between":        {strings.ReplaceAll(box(false, "a\n", "c\n"), "\n\nFrom", "\nFrom"), auto, []string{"a", "c\n"}},
		"From lines without a date":    {strings.ReplaceAll(box(false, "a\n", "c\n"), fromLine, "From -\n"), auto, []string{"a\n", "c\n"}},
		"From - without empty lines":   {"From -\nSubject: x\n\na\nFrom -\nSubject: y\n\nc\nFrom here\nDate: x\n", auto, []string{"a", "c\nFrom here\nDate: x\n"}},
		"Gmail's export":               {strings.ReplaceAll(box(false, "a\n", "c\n"), fromLine, "From 1847265013312430097@xxx Tue Nov 04 10:00:00 +0000 2025\n"+threadID+": 1\n"), auto, []string{"a\n", "c\n"}},
		"bytes before the first mail":  {"rubbish\n\n" + box(false, "a\n"), auto, []string{"a\n"}},
		"an empty body":                {box(false, "", "c\n"), auto, []string{"", "c\n"}},
		"no header":                    {fromLine + "\na\n\n" + box(false, "b\n"), auto, []string{"", "b\n"}},
		"nothing":                      {"", auto, nil},
		"no mbox":                      {"Subject: x\n\na\n", auto, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, bodies(t, c.raw, c.d))
		})
	}
}

func TestMboxThatBreaksOff(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken disk")
	r := io.MultiReader(strings.NewReader(box(false, "a\n", "b\n")), iotest.ErrReader(broken))
	var errs []error
	for _, err := range mailbox.Mbox(r, mailbox.Auto) {
		errs = append(errs, err)
	}
	require.NotEmpty(t, errs)
	require.ErrorIs(t, errs[len(errs)-1], broken)
	for _, err := range mailbox.Mbox(strings.NewReader(box(false, "a\n", "b\n")), mailbox.Auto) {
		require.NoError(t, err)
		break // the caller has enough
	}
}

// TestMboxInFlatMemory reads a large file through a reader that counts how far it is ahead of
// what was yielded.
func TestMboxInFlatMemory(t *testing.T) {
	t.Parallel()
	const mails = 5_000
	one := box(true, strings.Repeat("a line of text\n", 60))
	r := &repeated{text: one, left: mails}
	found := 0
	for it, err := range mailbox.Mbox(r, mailbox.Auto) {
		require.NoError(t, err)
		found++
		require.Less(t, r.read-it.Offset, int64(300<<10), "no more is read ahead than a few mails")
	}
	assert.Equal(t, mails, found)
}

type repeated struct {
	text string
	rest string
	left int
	read int64
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		r.rest = r.text
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	r.read += int64(n)
	return n, nil
}

type tree struct {
	t   *testing.T
	dir string
}

func (tr *tree) write(name, text string) {
	tr.t.Helper()
	path := filepath.Join(tr.dir, filepath.FromSlash(name))
	require.NoError(tr.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(tr.t, os.WriteFile(path, []byte(text), 0o600))
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func mail(subject string) string { return "From: a@b.example\nSubject: " + subject + "\n\ntext\n" }

func TestFilesOfAllKinds(t *testing.T) {
	t.Parallel()
	tr := &tree{t, filepath.Join(t.TempDir(), "Mail")}
	tr.write("cur/1:2,FRS", mail("inbox"))
	tr.write("new/2", mail("new"))
	tr.write("tmp/3", mail("half delivered"))
	tr.write(".Sent.2026/cur/4:2,S", mail("sent"))
	tr.write(".Entw&APw-rfe/cur/5;2,D", mail("draft"))
	tr.write("Lists/new/6:2,PT", mail("in a folder"))
	tr.write(".index", "no mail")
	tr.write("saved/7.eml", mail("saved"))
	tr.write("saved/8.eml.gz", zipped(mail("zipped")))
	tr.write("saved/9.emlx", fmt.Sprintf("%d\n%s<?xml plist", len(mail("apple")), mail("apple")))
	tr.write("boxes/Sent.mbox", box(false, "a\n", "b\n"))
	tr.write("boxes/Trash.mbox.gz", zipped(box(false, "c\n")))
	tr.write("boxes/Junk.mbox/mbox", box(false, "d\n"))
	tr.write("boxes/takeout.mbox", fromLine+threadID+": 255\nX-Gmail-Labels: Spam\n"+mail("takeout"))
	tr.write("boxes/status.mbox", fromLine+"X-Status: AF\nStatus: RO\nX-Mozilla-Status: 1008\n"+mail("status"))
	tr.write("boxes/empty.mbox", "")
	tr.write("boxes/broken.gz", "\x1f\x8bno")
	var got []string
	var failed []string
	for it, err := range mailbox.Files(t.Context(), tr.dir, filepath.Join(tr.dir, "missing")) {
		var fileErr *mailbox.FileError
		if errors.As(err, &fileErr) {
			failed = append(failed, filepath.Base(fileErr.Path))
			continue
		}
		require.NoError(t, err)
		m, err := it.Parse(mailbox.Options{})
		require.NoError(t, err)
		got = append(got, fmt.Sprintf("%s|%s|%s|%v", m.Subject, m.Folder, m.Place, flagNames(m.Flags)))
		again, err := mailbox.OpenItem(it.Path, it.Offset)
		require.NoError(t, err)
		assert.Equal(t, it.Raw, again.Raw, "what was found is found again: %s", it.Where())
	}
	assert.ElementsMatch(t, []string{
		"inbox|INBOX|inbox|SRF", "new|INBOX|inbox|", "sent|Sent/2026||S", "draft|Entwürfe|drafts|D", "in a folder|Lists|trash|TP",
		"saved|Mail/saved||", "zipped|Mail/saved||", "apple|Mail/saved||", "0|Sent|sent|", "1|Sent|sent|", "0|Trash|trash|", "0|Junk|spam|",
		"takeout|takeout|spam|", "status|status|trash|SRFTP",
	}, got)
	assert.ElementsMatch(t, []string{"empty.mbox", "broken.gz", "missing"}, failed)
}

func flagNames(f mailbox.Flags) (s string) {
	for _, one := range []struct {
		set  bool
		name string
	}{{f.Seen, "S"}, {f.Answered, "R"}, {f.Flagged, "F"}, {f.Draft, "D"}, {f.Deleted, "T"}, {f.Forwarded, "P"}} {
		if one.set {
			s += one.name
		}
	}
	return s
}

func TestFilesEnd(t *testing.T) {
	t.Parallel()
	tr := &tree{t, t.TempDir()}
	tr.write("a.mbox", box(false, "a\n", "b\n"))
	tr.write("b.eml", mail("c"))
	for _, err := range mailbox.Files(t.Context(), tr.dir) {
		require.NoError(t, err)
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, last = range mailbox.Files(ctx, tr.dir) {
		cancel()
	}
	require.ErrorIs(t, last, context.Canceled)
	_, err := mailbox.OpenItem(filepath.Join(tr.dir, "missing"), -1)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzMbox asks that every reading of a mbox ends, that no mail is made up, and that all of what
// a writer quoted comes back.
func FuzzMbox(f *testing.F) {
	f.Add([]byte(box(true, "a\n", "b\n")), 0)
	f.Add([]byte(box(false, ">From a\n\nFrom b\n")), 2)
	f.Fuzz(func(t *testing.T, raw []byte, dialect int) {
		size := 0
		for it, err := range mailbox.Mbox(bytes.NewReader(raw), mailbox.Dialect(((dialect%5)+5)%5)) {
			if err != nil {
				t.Fatal(err)
			}
			size += len(it.Raw)
		}
		if size > len(raw) {
			t.Fatalf("%d bytes became %d", len(raw), size)
		}
	})
}
