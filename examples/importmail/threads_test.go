package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// raw is a mail to us@example.com.
func raw(from, id, subject string, headers ...string) []string {
	lines := []string{
		"From: " + from, "To: us@example.com", "Subject: " + subject, "Date: 04 Nov 2025 10:00:00 +0100", "Message-ID: <" + id + ">",
	}
	return append(append(lines, headers...), "", "text of "+id)
}

// TestThreads has what subjects and absent mails must not, and must, bring together.
func TestThreads(t *testing.T) {
	for name, c := range map[string]struct {
		mails [][]string
		want  int
	}{
		"three leads answer one question": {[][]string{
			raw("a@a.example", "1@a", "Re: Quick question", "In-Reply-To: <q1@example.com>"),
			raw("b@b.example", "1@b", "Re: Quick question", "In-Reply-To: <q2@example.com>"),
			raw("c@c.example", "1@c", "Re: Quick question"),
		}, 3},
		"two tickets": {[][]string{
			raw("shop@s.example", "7@s", "Re: [Ticket #7] Your order"), raw("shop@s.example", "8@s", "Re: [Ticket #8] Your order"),
		}, 2},
		"two answers to a mail that is not here": {[][]string{
			raw("a@a.example", "1@a", "one", "References: <root@x> <gone@x>"), raw("b@b.example", "1@b", "another", "References: <root@x>"),
		}, 1},
		"ids without brackets": {[][]string{
			raw("a@a.example", "1@a", "one"), raw("b@b.example", "1@b", "another", "In-Reply-To: 1@a"),
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			for i, m := range c.mails {
				b.write(string(rune('a'+i))+".eml", m...)
			}
			b.run("us@example.com")
			assert.Len(t, b.threads(), c.want)
		})
	}
}

// TestFoldersInAnyOrder imports sent mail and the inbox in two runs, whichever comes first.
func TestFoldersInAnyOrder(t *testing.T) {
	folders := map[string][][]string{
		"Inbox": {raw("a@a.example", "1@a", "Hello"), raw("a@a.example", "3@a", "Re: Hello", "In-Reply-To: <2@us>")},
		"Sent": {
			raw("us@example.com", "2@us", "Re: Hello", "To: a@a.example", "In-Reply-To: <1@a>"),
			raw("us@example.com", "4@us", "Re: Hello", "To: a@a.example", "In-Reply-To: <3@a>"),
		},
	}
	for _, order := range [][]string{{"Inbox", "Sent"}, {"Sent", "Inbox"}} {
		t.Run(strings.Join(order, " first, then "), func(t *testing.T) {
			b := newBox(t)
			for _, folder := range order {
				for i, m := range folders[folder] {
					b.write(filepath.Join(folder, string(rune('a'+i))+".eml"), m...)
				}
				b.run("us@example.com")
			}
			threads := b.threads()
			require.Len(t, threads, 1)
			assert.Len(t, threads[0].Messages, 4)
		})
	}
}

// TestCopies imports a mail without a Message-ID with the line ends of two systems.
func TestCopies(t *testing.T) {
	b := newBox(t)
	mail := slices.Concat(raw("a@a.example", "x", "Hello")[:4], []string{"", "one", "two"})
	b.write("lf.eml", mail...)
	path := filepath.Join(b.dir, "crlf.eml")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(mail, "\r\n")+"\r\n"), 0o600))
	assert.Contains(t, b.run(), "2 mails read: 1 stored, 1 there already")
	b.only()
}

func TestBySubject(t *testing.T) {
	b := newBox(t)
	b.subject = true
	b.write("1.eml", raw("a@a.example", "1@a", "[list] Plan")...)
	b.write("2.eml", raw("a@a.example", "2@a", "Re: [list] RE: plan")...)
	b.write("3.eml", raw("b@b.example", "1@b", "Re: [list] Plan")...)
	b.run("us@example.com")
	assert.Len(t, b.threads(), 2, "of one correspondent")
}
