package mailbox_test

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
)

// bounceHead is that of a report, whose type and body come behind it.
const bounceHead = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.b.example\nTo: me@acme.example\nSubject: Undelivered Mail\nMessage-ID: <r@mx.b.example>\n"

// returnedMail is what servers enclose.
const returnedMail = "Received: from acme.example by mx.b.example; Thu, 26 Nov 2026 08:00:00 +0000\nFrom: me@acme.example\nTo: Bob <bob@b.example>\n" +
	"Subject: Offer\nMessage-ID: <sent@acme.example>\nDate: Thu, 26 Nov 2026 08:00:00 +0000\n\nHi\nbill@c.example\n"

// withFields is a report with the fields in a part of their own.
func withFields(fields string) string {
	return bounceHead + "Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\nIt did not work.\n" +
		"--x\nContent-Type: message/delivery-status\n\n" + fields + "\n--x\nContent-Type: message/rfc822\n\n" + returnedMail + "--x--\n"
}

func inWords(text string) string { return bounceHead + "\n" + text }

// bob is a report about one recipient, with what the test names.
func bob(action, status, diagnostic string) []mailbox.Recipient {
	return []mailbox.Recipient{{Address: "bob@b.example", Action: action, Status: status, Diagnostic: diagnostic}}
}

// reportCase is a mail, what it reports, and what becomes of the message.
type reportCase struct {
	raw        string
	recipients []mailbox.Recipient
	guessed    bool
	kind       message.Kind
}

// reportsWithFields are reports by the RFC and what servers make of it.
func reportsWithFields() map[string]reportCase {
	const mta = "Reporting-MTA: dns; mx.b.example\n\n"
	const final = "Final-Recipient: rfc822; bob@b.example\n"
	return map[string]reportCase{
		"failed":                {withFields(mta + final + "Action: failed\nStatus: 5.1.1\n"), bob("failed", "5.1.1", ""), false, message.KindBounce},
		"delayed":               {withFields(mta + final + "Action: delayed\nStatus: 4.4.1\nWill-Retry-Until: x\n"), bob("delayed", "4.4.1", ""), false, message.KindAutoReply},
		"delivered":             {withFields(mta + final + "Action: delivered\nStatus: 2.0.0\n"), bob("delivered", "2.0.0", ""), false, message.KindAutoReply},
		"given up after delays": {withFields(mta + final + "Action: failed\nStatus: 4.4.7\n"), bob("failed", "4.4.7", ""), false, message.KindBounce},
		"an error":              {withFields(mta + final + "Action: error\n"), bob("failed", "", ""), false, message.KindBounce},
		"a failure":             {withFields(mta + final + "Action: Failure (no such user)\n"), bob("failed", "", ""), false, message.KindBounce},
		"no action":             {withFields(mta + final + "Status: 4.2.2\n"), bob("delayed", "4.2.2", ""), false, message.KindAutoReply},
		"no action, 4.4.7":      {withFields(mta + final + "Status: 4.4.7\n"), bob("failed", "4.4.7", ""), false, message.KindBounce},
		"a code alone":          {withFields(mta + final + "Diagnostic-Code: smtp; 550 no such user\n"), bob("failed", "", "550 no such user"), false, message.KindBounce},
		"nothing but the name":  {withFields(mta + final), bob("", "", ""), false, message.KindBounce},
		"a status in words":     {withFields(mta + final + "Action: failed\nStatus: 550 5.1.1 <bob@b.example>\n"), bob("failed", "5.1.1", ""), false, message.KindBounce},
		"a status elsewhere":    {withFields(mta + final + "Action: failed\nDiagnostic-Code: smtp; 550-5.7.1 at 127.5.1.10\n"), bob("failed", "5.7.1", "550-5.7.1 at 127.5.1.10"), false, message.KindBounce},
		"no status but an IP":   {withFields(mta + final + "Action: failed\nDiagnostic-Code: refused by 10.5.1.2\n"), bob("failed", "", "refused by 10.5.1.2"), false, message.KindBounce},
		"brackets, no type":     {withFields(mta + "Final-Recipient: <bob@b.example>\nAction: failed\n"), bob("failed", "", ""), false, message.KindBounce},
		"small letters":         {withFields("reporting-mta: dns; mx\n\nfinal-recipient: RFC822;bob@b.example\naction: FAILED\nstatus: 5.0.0\n"), bob("failed", "5.0.0", ""), false, message.KindBounce},
		"no empty line":         {withFields("Reporting-MTA: dns; mx.b.example\n" + final + "Action: failed\n"), bob("failed", "", ""), false, message.KindBounce},
		"empty lines before":    {withFields("\n\n" + mta + "\n" + final + "Action: failed\n"), bob("failed", "", ""), false, message.KindBounce},
		"two in one group": {
			withFields(mta + final + "Action: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; eve@b.example\nAction: delayed\n"),
			append(bob("failed", "5.1.1", ""), mailbox.Recipient{Address: "eve@b.example", Action: "delayed"}), false, message.KindBounce,
		},
		"one of two": {
			withFields(mta + final + "Action: relayed\n\nFinal-Recipient: rfc822; eve@b.example\nAction: failed\n"),
			append(bob("relayed", "", ""), mailbox.Recipient{Address: "eve@b.example", Action: "failed"}), false, message.KindBounce,
		},
		"an action of nobody": {withFields("Action: failed\n\n" + final + "Status: 4.7.0\n"), bob("delayed", "4.7.0", ""), false, message.KindAutoReply},
		"another name": {
			withFields(mta + final + "X-Actual-Recipient: rfc822; bobby@c.example\nAction: failed\n"),
			[]mailbox.Recipient{{Address: "bob@b.example", Original: "bobby@c.example", Action: "failed"}},
			false, message.KindBounce,
		},
		"letters in ASCII": {
			withFields(mta + `Final-Recipient: utf-8; j\x{F6}rg@b.example` + "\nAction: failed\n"),
			[]mailbox.Recipient{{Address: "jörg@b.example", Action: "failed"}},
			false, message.KindBounce,
		},
		"a name of another network": {
			withFields(mta + "Final-Recipient: x400; /S=bob/O=b/\nAction: failed\n"),
			[]mailbox.Recipient{{Address: "/S=bob/O=b/", Action: "failed"}},
			false, message.KindBounce,
		},
		"fields in the text": {inWords("It did not work.\n\nReporting-MTA: dns; mx\n\n" + final + "Action: delayed\nStatus: 4.0.0\n\n" + returnedMail), bob("delayed", "4.0.0", ""), false, message.KindAutoReply},
		"fields without recipients": {
			strings.Replace(withFields("Reporting-MTA: dns; mx\n"), "It did not work.", "Delivery to the following recipients failed permanently:\n\n  * bob@b.example\n", 1),
			bob("failed", "", ""), true, message.KindBounce,
		},
	}
}

