package mailbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
)

// with is a mail with one field in the place of the good one.
func with(t *testing.T, name, value string) *mailbox.Mail {
	t.Helper()
	var lines []string
	for l := range strings.Lines(head) {
		if !strings.HasPrefix(l, name+":") {
			lines = append(lines, l)
		}
	}
	return parse(t, strings.Join(lines, "")+name+": "+value+"\n\ntext\n")
}

func TestDates(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"Thu, 26 Nov 2026 08:00:00 +0100":              "2026-11-26T07:00:00Z",
		"26 Nov 2026 08:00 -0000":                      "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 PDT":                "2026-11-26T15:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 EST":                "2026-11-26T13:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 GMT":                "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 ut":                 "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 Z":                  "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 A":                  "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 CEST":               "2026-11-26T06:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 XYZ":                "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 +0200 (CEST)":       "2026-11-26T06:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 +02:00":             "2026-11-26T06:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 GMT+0200":           "2026-11-26T06:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 -0700 PDT":          "2026-11-26T15:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 +9999":              "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 2026 08:00:00":                    "2026-11-26T08:00:00Z",
		"Thu (a (nested) day), 26 (x) Nov 2026 08:00Z": "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 26 08:00:00 +0000":                "2026-11-26T08:00:00Z",
		"Thu, 25 Nov 93 08:00:00 +0000":                "1993-11-25T08:00:00Z",
		"Thu, 26 Nov 126 08:00:00 +0000":               "2026-11-26T08:00:00Z",
		"thu, 26 NOV 2026 8:0:0 +0000":                 "2026-11-26T08:00:00Z",
		"Thu, 26 November 2026 08.00.00 +0000":         "2026-11-26T08:00:00Z",
		"Thu, 26 Nov 2026 23:59:60 +0000":              "2026-11-27T00:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 PM +0000":           "2026-11-26T20:00:00Z",
		"Thu 26 Nov 2026 12:30:00 AM PST":              "2026-11-26T08:30:00Z",
		"Thu Nov 26 08:00:00 2026":                     "2026-11-26T08:00:00Z",
		"Thu Nov 26 08:00:00 PST 2026":                 "2026-11-26T16:00:00Z",
		"Thu Nov 26 08:00:00 2026 +0100":               "2026-11-26T07:00:00Z",
		"Nov 26th, 2026 08:00":                         "2026-11-26T08:00:00Z",
		"2026-11-26T08:00:00+01:00":                    "2026-11-26T07:00:00Z",
		"2026-11-26T08:00:00.25Z":                      "2026-11-26T08:00:00.25Z",
		"2026-11-26T08:00:00-0700":                     "2026-11-26T15:00:00Z",
		"2026-11-26 08:00:00 -0700":                    "2026-11-26T15:00:00Z",
		"26-Oct-2026 08:00:00":                         "2026-10-26T08:00:00Z",
		"Do., 26 Nov 2026 08:00:00 +0100":              "2026-11-26T07:00:00Z",
		"четверг, 26 Nov 2026 08:00:00 +0100":          "2026-11-26T07:00:00Z",
		"Thu, 26 Nov 2026 08:00:00 America/New_York":   "2026-11-26T08:00:00Z",
		"26 Foo 2026 08:00:00":                         "",
		"yesterday":                                    "",
		"03/04/2026 08:00":                             "",
		"Mon, 30 Feb 2026 08:00:00 +0000":              "",
		"Thu, 26 Nov 2026 25:00:00 +0000":              "",
		"Thu, 26 Nov 1066 08:00:00 +0000":              "",
		"Thu, 26 Nov 20260 08:00:00 +0000":             "",
		"Thu 01 Nov 2000 00+00:00":                     "",
		"26":                                           "",
		strings.Repeat("(", 600):                       "",
		"Thu, 32 Nov 2026":                             "",
		":":                                            "",
		"+":                                            "",
	} {
		// What stands in is told from a date that was read.
		m, err := mailbox.Parse([]byte("From: a@b.example\nDate: "+value+"\n\ntext"), mailbox.Options{})
		require.NoError(t, err, value)
		if want == "" {
			assert.Zero(t, m.Message.SentAt, value)
			assert.Contains(t, reasons(m), "date", value)
			continue
		}
		assert.Equal(t, want, m.Message.SentAt.Format(time.RFC3339Nano), value)
	}
}

