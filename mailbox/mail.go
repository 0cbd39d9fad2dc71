package mailbox

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/convostore/convostore/message"
)

// Options say what a mail itself does not.
type Options struct {
	// Own are the host's own addresses, or those of the user whose mail it is: mail from them
	// is outbound, all other inbound.
	Own []string
	// ReceivedAt stands in for the date of a mail that has none, if it is set.
	ReceivedAt time.Time
	// Folder and Flags are where the mail was found, and are kept in Mail. Mail from a folder of
	// sent mail or of drafts, or with the flag Draft, is outbound whoever it says it is from.
	Folder string
	Flags  Flags
	// Gmail says that the mail comes out of Gmail's own export: the fields with the ids of Gmail's
	// threads and messages, and X-Gmail-Labels, are Gmail's and no forger's.
	Gmail bool
}

// Mail is a mail that was read.
type Mail struct {
	// Message has what a store keeps: Kind, Direction, Content, the ids, the headers, addresses,
	// the date and what the attachments are. Its role follows from its direction. Payload is nil
	// and SentAt is zero if no date was found.
	Message *message.Message
	// Subject is decoded, on one line.
	Subject string
	// From has more than one address in few mails; Message.SenderEmail is the first.
	From, ReplyTo, To, Cc, Bcc []mail.Address
	// InReplyTo and References are ids with their angle brackets, in the order of the mail.
	InReplyTo, References []string
	// DerivedID says that the mail has no Message-ID and got one made of what it says: the same
	// one each time.
	DerivedID bool
	// HTML is the first page of the body as it came, "" if there is none. It is not safe to show.
	HTML string
	// Files are the attachments with their bytes, in the order of Message.Attachments.
	Files []File
	// Report is set for a report about another mail.
	Report *Report
	// Labels are Gmail's, Folder and Flags those of the options, with what Gmail's labels and the
	// Status of a mbox file say. Place is what the folder or the labels stand for.
	Labels []string
	Folder string
	Flags  Flags
	Place  Place
	// Problems are what could not be read as it should.
	Problems []Problem

	// nestedID is that of the first mail in this one.
	nestedID string
	hasHead  bool
}

// File is an attachment with its bytes.
type File struct {
	message.Attachment
	// Data is decoded. It may share memory with what was parsed.
	Data []byte
}

// ErrEmpty is returned for a mail of nothing at all.
var ErrEmpty = errors.New("mailbox: there is no mail: it is empty")

// Parse reads a mail. What is broken in it is read as far as any mail program reads it, and named
// in Problems; only what has nothing in it is an error, ErrEmpty. The message passes
// message.Validate whatever raw is. raw must not change while the files are in use.
func Parse(raw []byte, o Options) (*Mail, error) {
	if len(bytes.Trim(raw, " \t\r\n\x00\xef\xbb\xbf")) == 0 {
		return nil, ErrEmpty
	}
	raw = withoutStart(raw)
	var notes problems
	root := readStructure(raw, &notes)
	m := &Mail{Message: &message.Message{}, Folder: o.Folder, Flags: o.Flags, hasHead: looksLikeMail(&root.head)}
	p := parser{Mail: m, head: &root.head, o: &o, notes: &notes, guess: guessOf(root)}
	p.body(root)
	p.headers()
	p.report()
	p.identify(root)
	p.place()
	p.people()
	p.date()
	p.kind()
	if !m.hasHead {
		notes.add("", "has no header of a mail")
	}
	m.Problems = notes
	return m, nil
}

// MaxBytes is how much of a mail Read takes.
const MaxBytes = 64 << 20

// Read reads a mail from r as Parse does, up to MaxBytes; the rest is left out and named in
// Problems. It does not close r.
func Read(r io.Reader, o Options) (*Mail, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	long := len(raw) > MaxBytes
	m, err := Parse(raw[:min(len(raw), MaxBytes)], o)
	if err == nil && long {
		m.Problems = append(m.Problems, tooLarge)
	}
	return m, err
}