// reportsInWords are what servers write that know no fields.
func reportsInWords() map[string]reportCase {
	person := func(from, subject, text string) string {
		return "From: " + from + "\nTo: me@acme.example\nSubject: " + subject + "\n\n" + text
	}
	return map[string]reportCase{
		"qmail": {
			inWords("Hi. This is the qmail-send program at mx.b.example.\nI'm afraid I wasn't able to deliver your message.\n\n<bob@b.example>:\nRemote host said: 550 5.1.1 no such user\n\n--- Below this line is a copy of the message.\n\n" + returnedMail),
			bob("failed", "5.1.1", "Remote host said: 550 5.1.1 no such user"), true, message.KindBounce,
		},
		"qmail in another language": {inWords("Ось лист.\n\n<bob@b.example>:\nні\n\n--- \n\n" + returnedMail), bob("failed", "", "ні"), true, message.KindBounce},
		"Exim": {
			"X-Failed-Recipients: bob@b.example\n" + inWords("A message that you sent could not be delivered.\n\n  bob@b.example\n    550 no such user\n\n------ This is a copy of the message ------\n\n"+returnedMail),
			bob("failed", "", "550 no such user"), true, message.KindBounce,
		},
		"Exchange": {
			person("System Administrator <postmaster@b.example>", "Undeliverable: Offer", "Your message\n\n  To:      a list\n  Subject: Offer\n  Sent:    Thu, 26 Nov 2026\n\ndid not reach the following recipient(s):\n\nbob@b.example on Thu, 26 Nov 2026\n    The recipient name is not recognized\n"),
			bob("failed", "", "The recipient name is not recognized"), true, message.KindBounce,
		},
		"Sendmail": {
			inWords("   ----- The following addresses had permanent fatal errors -----\n<bob@b.example>\n    (reason: 554 5.4.6 Too many hops)\n\n   ----- Transcript of session follows -----\n550 no\n"),
			bob("failed", "5.4.6", "(reason: 554 5.4.6 Too many hops)"), true, message.KindBounce,
		},
		"a warning": {
			inWords("    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n\nThe following addresses had transient errors\n<bob@b.example>\n451 4.4.1 timeout\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n"),
			bob("delayed", "4.4.1", "451 4.4.1 timeout"), true, message.KindAutoReply,
		},
		"behind words":             {inWords("Your mail was rejected: unknown user bob@b.example at this server."), bob("failed", "", ""), true, message.KindBounce},
		"known by the mail itself": {inWords("It could not be delivered.\n\n" + returnedMail), bob("failed", "", ""), true, message.KindBounce},
		"with a page alone": {
			bounceHead + "Content-Type: text/html\n\n<p>Delivery has failed to these recipients:</p><p><a href=\"mailto:bob@b.example\">bob@b.example</a><br>550 5.1.10 not found</p>",
			bob("failed", "5.1.10", "550 5.1.10 not found"), true, message.KindBounce,
		},
	}
}