// TestZonesOfTheMachine runs before the parallel tests go on, which read no zone of the machine
// either.
func TestZonesOfTheMachine(t *testing.T) {
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	for _, name := range []string{"PDT", "CEST", "XYZ"} {
		time.Local = time.FixedZone(name, 5*3600)
		for _, zone := range []string{"PDT", "-0700"} {
			m := with(t, "Date", "Thu, 26 Nov 2026 08:00:00 "+zone)
			assert.Equal(t, time.Date(2026, 11, 26, 15, 0, 0, 0, time.UTC), m.Message.SentAt, zone)
		}
		assert.Equal(t, time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC), with(t, "Date", "Thu, 26 Nov 2026 08:00:00 XYZ").Message.SentAt)
	}
}

func TestDateOfReceiptStandsIn(t *testing.T) {
	t.Parallel()
	m := parse(t, "From: a@b.example\nReceived: from x by y;\n\tTue, 4 Nov 2025 10:00:00 +0000\nReceived: from z; never\n\ntext")
	assert.Equal(t, time.Date(2025, 11, 4, 10, 0, 0, 0, time.UTC), m.Message.SentAt)
	assert.Contains(t, reasons(m), "the time of receipt stands for it")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.FixedZone("", 3600))
	m, err := mailbox.Parse([]byte("From: a@b.example\nDate: never\n\ntext"), mailbox.Options{ReceivedAt: at})
	require.NoError(t, err)
	assert.Equal(t, message.Instant(at), m.Message.SentAt)
}

func TestSenders(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"ann@example.com":                                   "|ann@example.com",
		"Ann <ann@example.com>":                             "Ann|ann@example.com",
		"<ann@example.com>":                                 "|ann@example.com",
		"ann@example.com (Ann (at home))":                   "Ann (at home)|ann@example.com",
		`"Smith, Ann" <ann@example.com>`:                    "Smith, Ann|ann@example.com",
		`"Ann \"A\" Smith" <ann@example.com>`:               `Ann "A" Smith|ann@example.com`,
		"me@acme.example <someone@evil.example>":            "me@acme.example|someone@evil.example",
		`"me@acme.example" <someone@evil.example>`:          "me@acme.example|someone@evil.example",
		"<me@acme.example> <someone@evil.example>":          "|someone@evil.example",
		"=?utf-8?q?me=40acme.example=3E?= <s@evil.example>": "me@acme.example>|s@evil.example",
		"=?utf-8?q?me=40acme.example=2C?= <s@evil.example>": "me@acme.example,|s@evil.example",
		"Smith, Ann <ann@example.com>":                      "Ann|ann@example.com",
		"A. B. Smith <ann@example.com>":                     "A. B. Smith|ann@example.com",
		"Ann <ann@example.com":                              "Ann|ann@example.com",
		"Ann <<ann@example.com>>":                           "Ann|ann@example.com",
		"Ann ann@example.com":                               "Ann|ann@example.com",
		"Ann <ann @ example.com>":                           "Ann|ann@example.com",
		"Ann <ann(x)@example.com>":                          "Ann|ann@example.com",
		"Ann <@a.example,@b.example:ann@example.com>":       "Ann|ann@example.com",
		"Ann <mailto:ann@example.com>":                      "Ann|ann@example.com",
		"Ann <'ann@example.com'>":                           "Ann|ann@example.com",
		"friends: Ann <ann@example.com>, bob@example.com;":  "Ann|ann@example.com",
		"undisclosed-recipients:;":                          "",
		"Ann":                                               "",
		"":                                                  "",
		"=?utf-8?b?SsO2cmc=?= <j@example.com>":              "Jörg|j@example.com",
		`"=?utf-8?b?SsO2cmc=?=" <j@example.com>`:            "Jörg|j@example.com",
		"J\xf6rg <j@example.com>":                           "Jörg|j@example.com",
		"J\xc3\xb6rg <j\xc3\xb6@example.com>":               "Jörg|jö@example.com",
		`"a b"@example.com`:                                 `|"a b"@example.com`,
		`Ann <"a b"@example.com>`:                           `Ann|"a b"@example.com`,
		`"me@acme.example" someone@evil.example`:            "me@acme.example|someone@evil.example",
		`"ann@example.com"`:                                 "|ann@example.com",
		"=?utf-8?q?A?= =?utf-8?q?nn?= <ann@example.com>":    "Ann|ann@example.com",
		"=?utf-8?q?Ann_=3Cann=40example=2Ecom=3E?=":         "",
		"Ann\n <ann@example.com>":                           "Ann|ann@example.com",
		"ann@[192.0.2.1]":                                   "|ann@[192.0.2.1]",
		"Ann <ann@example.com>, Bob <bob@example.com>":      "Ann|ann@example.com",
	} {
		m := with(t, "From", value)
		got := ""
		if len(m.From) > 0 {
			got = m.From[0].Name + "|" + m.From[0].Address
			assert.Equal(t, m.From[0].Address, m.Message.SenderEmail)
		}
		assert.Equal(t, want, got, value)
		assert.Equal(t, message.DirectionInbound, m.Message.Direction, value)
	}
}

