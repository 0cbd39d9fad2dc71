package mailbox_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
)

// TestFiles: what is no text of the body is a file, with the bytes that it had.
func TestFiles(t *testing.T) {
	t.Parallel()
	nested := "From: b@b.example\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe/1?=\nContent-Type: multipart/mixed; boundary=z\n\n--z\n\ninner\n--z--\n"
	for name, c := range map[string]struct{ part, filename, kind, data string }{
		"a mail":              {"Content-Type: message/rfc822\n\n" + nested, "Grüße_1.eml", "message/rfc822", nested[:len(nested)-1]},
		"a mail in base64":    {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaGkKCnh5\n", "hi.eml", "message/rfc822", "Subject: hi\n\nxy"},
		"a mail with a name":  {"Content-Type: message/rfc822; name=a.eml\n\nSubject: hi\n\nx\n", "a.eml", "message/rfc822", "Subject: hi\n\nx"},
		"a mail of nothing":   {"Content-Type: message/rfc822\n\n\n", "message.eml", "message/rfc822", ""},
		"winmail.dat":         {"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+Ig==\n", "winmail.dat", "application/ms-tnef", "\x78\x9f\x3e\x22"},
		"opaque S/MIME":       {"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIAG\n", "smime.p7m", "application/pkcs7-mime", "\x30\x80\x06"},
		"a named text":        {"Content-Type: text/plain; name=a.txt\n\na\n", "a.txt", "text/plain", "a"},
		"a calendar":          {"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n", "", "text/calendar", "BEGIN:VCALENDAR"},
		"binary as it is":     {"Content-Type: application/x-a; name=a\nContent-Transfer-Encoding: binary\n\na\r\x00\n\xff\n", "a", "application/x-a", "a\r\x00\n\xff"},
		"text of NULs":        {"Content-Type: text/plain\n\n" + strings.Repeat("\x00a", 50) + "\n", "", "text/plain", strings.Repeat("\x00a", 50)},
		"uuencoded":           {"Content-Type: application/x-a; name=a\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n#0V%T\n`\nend\n", "a", "application/x-a", "Cat"},
		"an unknown type":     {"Content-Type: x/y\nContent-Disposition: inline\n\na\n", "", "x/y", "a"},
		"a disposition alone": {"Content-Disposition: attachment; filename=a.txt\n\na\n", "a.txt", "text/plain", "a"},
	} {
		m := parse(t, head+mixed+"--x\n\nHello\n--x\n"+c.part+"--x--\n")
		assert.Equal(t, "Hello", m.Message.Content, name)
		require.Len(t, m.Files, 1, name)
		assert.Equal(t, c.filename, m.Files[0].Filename, name)
		assert.Equal(t, c.kind, m.Files[0].ContentType, name)
		assert.Equal(t, c.data, string(m.Files[0].Data), name)
	}
}

// TestUndecodedTexts: where letters were guessed the bytes are kept as well.
func TestUndecodedTexts(t *testing.T) {
	t.Parallel()
	m := parse(t, head+"Content-Type: text/plain; charset=klingon\n\ncaf\xe9\n")
	assert.Equal(t, "café\n", m.Message.Content)
	require.Len(t, m.Files, 1)
	assert.Equal(t, "body.txt", m.Files[0].Filename)
	assert.Equal(t, "caf\xe9\n", string(m.Files[0].Data))
	m = parse(t, head+"Content-Type: text/html; charset=gb18030\n\n<p>\xc4\xe3\x81\x01\n")
	require.Len(t, m.Files, 1)
	assert.Equal(t, "body.html", m.Files[0].Filename)
	assert.Empty(t, parse(t, head+"Content-Type: text/plain; charset=klingon\n\ncafe\n").Files)
	assert.Empty(t, parse(t, head+"Content-Type: text/plain; charset=us-ascii\n\ncaf\xe9\n").Files)
}

func TestEncryptedMail(t *testing.T) {
	t.Parallel()
	m := parse(t, head+"Content-Type: multipart/encrypted; boundary=x; protocol=\"application/pgp-encrypted\"\n\n"+
		"--x\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--x\nContent-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----\nx\n--x--\n")
	assert.Empty(t, m.Message.Content)
	require.Len(t, m.Files, 2)
	assert.Equal(t, "encrypted.asc", m.Files[1].Filename)
	m = parse(t, head+"Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIAG\n")
	require.Len(t, m.Files, 1)
	assert.Empty(t, m.Message.Content)
}

func TestDigest(t *testing.T) {
	t.Parallel()
	m := parse(t, head+"Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: one\n\n1\n--x\n\nSubject: two\n\n2\n--x--\n")
	require.Len(t, m.Files, 2)
	assert.Equal(t, "two.eml", m.Files[1].Filename)
}

func report(action, status string) string {
	return "Return-Path: <>\nFrom: Mail System <mailer-daemon@b.example>\nTo: me@acme.example\nSubject: Undelivered\nAuto-Submitted: auto-replied\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\nIt did not work.\n" +
		"--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.b.example\nArrival-Date: Thu, 26 Nov 2026 08:00:00 +0000\n\n" +
		"Original-Recipient: rfc822;Bob@b.example\nFinal-Recipient: rfc822; bob@b.example\nAction: " + action + "\nStatus: " + status + " (x)\nDiagnostic-Code: smtp; 550 no\n such user\n\n" +
		"--x\nContent-Type: message/rfc822\n\nMessage-ID: <sent@acme.example>\nSubject: Offer\n\nHi\n--x--\n"
}

func TestDeliveryReports(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]message.Kind{
		"failed": message.KindBounce, "Failed (really)": message.KindBounce, "": message.KindBounce,
		"delayed": message.KindAutoReply, "delivered": message.KindAutoReply, "relayed": message.KindAutoReply, "expanded": message.KindAutoReply,
	} {
		assert.Equal(t, want, parse(t, report(action, "5.1.1")).Message.Kind, action)
	}
	m := parse(t, report("failed", "5.1.1"))
	require.NotNil(t, m.Report)
	assert.Equal(t, mailbox.Report{
		Kind: mailbox.ReportDelivery, MTA: "mx.b.example", OriginalID: "<sent@acme.example>",
		Recipients: []mailbox.Recipient{{Address: "bob@b.example", Original: "Bob@b.example", Action: "failed", Status: "5.1.1", Diagnostic: "550 no such user"}},
	}, *m.Report)
	assert.Equal(t, []string{"<sent@acme.example>"}, m.Parents(), "the mail is filed with the one that it is about")
	assert.Equal(t, "<sent@acme.example>", m.Message.Headers.Get("In-Reply-To"))
	assert.Equal(t, "It did not work.", m.Message.Content)
	require.Len(t, m.Files, 2)
	assert.Equal(t, "Offer.eml", m.Files[1].Filename)
	headers := strings.Replace(report("failed", "5.0.0"), "message/rfc822", "text/rfc822-headers", 1)
	assert.Equal(t, "<sent@acme.example>", parse(t, headers).Report.OriginalID)
	assert.Nil(t, parse(t, head+"\nHello").Report)
}