func TestReadReport(t *testing.T) {
	t.Parallel()
	for _, cases := range []map[string]reportCase{reportsWithFields(), reportsInWords()} {
		for name, c := range cases {
			for _, raw := range []string{c.raw, strings.ReplaceAll(c.raw, "\n", "\r\n")} {
				r, err := mailbox.ReadReport(strings.NewReader(raw), mailbox.Options{})
				require.NoError(t, err, name)
				assert.Equal(t, mailbox.ReportDelivery, r.Kind, name)
				assert.Equal(t, c.recipients, r.Recipients, name)
				assert.Equal(t, c.guessed, r.Guessed, name)
				assert.Equal(t, c.kind == message.KindBounce, r.Failed(), name)
				assert.Equal(t, c.kind == message.KindBounce, r.Reason() != "", name)
				m := parse(t, raw)
				assert.Equal(t, c.kind, m.Message.Kind, name)
				assert.Equal(t, r, m.Report, name)
				if strings.Contains(raw, "sent@acme.example") {
					assert.Equal(t, "<sent@acme.example>", r.OriginalID, name)
					assert.Equal(t, []string{"<sent@acme.example>"}, m.Parents(), name)
				}
			}
		}
	}
}

func TestReportsNameTheMail(t *testing.T) {
	t.Parallel()
	const fields = "Original-Envelope-Id: env-1\n\nFinal-Recipient: rfc822; bob@b.example\nAction: failed\n"
	for name, raw := range map[string]string{
		"enclosed":           withFields(fields),
		"its header":         strings.Replace(withFields(fields), "message/rfc822", "text/rfc822-headers", 1),
		"a field":            strings.Replace(withFields(fields+"X-Original-Message-ID: <sent@acme.example>\n"), "Message-ID: <sent@", "X-Lost: <sent@", 1),
		"what it answers":    "In-Reply-To: <sent@acme.example>\n" + strings.Replace(withFields(fields), "Message-ID: <sent@", "X-Lost: <sent@", 1),
		"in words, the text": inWords("Delivery failed: user bob@b.example\n\n" + returnedMail),
	} {
		r, err := mailbox.ReadReport(strings.NewReader(raw), mailbox.Options{})
		require.NoError(t, err, name)
		assert.Equal(t, "<sent@acme.example>", r.OriginalID, name)
		if strings.Contains(raw, "env-1") {
			assert.Equal(t, "env-1", r.EnvelopeID, name)
		}
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	two := append(bob("delayed", "4.0.0", ""), mailbox.Recipient{Original: "eve@b.example", Action: "failed", Status: "5.1.1", Diagnostic: "550 5.1.1 no\n such user"})
	assert.Equal(t, "eve@b.example 5.1.1 550 5.1.1 no such user", (&mailbox.Report{Kind: mailbox.ReportDelivery, Recipients: two}).Reason())
	assert.Empty(t, (&mailbox.Report{Kind: mailbox.ReportDelivery, Recipients: two[:1]}).Reason())
	assert.Empty(t, (&mailbox.Report{Kind: mailbox.ReportDisposition, Recipients: two}).Reason(), "whoever failed to show a mail has it")
	assert.Equal(t, "could not be delivered", (&mailbox.Report{Kind: mailbox.ReportDelivery}).Reason())
	assert.Equal(t, "could not be delivered", (&mailbox.Report{Kind: mailbox.ReportDelivery, Recipients: make([]mailbox.Recipient, 1)}).Reason())
}

func TestDispositions(t *testing.T) {
	t.Parallel()
	raw := "From: bob@b.example\nTo: me@acme.example\nSubject: Read\nContent-Type: multipart/report; report-type=disposition-notification; boundary=x\n\n" +
		"--x\n\nBob has read it.\n--x\nContent-Type: message/disposition-notification\n\nReporting-UA: desk; Mail 1\nOriginal-Recipient: rfc822;bobby@b.example\n" +
		"Final-Recipient: rfc822;bob@b.example\nOriginal-Message-ID: <sent@acme.example>\nDisposition: manual-action/MDN-sent-manually; Displayed/error\nError: no font\n\n--x--\n"
	m := parse(t, raw)
	assert.Equal(t, &mailbox.Report{
		Kind: mailbox.ReportDisposition, MTA: "desk; Mail 1", OriginalID: "<sent@acme.example>",
		Recipients: []mailbox.Recipient{{Address: "bob@b.example", Original: "bobby@b.example", Action: "displayed", Diagnostic: "no font"}},
	}, m.Report)
	assert.Equal(t, message.KindAutoReply, m.Message.Kind)
	assert.Equal(t, []string{"<sent@acme.example>"}, m.Parents())
	assert.False(t, m.Report.Failed())
	m = parse(t, strings.Replace(raw, "Displayed/error", "failed", 1))
	assert.Equal(t, "failed", m.Report.Recipients[0].Action)
	assert.False(t, m.Report.Failed(), "it was delivered")
}

// TestNoReports: what only looks like a report is none, and what people write about reports.
func TestNoReports(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"a mail":           head + "\nHello",
		"a forward":        strings.Replace(head, "Hello", "Undeliverable: the parcel", 1) + "\nIt could not be delivered to bob@b.example. Is that right?",
		"a quoted report":  head + "\nLook:\n\n> Final-Recipient: rfc822; bob@b.example\n> Action: failed\n\nFinal-Recipient: rfc822; bob@b.example\nAction: failed\n",
		"away":             "Auto-Submitted: auto-replied\n" + head + "\nI am away, write to eve@b.example.",
		"a daemon's quota": strings.Replace(bounceHead, "Undelivered Mail", "Quota", 1) + "\nYour mailbox me@acme.example is at 90 percent. Write to admin@b.example.",
		"a daemon's news":  strings.Replace(bounceHead, "Undelivered Mail", "News", 1) + "\nThe server will be down tonight.",
	} {
		_, err := mailbox.ReadReport(strings.NewReader(raw), mailbox.Options{Own: []string{"me@acme.example"}})
		require.ErrorIs(t, err, mailbox.ErrNoReport, name)
	}
	_, err := mailbox.ReadReport(strings.NewReader(""), mailbox.Options{})
	require.ErrorIs(t, err, mailbox.ErrEmpty)
	broken := errors.New("broken")
	_, err = mailbox.ReadReport(readerOf(func([]byte) (int, error) { return 0, broken }), mailbox.Options{})
	require.ErrorIs(t, err, broken)
}