func TestDirectionAndRecipient(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"Me <me@acme.example> Other <someone@evil.example>":  "someone@evil.example",
		"me@acme.example, someone@evil.example":              "someone@evil.example",
		"someone@evil.example, me@acme.example":              "someone@evil.example",
		"<me@acme.example> me@acme.example <s@evil.example>": "s@evil.example",
		"\"me@acme.example\", Me <someone@evil.example>":     "someone@evil.example",
		"me@acme.example;someone@evil.example":               "someone@evil.example",
		"me@acme.example\n\t<someone@evil.example>":          "someone@evil.example",
		"me@acme.example\nFrom: someone@evil.example":        "someone@evil.example",
	} {
		m := with(t, "From", from)
		assert.Equal(t, message.DirectionInbound, m.Message.Direction, from)
		assert.Equal(t, want, m.Message.SenderEmail, from)
	}
	m := with(t, "To", "Bob Dunite <bob@b.example> Bobby <bobby@b.example>, C <c@b.example>")
	assert.Equal(t, "Bob Dunite <bob@b.example> Bobby <bobby@b.example> C <c@b.example>",
		fmt.Sprintf("%s <%s> %s <%s> %s <%s>", m.To[0].Name, m.To[0].Address, m.To[1].Name, m.To[1].Address, m.To[2].Name, m.To[2].Address))
	m = with(t, "From", `"someone@evil.example" <ME@Acme.Example>`)
	assert.Equal(t, message.DirectionOutbound, m.Message.Direction)
	assert.Equal(t, message.RoleAssistant, m.Message.Role)
	for to, want := range map[string]string{
		"To: a@b.example, me@acme.example":                                      "me@acme.example",
		"To: a@b.example\nCc: Me@Acme.example":                                  "Me@Acme.example",
		"To: a@b.example\nTo: c@b.example":                                      "a@b.example",
		"To: undisclosed-recipients:;\nDelivered-To: me@acme.example":           "me@acme.example",
		"Cc: a@b.example":                                                       "a@b.example",
		"X-Original-To: me@acme.example\nTo: list@b.example":                    "me@acme.example",
		"To: Hidden: (nobody) ;":                                                "",
		"To: team: a@b.example, B <b@b.example>; , =?utf-8?q?C?= <c@b.example>": "a@b.example",
	} {
		m := parse(t, "From: x@y.example\n"+to+"\n\ntext")
		assert.Equal(t, want, m.Message.RecipientEmail, to)
	}
	m, err := mailbox.Parse([]byte("From: x@b\xc3\xbccher.example\n\n"), mailbox.Options{Own: []string{"x@xn--bcher-kva.example"}})
	require.NoError(t, err)
	assert.Equal(t, message.DirectionOutbound, m.Message.Direction)
	m, err = mailbox.Parse([]byte(head+"\n"), mailbox.Options{Folder: "INBOX/Sent"})
	require.NoError(t, err)
	assert.Equal(t, message.DirectionOutbound, m.Message.Direction)
	assert.Equal(t, mailbox.PlaceSent, m.Place)
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"=?iso-8859-1?q?Gr=FC=DFe?=":                 "Grüße",
		"=?utf-8?B?R3LDvMOfZQ==?=":                   "Grüße",
		"=?utf-8?B?R3LDvMOfZQ?=":                     "Grüße",
		"=?utf-8*de?q?Gr=C3=BC=C3=9Fe?= aus":         "Grüße aus",
		"=?utf-8?q?Gr=C3?= =?utf-8?q?=BC=C3=9Fe?=":   "Grüße",
		"=?utf-8?q?Gr?=\n =?utf-8?q?=C3=BC?=":        "Grü",
		"=?utf-8?q?a?==?utf-8?q?b?=":                 "ab",
		"=?utf-8?q?a?= =?iso-8859-1?q?=FC?=":         "aü",
		"=?utf-8?q?a?= b =?utf-8?q?c?=":              "a b c",
		"x=?utf-8?q?=C3=BC?=y":                       "xüy",
		`"=?utf-8?q?=C3=BC?="`:                       `"ü"`,
		"=?utf-8?q?a b?=":                            "a b",
		"=?utf-8?q?a?b?=":                            "a?b",
		"=?utf-8?q?=41?=":                            "A",
		"=?utf-8?q?a=ZZ?=":                           "a=ZZ",
		"=?utf-8?x?a?=":                              "=?utf-8?x?a?=",
		"=?utf-8?q?a":                                "=?utf-8?q?a",
		"=?utf-8?q??=":                               "",
		"=??q?a?=":                                   "=??q?a?=",
		"=?":                                         "=?",
		"=?klingon?q?caf=E9?=":                       "café",
		"=?us-ascii?q?caf=C3=A9?=":                   "café",
		"=?iso-2022-jp?b?GyRCJDMkcyRLJEEkTxsoQg==?=": "こんにちは",
		"=?utf-7?q?caf+AOk-?=":                       "café",
		"=?koi8-r?q?=F0=D2=C9=D7=C5=D4?=":            "Привет",
		"caf\xe9":                                    "café",
		"caf\xc3\xa9":                                "café",
		"=?utf-8?q?a=0D=0ABcc:_b@evil.example?=":     "a  Bcc: b@evil.example",
		"=?utf-8?q?a=0ABcc:_b?=":                     "a Bcc: b",
		"=?utf-8?q?a=00b=1Bc?=":                      "ab c",
		"=?utf-8?q?a=E2=80=A8b?=":                    "a b",
		"one\n two\n\tthree":                         "one two three",
		"  Hello  ":                                  "Hello",
	} {
		m := with(t, "Subject", value)
		assert.Equal(t, want, m.Subject, value)
		assert.Equal(t, want, m.Message.Headers.Get("Subject"), value)
	}
	m := parse(t, "Content-Type: text/plain; charset=koi8-r\nSubject: \xf0\xd2\xc9\xd7\xc5\xd4\n\ntext")
	assert.Equal(t, "Привет", m.Subject, "the charset of the text is the best guess for the header")
}

