package mailimport

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"os"
	"regexp"
	"strings"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-message/charset"
	gomail "github.com/emersion/go-message/mail"

	"github.com/convostore/convostore/message"
)

// parsed is a mail as the store takes it.
type parsed struct {
	msg     *message.Message
	subject string
	// reply tells a mail that says it answers another.
	reply bool
	// notes are what was mended.
	notes []string
}

func (p *parsed) note(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	for _, n := range p.notes {
		if n == note {
			return
		}
	}
	p.notes = append(p.notes, note)
}

// parse makes a message of a mail. What is broken in it is mended and noted; only what
// is no mail at all is an error.
func parse(e *entry, raw []byte, mine []string) (*parsed, error) {
	body := bufio.NewReader(bytes.NewReader(raw))
	h, err := readHeader(body)
	if err != nil {
		return nil, err
	}
	p := &parsed{msg: &message.Message{Headers: message.Headers{}}, notes: h.mended}
	if len(raw) == maxMail {
		p.note("is larger than %d MiB; the rest was left out", maxMail>>20)
	}
	p.identify(h, raw)
	p.date(e, h)
	p.address(h, mine)
	p.keepHeaders(h)
	p.readBody(h, body)
	p.subject = p.msg.Headers.Get("Subject")
	p.reply = len(h.parents()) > 0 || isReply(p.subject)
	return p, nil
}

// identify gives the keys by which a mail is known again: its id, or what it consists of.
func (p *parsed) identify(h *header, raw []byte) {
	id := h.messageID()
	if id == "" {
		sum := sha256.Sum256(raw)
		id = "<sha256-" + hex.EncodeToString(sum[:]) + "@importmail>"
	}
	p.msg.EmailMessageID, p.msg.IdempotencyKey = id, id
	// Gmail's own threads, from its exports.
	p.msg.GmailThreadID, _ = cleanText(h.Get("X-Gm-Thrid")) //nolint:misspell // that is its name
}

func (p *parsed) date(e *entry, h *header) {
	date, err := h.date()
	if err != nil {
		p.note("%v", err)
	}
	if date.IsZero() {
		if info, err := os.Stat(e.path); err == nil {
			date = info.ModTime()
			p.note("the time of the file stands for its date")
		}
	}
	p.msg.SentAt = date
}

func (p *parsed) address(h *header, mine []string) {
	p.msg.SenderEmail = p.firstAddress(h, "From")
	p.msg.RecipientEmail = p.firstAddress(h, "To")
	p.msg.Direction = message.DirectionInbound
	for _, address := range mine {
		if strings.EqualFold(address, p.msg.SenderEmail) {
			p.msg.Direction = message.DirectionOutbound
		}
	}
}

var addressLike = regexp.MustCompile(`[^\s<>()",;:]+@[^\s<>()",;:]+`)

// firstAddress also finds one where the list around it is broken.
func (p *parsed) firstAddress(h *header, name string) string {
	value, _ := cleanText(h.Get(name))
	if value == "" {
		return ""
	}
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charset.Reader}}
	if list, err := parser.ParseList(value); err == nil && len(list) > 0 {
		return list[0].Address
	}
	return addressLike.FindString(value)
}

// keepHeaders keeps every field, with the words of RFC 2047 decoded.
func (p *parsed) keepHeaders(h *header) {
	fields := (&gomessage.Header{Header: h.Header}).Fields()
	for fields.Next() {
		text, err := fields.Text()
		if err != nil {
			text = fields.Value()
			p.note("header %s: %v", fields.Key(), err)
		}
		text, guessed := decodeBytes([]byte(text))
		if guessed {
			p.note("header %s has bytes without a charset, read as Windows-1252", fields.Key())
		}
		text, changed := cleanText(text)
		if changed {
			p.note("header %s has NUL or bytes that are no text, taken out", fields.Key())
		}
		p.msg.Headers[fields.Key()] = append(p.msg.Headers[fields.Key()], text)
	}
}

// bodies are the texts that were found.
type bodies struct{ plain, html []string }

func (p *parsed) readBody(h *header, r io.Reader) {
	raw, err := io.ReadAll(r)
	if err != nil {
		p.note("body: %v", err)
	}
	var found bodies
	p.parts(h, raw, &found)
	switch {
	case len(found.plain) > 0:
		p.msg.Content = strings.Join(found.plain, "\n")
	case len(found.html) > 0:
		p.msg.Content = htmlText(strings.Join(found.html, "\n"))
	case len(p.msg.Attachments) == 0 && len(bytes.TrimSpace(raw)) > 0:
		p.note("no part of the body can be read; it was kept as it is")
		p.msg.Content, _ = decodeBytes(raw)
	}
	clean, changed := cleanText(p.msg.Content)
	if changed {
		p.note("the body has NUL or bytes that are no text, taken out")
	}
	p.msg.Content = strings.ReplaceAll(clean, "\r\n", "\n")
}

// parts walks the parts of a mail. A part that is broken ends the walk, and what came
// before it is kept.
func (p *parsed) parts(h *header, raw []byte, found *bodies) {
	entity, err := gomessage.New(gomessage.Header{Header: h.Header}, bytes.NewReader(raw))
	if err != nil {
		p.note("body: %v", err)
	}
	if entity == nil {
		return
	}
	err = entity.Walk(func(_ []int, part *gomessage.Entity, err error) error {
		if err != nil {
			p.note("part: %v", err)
		}
		if part == nil {
			return nil
		}
		if kind, _, _ := part.Header.ContentType(); strings.HasPrefix(kind, "multipart/") && part.MultipartReader() != nil {
			return nil
		}
		p.part(part, found)
		return nil
	})
	if err != nil {
		p.note("parts: %v", err)
	}
}

func (p *parsed) part(part *gomessage.Entity, found *bodies) {
	kind, _, err := part.Header.ContentType()
	if err != nil {
		p.note("content type: %v", err)
	}
	body, err := io.ReadAll(part.Body)
	if err != nil && !errors.Is(err, io.EOF) {
		p.note("part of %s: %v", orUnknown(kind), err)
	}
	h := gomail.AttachmentHeader{Header: part.Header}
	disposition, params, _ := h.ContentDisposition()
	name := p.filename(h, params)
	text := kind == "text/plain" || kind == "text/html" || kind == ""
	if disposition == "attachment" || name != "" || !text {
		p.attach(part, kind, name, disposition, body)
		return
	}
	decoded, guessed := decodeBytes(body)
	if guessed {
		p.note("the body is not in the charset that it names, read as Windows-1252")
	}
	if kind == "text/html" {
		found.html = append(found.html, decoded)
		return
	}
	found.plain = append(found.plain, decoded)
}

func (p *parsed) filename(h gomail.AttachmentHeader, params map[string]string) string {
	name, err := h.Filename()
	if err != nil {
		p.note("name of an attachment: %v", err)
		name = params["filename"]
	}
	name, _ = decodeBytes([]byte(name))
	name, _ = cleanText(name)
	return name
}

func (p *parsed) attach(part *gomessage.Entity, kind, name, disposition string, body []byte) {
	kind, _ = cleanText(kind)
	id, _ := cleanText(strings.Trim(part.Header.Get("Content-Id"), "<> "))
	sum := sha256.Sum256(body)
	p.msg.Attachments = append(p.msg.Attachments, message.Attachment{
		Filename: name, ContentType: kind, Size: int64(len(body)), ContentID: id,
		Inline: disposition == "inline", Checksum: "sha256:" + hex.EncodeToString(sum[:]),
	})
}

func orUnknown(kind string) string {
	if kind == "" {
		return "unknown type"
	}
	return kind
}
