package inbox

import (
	"context"
	"net/mail"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// MailReply composes an answer to a mail: to the address of its Reply-To, or else of its sender, from
// the address that it was sent to, and with the headers by which mail programs thread it. To a message
// without a sender, such as that of a chat, it is a message without addresses.
func MailReply(_ context.Context, c *conversation.Conversation, answers *message.Message) (*message.Message, error) {
	m := &message.Message{}
	if answers == nil || answers.SenderEmail == "" {
		return m, nil
	}
	m.RecipientEmail, m.SenderEmail = answers.SenderEmail, answers.RecipientEmail
	if to, err := mail.ParseAddress(answers.Headers.Get("Reply-To")); err == nil {
		m.RecipientEmail = to.Address
	}
	m.Headers = message.Headers{"Subject": {replySubject(c, answers)}}
	if id := answers.EmailMessageID; id != "" {
		m.Headers["In-Reply-To"] = []string{id}
		m.Headers["References"] = []string{strings.Join(append(message.ParseIDs(answers.Headers.Get("References")), id), " ")}
	}
	return m, nil
}

func replySubject(c *conversation.Conversation, answers *message.Message) string {
	subject := c.Subject
	if theirs := answers.Headers.Get("Subject"); theirs != "" {
		subject = theirs
	}
	if strings.HasPrefix(strings.ToLower(subject), "re:") {
		return subject
	}
	return strings.TrimSpace("Re: " + subject)
}