func TestIDs(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"<1@x>":                                 "<1@x>",
		"1@x":                                   "<1@x>",
		`"1@x"`:                                 "<1@x>",
		"<1@x":                                  "<1@x>",
		"<a\n b@x>":                             "<ab@x>",
		"<<1@x>>":                               "<1@x>",
		"<1@x> <2@x>,<1@x>":                     "<1@x> <2@x>",
		"1@x, 2@x":                              "<1@x> <2@x>",
		`Your message of "Thu, 1 Jan" <1@x>`:    "<1@x>",
		"Message from ann@example.com of today": "",
		"<>":                                    "",
		"nothing":                               "",
		"=?utf-8?q?=3C1=40x=3E?=":               "<1@x>",
		"<no-at>":                               "<no-at>",
		"<" + strings.Repeat("a", 2000) + ">":   "",
	} {
		m := parse(t, head+"In-Reply-To: "+value+"\n\ntext")
		assert.Equal(t, want, strings.Join(m.InReplyTo, " "), value)
		if want != "" {
			assert.Equal(t, m.InReplyTo, message.ParseIDs(m.Message.Headers.Get("In-Reply-To")), "the store reads the same: %s", value)
		}
	}
	assert.Equal(t, "<abc>", with(t, "Message-ID", "abc").Message.EmailMessageID)
	assert.Equal(t, "<1@x>", with(t, "Message-ID", "1@x (added by a server)").Message.EmailMessageID)
}

