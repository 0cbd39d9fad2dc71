package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message/mail"
	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// outgoing is a mail as the server gets it.
type outgoing struct {
	from, to string
	// id is its Message-ID, with the angle brackets.
	id  string
	raw []byte
}

var errNoRecipient = errors.New("nobody is named that the mail could go to")

// compose writes the mail of a message: an answer to the latest mail of the conversation before it,
// if there is one.
//
// The Message-ID is made of the message's id. It is the same for each attempt, so that the
// recipient's program shows a mail once that was sent twice, and a report leads to the message.
func (s *sender) compose(ctx context.Context, m *message.Message) (*outgoing, error) {
	c, err := s.st.ForUser(m.UserID).Conversations().Get(ctx, m.ConversationID)
	if err != nil {
		return nil, err
	}
	parent, err := s.answered(ctx, m)
	if err != nil {
		return nil, err
	}
	out := &outgoing{from: s.from, to: m.RecipientEmail, id: messageID(m.ID, s.from)}
	if out.to == "" && parent != nil {
		out.to = parent.SenderEmail
	}
	if out.to == "" {
		return nil, &store.PermanentError{Err: errNoRecipient}
	}
	var h mail.Header
	h.SetAddressList("From", []*mail.Address{{Address: out.from}})
	h.SetAddressList("To", []*mail.Address{{Address: out.to}})
	h.SetDate(m.SentAt)
	h.Set("Message-Id", out.id)
	h.SetSubject(subjectOf(c.Subject, parent))
	if parent != nil && parent.EmailMessageID != "" {
		h.Set("In-Reply-To", parent.EmailMessageID)
		h.Set("References", strings.Join(append(message.ParseIDs(parent.Headers.Get("References")), parent.EmailMessageID), " "))
	}
	h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	out.raw, err = write(h, m.Content)
	return out, err
}

func write(h mail.Header, text string) ([]byte, error) {
	var raw bytes.Buffer
	w, err := mail.CreateSingleInlineWriter(&raw, h)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(w, strings.ReplaceAll(text, "\n", "\r\n"))
	err = errors.Join(err, w.Close()) // which writes the last line
	return raw.Bytes(), err
}

// answered is the latest mail of a person before the message, nil if there is none.
func (s *sender) answered(ctx context.Context, m *message.Message) (*message.Message, error) {
	const most = 50
	last, err := s.st.ForUser(m.UserID).Messages().Last(ctx, m.ConversationID, most)
	if err != nil {
		return nil, err
	}
	var found *message.Message
	for _, one := range last {
		if one.Seq < m.Seq && one.Direction == message.DirectionInbound && one.Kind == message.KindMessage {
			found = one
		}
	}
	return found, nil
}

func subjectOf(subject string, parent *message.Message) string {
	if parent == nil {
		return subject
	}
	if theirs := parent.Headers.Get("Subject"); theirs != "" {
		subject = theirs
	}
	if strings.HasPrefix(strings.ToLower(subject), "re:") {
		return subject
	}
	return "Re: " + subject
}

// messageID is the Message-ID of a message that is sent from an address.
func messageID(id uuid.UUID, from string) string {
	_, domain, _ := strings.Cut(from, "@")
	return "<" + id.String() + "@" + domain + ">"
}

// idOf is the message that messageID named, or that a report's envelope names.
func idOf(name string) (uuid.UUID, bool) {
	local, _, _ := strings.Cut(strings.Trim(name, "<>"), "@")
	id, err := uuid.Parse(local)
	return id, err == nil
}
