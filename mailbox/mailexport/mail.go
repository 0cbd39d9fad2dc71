package mailexport

import (
	"bytes"
	"cmp"
	"maps"
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-message/mail"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/message"
)

// host is that of addresses and ids which nobody has: RFC 2606 keeps it free.
const host = "@convostore.invalid"

// attachmentField names an attachment whose bytes are not here, one field each.
const attachmentField = "X-Convostore-Attachment"

// thread writes the messages of a conversation, in the order of their seq.
type thread struct {
	conversation *conversation.Conversation
	// ids are the Message-IDs of the messages that came before, by seq. One that is no mail has that
	// of the mail before it, so that an answer to it stays in the thread.
	ids map[int64]string
	// speaks has the address that each direction had last. A message without one has that.
	speaks map[message.Direction]string
}

func newThread(c *conversation.Conversation) *thread {
	return &thread{conversation: c, ids: map[int64]string{}, speaks: map[message.Direction]string{
		message.DirectionInbound: string(message.RoleUser) + host, message.DirectionOutbound: string(message.RoleAssistant) + host,
	}}
}

func (t *thread) skip(m *message.Message) { t.ids[m.Seq] = t.ids[m.Parent()] }

// mail is a message as RFC 5322 has it, with CRLF, and the address that it comes from.
func (t *thread) mail(m *message.Message) (raw []byte, sender string, err error) {
	from, to := m.Direction, message.DirectionInbound
	if from == message.DirectionInbound {
		to = message.DirectionOutbound
	}
	t.speaks[from] = cmp.Or(bare(m.SenderEmail), t.speaks[from])
	t.speaks[to] = cmp.Or(bare(m.RecipientEmail), t.speaks[to])
	var h mail.Header
	addFields(&h, m.Headers)
	h.SetDate(m.SentAt)
	setAddresses(&h, "To", m.Headers.Get("To"), t.speaks[to], "")
	setAddresses(&h, "From", m.Headers.Get("From"), t.speaks[from], mailimport.OneLine(m.Author))
	h.SetSubject(mailimport.OneLine(cmp.Or(m.Headers.Get("Subject"), t.conversation.Subject, t.conversation.Title)))
	id := cmp.Or(firstID(m.EmailMessageID), "<"+m.ID.String()+host+">")
	h.Set("Message-ID", id)
	t.setParents(&h, m)
	t.ids[m.Seq] = id
	for _, a := range slices.Backward(m.Attachments) {
		addText(&h, attachmentField, a.Filename+"; "+a.ContentType+"; "+strconv.FormatInt(a.Size, 10)+" bytes")
	}
	h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	raw, err = write(h, m.Content)
	return raw, t.speaks[from], err
}

func write(h mail.Header, text string) ([]byte, error) {
	var raw bytes.Buffer
	w, err := mail.CreateSingleInlineWriter(&raw, h)
	if err != nil {
		return nil, err
	}
	// A CR alone, as old texts have it, would end a line, and have the next LF lost.
	if _, err := strings.NewReplacer("\r\n", "\n", "\r", "\n").WriteString(w, text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(raw.Bytes(), []byte("\r\n")) {
		raw.WriteString("=\r\n") // a file has whole lines, and this one goes on where the text ends
	}
	return raw.Bytes(), nil
}

// setParents keeps the ids that a mail came with. A message without any, which the store's own app
// made, answers the one before it on its path; a mail that came without any answers none.
func (t *thread) setParents(h *mail.Header, m *message.Message) {
	answers := message.ParseIDs(m.Headers.Get("In-Reply-To"))
	references := message.ParseIDs(strings.Join(m.Headers.Values("References"), " "))
	cameByMail := m.Direction == message.DirectionInbound && m.EmailMessageID != ""
	if parent := t.ids[m.Parent()]; parent != "" && len(answers)+len(references) == 0 && !cameByMail {
		answers, references = []string{parent}, []string{parent}
	}
	if len(references) > 0 {
		h.Set("References", strings.Join(references, " "))
	}
	if len(answers) > 0 {
		h.Set("In-Reply-To", strings.Join(answers, " "))
	}
}

// firstID is an id that can stand in a header, "" if there is none.
func firstID(id string) string {
	if ids := message.ParseIDs(id); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

// ours are the fields that mail writes itself, and those of a body that is another one now.
var ours = regexp.MustCompile(`(?i)^(content-.*|mime-version|date|from|to|subject|message-id|in-reply-to|references|` + attachmentField + `)$`)

// fieldName is what RFC 5322 allows, less what no mail program has.
var fieldName = regexp.MustCompile(`^[A-Za-z0-9][\x21-\x39\x3b-\x7e]{0,60}$`)

// addressFields hold addresses, whose names are encoded and nothing else.
var addressFields = regexp.MustCompile(`(?i)^(resent-)?(sender|reply-to|cc|bcc)$`)

// addFields adds the fields of a header, sorted by name. A name that no header can have is left out.
func addFields(h *mail.Header, fields message.Headers) {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(fields))) {
		if ours.MatchString(name) || !fieldName.MatchString(name) {
			continue
		}
		if addressFields.MatchString(name) {
			setAddresses(h, name, strings.Join(fields[name], ", "), "", "")
			continue
		}
		for _, value := range slices.Backward(fields[name]) {
			addText(h, name, value)
		}
	}
}

// addText puts a field before those that are there.
func addText(h *mail.Header, name, text string) {
	h.Add(name, mime.QEncoding.Encode("utf-8", mailimport.OneLine(text)))
}

// setAddresses sets a field to the addresses of a text. If it has none, the field gets the other
// address with a name, and without that it is not set.
func setAddresses(h *mail.Header, field, text, address, name string) {
	all, err := mail.ParseAddressList(mailimport.OneLine(text))
	switch {
	case err == nil && len(all) > 0:
		h.SetAddressList(field, all)
	case address != "":
		h.SetAddressList(field, []*mail.Address{{Name: name, Address: address}})
	}
}

// bare is an address that can stand in a header, "" for anything else.
func bare(address string) string {
	one, err := mail.ParseAddress(mailimport.OneLine(address))
	if err != nil {
		return ""
	}
	return one.Address
}