func TestDerivedID(t *testing.T) {
	t.Parallel()
	raw := "From: a@b.example\nSubject: Hello\nDate: 4 Nov 2025 10:00:00 +0000\n\nHello\nFrom here on\n"
	id := parse(t, raw).Message.EmailMessageID
	for name, same := range map[string]string{
		"CRLF":             strings.ReplaceAll(raw, "\n", "\r\n"),
		"CR":               strings.ReplaceAll(raw, "\n", "\r"),
		"trailing lines":   raw + "\n\r\n",
		"no end of line":   strings.TrimSuffix(raw, "\n"),
		"other servers":    "Received: from x\nX-UID: 1\nStatus: RO\n" + raw,
		"folded":           strings.Replace(raw, "Subject: ", "Subject:\n ", 1),
		"quoted in a mbox": strings.Replace(raw, "From here", ">From here", 1),
		"line of a mbox":   "From a@b.example Tue Nov  4 10:00:00 2025\n" + raw,
	} {
		m := parse(t, same)
		assert.True(t, m.DerivedID)
		assert.Equal(t, id, m.Message.EmailMessageID, name)
	}
	for _, other := range []string{strings.Replace(raw, "Hello\nFrom", "Hello you\nFrom", 1), strings.Replace(raw, "a@b", "c@b", 1)} {
		assert.NotEqual(t, id, parse(t, other).Message.EmailMessageID)
	}
}

func TestFilenames(t *testing.T) {
	t.Parallel()
	for disposition, want := range map[string]string{
		`attachment; filename="a.pdf"`:                                           "a.pdf",
		`attachment; filename=a.pdf`:                                             "a.pdf",
		`attachment; filename=a b.pdf`:                                           "a b.pdf",
		`attachment; filename=a b.pdf; size=1`:                                   "a b.pdf",
		`attachment; filename=a (1).pdf`:                                         "a (1).pdf",
		`attachment; filename="a;b.pdf"`:                                         "a;b.pdf",
		`attachment; filename="a \"b\".pdf"`:                                     `a "b".pdf`,
		`attachment; filename="a.pdf`:                                            "a.pdf",
		`attachment; FileName = "a.pdf" ; x=y`:                                   "a.pdf",
		`attachment filename="a.pdf"`:                                            "a.pdf",
		`filename="a.pdf"`:                                                       "a.pdf",
		`attachment; filename*=iso-8859-1''%FC.pdf`:                              "ü.pdf",
		`attachment; filename*=UTF-8'de'%C3%BC.pdf; filename=u.pdf`:              "ü.pdf",
		`attachment; filename=u.pdf; filename*="utf-8''%c3%bc.pdf"`:              "ü.pdf",
		`attachment; filename*=%C3%BC.pdf`:                                       "ü.pdf",
		`attachment; filename*=utf-8''100%.pdf`:                                  "100%.pdf",
		`attachment; filename*0=a; filename*1="b.pdf"`:                           "ab.pdf",
		`attachment; filename*1="b.pdf"; filename*0=a`:                           "ab.pdf",
		`attachment; filename*0*=utf-8''%C3; filename*1*=%BC; filename*2=.pdf`:   "ü.pdf",
		`attachment; filename*0=a; filename*2=c`:                                 "a",
		`attachment; filename*1=b`:                                               "part.bin",
		`attachment; filename="=?utf-8?q?=C3=BC.pdf?="`:                          "ü.pdf",
		`attachment; filename==?utf-8?q?=C3=BC.pdf?=`:                            "ü.pdf",
		`attachment; filename="=?utf-8?b?w7w=?= =?utf-8?q?.pdf?="`:               "ü.pdf",
		`attachment; filename="=?utf-8?q?=C3?=` + "\n" + ` =?utf-8?q?=BC.pdf?="`: "ü.pdf",
		"attachment; filename=\"\xfc.pdf\"":                                      "ü.pdf",
		"attachment; filename=\"\xc3\xbc.pdf\"":                                  "ü.pdf",
		`attachment; filename="../../etc/passwd"`:                                "passwd",
		`attachment; filename="C:\temp\a.pdf"`:                                   "a.pdf",
		`attachment; filename=".."`:                                              "",
		`attachment; filename="=?utf-8?q?a=0D=0Ab.pdf?="`:                        "a  b.pdf",
		`attachment; filename=""`:                                                "part.bin",
		`attachment`:                                                             "part.bin",
		`attachment; filename="` + strings.Repeat("é", 300) + `.pdf"`:            strings.Repeat("é", 125) + ".pdf",
	} {
		m := parse(t, head+mixed+"--x\nContent-Type: application/pdf; name=part.bin\nContent-Disposition: "+disposition+"\n\nx\n--x--\n")
		if assert.Len(t, m.Files, 1, disposition) {
			assert.Equal(t, want, m.Files[0].Filename, disposition)
		}
	}
}