// Parents returns the ids of the mails that this one answers, nearest first.
func (m *Mail) Parents() []string {
	ids := slices.Clone(m.InReplyTo)
	for _, id := range slices.Backward(m.References) {
		if !slices.Contains(m.InReplyTo, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// LooksLikeMail reports whether there was a header that mails have. An importer that meets files
// of all kinds leaves the others out.
func (m *Mail) LooksLikeMail() bool { return m.hasHead }

// withoutStart takes off what stands before the header: a byte order mark, empty lines, and the
// line that begins a mail in a mbox file.
func withoutStart(raw []byte) []byte {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimLeft(raw, "\r\n")
	end, next := line(trimmed, 0)
	if bytes.HasPrefix(trimmed, []byte("From ")) {
		return trimmed[next:]
	}
	if _, _, ok := splitField(trimmed[:end]); ok {
		return trimmed
	}
	return raw
}

func looksLikeMail(h *header) bool {
	for _, name := range []string{"From", "Date", "Message-Id", "Received", "Subject", "To", "Mime-Version"} {
		if h.get(name) != nil {
			return true
		}
	}
	return false
}

// guessOf returns the charset of the first text, in which the header's bytes without a charset
// are most likely.
func guessOf(e *entity) string {
	if label := e.params.token("charset"); label != "" {
		return label
	}
	for _, child := range e.children {
		if label := guessOf(child); label != "" {
			return label
		}
	}
	return ""
}

// parser fills a Mail.
type parser struct {
	*Mail

	head  *header
	o     *Options
	notes *problems
	guess string
}

func (p *parser) body(root *entity) {
	r := bodyReader{mail: p.Mail, notes: p.notes, guess: p.guess}
	content := joinSegments(r.read(root))
	p.Report = r.report
	if len(content) > maxContent {
		p.notes.add("", "has a text that is too long; the rest is left out")
		content = cutText(content, maxContent)
	}
	p.Message.Content = content
}

// report completes one that has no recipients, or makes one of a mail that has no fields for it.
func (p *parser) report() {
	if p.Report != nil && (p.Report.Kind != ReportDelivery || len(p.Report.Recipients) > 0) {
		return
	}
	words := p.reportInWords()
	if p.Report == nil {
		p.Report = words
	} else if words != nil {
		p.Report.Recipients, p.Report.Guessed = words.Recipients, true
	}
}

// headers keeps every field, decoded.
func (p *parser) headers() {
	p.Message.Headers = message.Headers{}
	for _, f := range p.head.fields {
		text, v := decodeWords(f.value, p.guess)
		p.notes.text("", "header "+f.name, p.guess, v)
		if isAddressField(f.name) && (bytes.Contains(f.value, []byte("=?")) || !isASCII(f.value)) {
			if list := addresses(f.value, p.guess); len(list) > 0 {
				text = formatAddresses(list)
			}
		}
		p.Message.Headers[f.name] = append(p.Message.Headers[f.name], text)
	}
	p.Subject, _ = decodeWords(p.head.get("Subject"), p.guess)
}

func isAddressField(name string) bool {
	switch name {
	case "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Resent-From", "Resent-To", "Resent-Cc":
		return true
	}
	return false
}

// text returns the first value of a field that is not blank, decoded.
func (p *parser) text(name string) string {
	s, _ := decodeWords(p.head.get(name), p.guess)
	return s
}

// identify finds the ids. The headers keep them in the form that the store reads.
func (p *parser) identify(root *entity) {
	var own []string
	if own = parseIDs(p.text("Message-Id"), true); len(own) > 0 {
		p.Message.EmailMessageID = own[0]
	} else {
		p.Message.EmailMessageID, p.DerivedID = derivedID(p.head, root.body), true
	}
	p.Message.IdempotencyKey = p.Message.EmailMessageID
	p.InReplyTo = parseIDs(p.text("In-Reply-To"), false)
	var references strings.Builder
	for _, value := range p.head.values("References") {
		s, _ := decodeWords(value, p.guess)
		references.WriteString(s + " ")
	}
	p.References = parseIDs(references.String(), false)
	if p.Report != nil {
		p.identifyReported()
	}
	for name, ids := range map[string][]string{"Message-Id": own, "In-Reply-To": p.InReplyTo, "References": p.References} {
		if len(ids) > 0 && !slices.Equal(message.ParseIDs(strings.Join(p.Message.Headers[name], " ")), ids) {
			p.Message.Headers[name] = []string{strings.Join(ids, " ")}
		}
	}
}

// identifyReported finds the mail that a report is about: by its fields, the mail that it returns, or
// the one that it says it answers.
func (p *parser) identifyReported() {
	about := p.Report.OriginalID
	for _, id := range append([]string{p.nestedID}, p.InReplyTo...) {
		if about == "" {
			about = id
		}
	}
	if p.Report.OriginalID = about; len(p.InReplyTo) == 0 && about != "" {
		p.InReplyTo = []string{about}
	}
}

// people finds who wrote to whom. The address in brackets counts, whatever the name says.
func (p *parser) people() {
	p.From = p.list("From")
	p.ReplyTo, p.To, p.Cc, p.Bcc = p.list("Reply-To"), p.list("To"), p.list("Cc"), p.list("Bcc")
	sender := p.From
	if len(sender) == 0 {
		sender = slices.Concat(p.list("Sender"), p.list("Return-Path"), p.ReplyTo)
		sender = sender[:min(len(sender), 1)]
	}
	p.Message.Direction = message.DirectionOutbound
	p.Message.SenderEmail = first(sender)
	if p.Place == PlaceSent || p.Place == PlaceDrafts {
		p.Message.RecipientEmail = p.recipient()
		return
	}
	// Of several senders a stranger counts: an own address beside his makes it no own mail.
	if i := slices.IndexFunc(sender, func(a mail.Address) bool { return !p.own(a.Address) }); i >= 0 || len(sender) == 0 {
		p.Message.Direction = message.DirectionInbound
		p.Message.SenderEmail = first(sender[max(i, 0):])
	}
	p.Message.RecipientEmail = p.recipient()
}

// first returns the address of the first, "" if there is none.
func first(list []mail.Address) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].Address
}

func (p *parser) own(address string) bool {
	return slices.ContainsFunc(p.o.Own, func(own string) bool { return sameAddress(own, address) })
}

// recipient is the host's own address among those that an inbound mail went to, and else the
// first.
func (p *parser) recipient() string {
	named := slices.Concat(p.To, p.Cc, p.Bcc)
	all := slices.Concat(named, p.list("Delivered-To"), p.list("X-Original-To"), p.list("Envelope-To"))
	if p.Message.Direction == message.DirectionInbound {
		for _, a := range all {
			if p.own(a.Address) {
				return a.Address
			}
		}
	}
	return first(all)
}

// list reads a field of addresses, all of them where there is more than one.
func (p *parser) list(name string) []mail.Address {
	return addresses(bytes.Join(p.head.values(name), []byte(",")), p.guess)
}

// date is when the mail says that it was sent, else when the last server received it.
func (p *parser) date() {
	value := p.text("Date")
	t, ok := parseDate(value)
	if ok {
		p.Message.SentAt = message.Instant(t)
		return
	}
	reason := "has no date"
	if value != "" {
		reason = "has the date " + quoteLabel(value) + ", which is none"
	}
	for _, received := range p.head.values("Received") {
		if i := bytes.LastIndexByte(received, ';'); i >= 0 {
			if t, ok := parseDate(string(received[i+1:])); ok {
				p.notes.add("", reason+"; the time of receipt stands for it")
				p.Message.SentAt = message.Instant(t)
				return
			}
		}
	}
	if p.Message.SentAt = message.Instant(p.o.ReceivedAt); !p.o.ReceivedAt.IsZero() {
		reason += "; the time that the caller gave stands for it"
	}
	p.notes.add("", reason)
}

// kind goes by the header, and for a delivery report by what it reports.
func (p *parser) kind() {
	p.Message.Kind = message.Classify(p.Message.Headers)
	if p.Report != nil && len(p.Report.Recipients) > 0 {
		p.Message.Kind = message.KindAutoReply
		if p.Report.Failed() {
			p.Message.Kind = message.KindBounce
		}
	}
}