func TestGmail(t *testing.T) {
	t.Parallel()
	raw := threadID + ": 1847265013312430097\nX-GM-MSGID: 255\nX-Gmail-Labels: =?UTF-8?Q?Ge=C3=B6ffnet,Gesendet,\"Kunden\"?=\n" + head + "\n"
	m := parse(t, raw)
	assert.Empty(t, m.Message.GmailThreadID, "anybody can write these headers")
	assert.Empty(t, m.Labels)
	m, err := mailbox.Parse([]byte(raw), mailbox.Options{Gmail: true})
	require.NoError(t, err)
	assert.Equal(t, "19a2cdbe0c7ea011", m.Message.GmailThreadID)
	assert.Equal(t, "ff", m.Message.GmailMessageID)
	assert.Equal(t, []string{"Geöffnet", "Gesendet", "Kunden"}, m.Labels)
	assert.Equal(t, mailbox.PlaceSent, m.Place)
	assert.True(t, m.Flags.Seen)
	assert.Equal(t, message.DirectionOutbound, m.Message.Direction)
	for labels, want := range map[string]mailbox.Place{
		"Inbox,Unread": mailbox.PlaceInbox, "Spam": mailbox.PlaceSpam, "Trash,Sent": mailbox.PlaceTrash, "Drafts": mailbox.PlaceDrafts,
		"Archived,Work": mailbox.PlaceArchive, "Work": mailbox.PlaceNone, "": mailbox.PlaceNone, "Inbox,Draft": mailbox.PlaceDrafts,
	} {
		m, err := mailbox.Parse([]byte("X-Gmail-Labels: "+labels+"\n"+head+"\n"), mailbox.Options{Gmail: true})
		require.NoError(t, err)
		assert.Equal(t, want, m.Place, labels)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string]mailbox.Place{
		"INBOX": mailbox.PlaceInbox, "Sent": mailbox.PlaceSent, "[Gmail]/Sent Mail": mailbox.PlaceSent, "INBOX.Drafts": mailbox.PlaceDrafts,
		"Junk E-mail": mailbox.PlaceSpam, "a/b/Trash": mailbox.PlaceTrash, "Papierkorb": mailbox.PlaceTrash, "Archive": mailbox.PlaceArchive,
		"Work": mailbox.PlaceNone, "": mailbox.PlaceNone, "INBOX/Customers": mailbox.PlaceNone,
	} {
		assert.Equal(t, want, mailbox.PlaceOf(folder), folder)
	}
	m, err := mailbox.Parse([]byte("X-Status: T\nStatus: D\n"+head+"\n"), mailbox.Options{Folder: "INBOX"})
	require.NoError(t, err)
	assert.Equal(t, mailbox.PlaceInbox, m.Place)
	assert.Zero(t, m.Flags, "the sender may not mark his mail a draft of the user")
	m, err = mailbox.Parse([]byte(head+"\n"), mailbox.Options{Folder: "INBOX", Flags: mailbox.Flags{Draft: true}})
	require.NoError(t, err)
	assert.Equal(t, mailbox.PlaceDrafts, m.Place)
	assert.Equal(t, message.DirectionOutbound, m.Message.Direction)
}