func TestHeadersThatAreBroken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ raw, subject, content string }{
		"garbage between fields":   {"From: a@b\ngarbage\n folded garbage\n again\nSubject: Hello\n\ntext", "Hello", "text"},
		"quoted From line":         {">From somebody\nSubject: Hello\n\ntext", "Hello", "text"},
		"From line":                {"From somebody Thu Nov 26\nSubject: Hello\n\ntext", "Hello", "text"},
		"byte order mark":          {"\xef\xbb\xbfSubject: Hello\n\ntext", "Hello", "text"},
		"empty lines before it":    {"\n\r\nSubject: Hello\n\ntext", "Hello", "text"},
		"folded with blanks alone": {"Subject: Hel\n \n lo\nFrom: a@b.example\n\ntext", "Hel  lo", "text"},
		"blank before the colon":   {"Subject : Hello\n\ntext", "Hello", "text"},
		"no blank behind it":       {"Subject:Hello\n\ntext", "Hello", "text"},
		"twice":                    {"Subject:\nSubject: Hello\nSubject: Other\n\ntext", "Hello", "text"},
		"no end":                   {"Subject: Hello", "Hello", ""},
		"only a body":              {"\n\ntext", "", "\n\ntext"},
		"no header":                {"Dear diary,\n\nno mail", "", "Dear diary,\n\nno mail"},
	} {
		m := parse(t, c.raw)
		assert.Equal(t, c.subject, m.Subject, name)
		assert.Equal(t, strings.TrimSpace(c.content), strings.TrimSpace(m.Message.Content), name)
		assert.Equal(t, c.subject != "", m.LooksLikeMail(), name)
	}
	_, err := mailbox.Parse([]byte(" \r\n\t"), mailbox.Options{})
	require.ErrorIs(t, err, mailbox.ErrEmpty)
	_, err = mailbox.Parse(nil, mailbox.Options{})
	assert.ErrorIs(t, err, mailbox.ErrEmpty)
}

// TestAddressFieldsReadBack: what is decoded and kept must not become another address when the
// host reads the field again.
func TestAddressFieldsReadBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"me@acme.example", "A, B", `x" <me@acme.example>, "y`, "J\u00f6rg; (x)", `a\b`} {
		coded := "=?utf-8?q?"
		for _, b := range []byte(name) {
			coded += fmt.Sprintf("=%02X", b)
		}
		m := with(t, "From", coded+"?= <someone@evil.example>")
		again := with(t, "From", m.Message.Headers.Get("From"))
		assert.Len(t, again.From, 1, name)
		assert.Equal(t, m.From, again.From, name)
	}
}