type readerOf func(p []byte) (int, error)

func (r readerOf) Read(p []byte) (int, error) { return r(p) }

var statusOfReport = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})?$`)

// FuzzReadReport asks that nothing panics, that what comes out is text on one line and within its
// bounds, and that other ends of lines change nothing.
func FuzzReadReport(f *testing.F) {
	for _, cases := range []map[string]reportCase{reportsWithFields(), reportsInWords()} {
		for _, c := range cases {
			f.Add([]byte(c.raw))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := mailbox.ReadReport(bytes.NewReader(raw), mailbox.Options{})
		if err != nil {
			if !errors.Is(err, mailbox.ErrNoReport) && !errors.Is(err, mailbox.ErrEmpty) {
				t.Fatal(err)
			}
			return
		}
		if r.Failed() != (r.Reason() != "") || len(r.Recipients) > 1000 {
			t.Fatalf("%+v", r)
		}
		texts := []string{r.MTA, r.OriginalID, r.EnvelopeID, r.Reason()}
		for _, one := range r.Recipients {
			texts = append(texts, one.Address, one.Original, one.Action, one.Status, one.Diagnostic)
			known := []string{mailbox.ActionFailed, mailbox.ActionDelayed, mailbox.ActionDelivered, mailbox.ActionRelayed, mailbox.ActionExpanded, ""}
			if !statusOfReport.MatchString(one.Status) || r.Kind == mailbox.ReportDelivery && !slices.Contains(known, one.Action) {
				t.Fatalf("%+v", one)
			}
		}
		for _, s := range texts {
			if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
				t.Fatalf("%q", s)
			}
		}
		if bytes.IndexByte(raw, '\r') >= 0 {
			return
		}
		other, err := mailbox.ReadReport(bytes.NewReader(bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))), mailbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		assert.Equal(t, r, other)
	})
}
