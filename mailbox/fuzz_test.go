package mailbox_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/convostore/convostore/mailbox"
)

// FuzzParse asks that nothing panics, that what comes out is what a store takes, and that the
// same mail with other ends of lines has the same derived id.
func FuzzParse(f *testing.F) {
	f.Add([]byte("From: a@b\n\ntext"))
	f.Add([]byte("Subject: =?x?q?=FF?=\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n--x--"))
	f.Add([]byte("To: \x00\r"))
	f.Add([]byte(report("failed", "5.1.1")))
	for _, raw := range bombs(3) {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		m, err := mailbox.Parse(raw, mailbox.Options{Own: []string{"a@b"}, Gmail: true})
		if errors.Is(err, mailbox.ErrEmpty) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		checkValid(t, m)
		if !bytes.Equal(before, raw) {
			t.Fatal("the mail was changed")
		}
		if bytes.IndexByte(raw, '\r') >= 0 {
			return
		}
		other, err := mailbox.Parse(bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")), mailbox.Options{Own: []string{"a@b"}, Gmail: true})
		if err != nil || other.Subject != m.Subject || other.Message.EmailMessageID != m.Message.EmailMessageID {
			t.Fatalf("%q and %q", m.Message.EmailMessageID, other.Message.EmailMessageID)
		}
	})
}
