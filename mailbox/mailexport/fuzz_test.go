package mailexport

import (
	"bytes"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/message"
)

// FuzzMail: whatever a message says, it is one mail in the file, with no field that it smuggled in,
// and its text is read again as it was.
func FuzzMail(f *testing.F) {
	f.Add("From x\n>From y\n\nFrom z", "a\r\nBcc: x@example.com", "X-A", "v\r\n\r\nbody", "a@example.com\r\nX-B: c", "<1@x>\r\nX-C: d")
	f.Add("=3D\r\n.\r\n", "\u202e", "Content-Type", "text/html", "\"a, b\" <a@b>", "x y")
	f.Add("\r", strings.Repeat("ü", 300), "From ", "x", "a@b", strings.Repeat("<", 70))
	f.Fuzz(func(t *testing.T, content, subject, name, value, address, id string) {
		m := &message.Message{
			ID: uuid.New(), Seq: 2, Role: message.RoleUser, Content: content, Author: subject, SenderEmail: address, EmailMessageID: id,
			Headers: message.Headers{name: {value, value}, "In-Reply-To": {id}, "Cc": {address}}, SentAt: time.Unix(1_800_000_000, 0),
			Attachments: message.Attachments{{Filename: subject}},
		}
		m.Normalize(m.SentAt)
		if m.Validate() != nil {
			t.Skip()
		}
		th := newThread(&conversation.Conversation{Subject: subject})
		th.ids[1] = "<0@x>"
		raw, sender, err := th.mail(m)
		require.NoError(t, err)
		var file bytes.Buffer
		require.NoError(t, writeMbox(&file, sender, m.SentAt, raw))
		require.NoError(t, writeMbox(&file, "next@example.com", m.SentAt, []byte("Subject: next\r\n\r\nnext")))
		var mails []*mailbox.Item
		for it, err := range mailbox.Mbox(&file, mailbox.MboxRD) {
			require.NoError(t, err)
			mails = append(mails, it)
		}
		require.Len(t, mails, 2)
		read, err := mail.ReadMessage(bytes.NewReader(mails[0].Raw))
		require.NoError(t, err)
		known := []string{
			"From", "To", "Subject", "Date", "Message-Id", "In-Reply-To", "References", "Cc", "Mime-Version", "Content-Type", "Content-Transfer-Encoding",
			"Content-Disposition", attachmentField,
		}
		for field := range read.Header {
			require.True(t, slices.Contains(known, field) || strings.EqualFold(field, name), "%q", field)
		}
		parsed, err := mailbox.Parse(mails[0].Raw, mailbox.Options{})
		require.NoError(t, err)
		require.Equal(t, plain(content), plain(parsed.Message.Content))
	})
}

// plain is a text as a mail keeps it: with line feeds.
func plain(text string) string {
	if strings.TrimSpace(text) == "" {
		return "" // there is nothing in it to read
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
}
