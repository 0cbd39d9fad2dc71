package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/convostore/convostore/message"
)

// maxContent bounds the text, so that a message stays below what a store takes.
const maxContent = 8 << 20

// segment is a text of the body.
type segment struct {
	text string
	html bool
	// shown is the text of a page, once it was asked for.
	shown *string
}

func (s *segment) plain() string {
	if !s.html {
		return s.text
	}
	if s.shown == nil {
		text := htmlText(s.text)
		s.shown = &text
	}
	return *s.shown
}

func (s *segment) blank() bool { return isSpace(s.plain()) }

func isSpace(s string) bool { return strings.TrimSpace(s) == "" }

// bodyReader reads the texts and files of a mail.
type bodyReader struct {
	mail  *Mail
	notes *problems
	// guess is the charset of names that have none.
	guess string
	// report has what a report says of another mail.
	report *Report
}

// read returns the texts that a mail program shows of an entity, in their order.
func (r *bodyReader) read(e *entity) []*segment {
	switch {
	case !e.multipart():
		return r.leaf(e)
	case e.kind == "multipart/alternative":
		return r.alternative(e)
	}
	var all []*segment
	for _, child := range e.children {
		for _, s := range r.read(child) {
			all = appendSegment(all, s)
		}
	}
	return all
}

// appendSegment leaves out a page that says what the text before it said: programs that know no
// alternatives send both.
func appendSegment(all []*segment, s *segment) []*segment {
	if len(all) > 0 {
		before := all[len(all)-1]
		if before.html != s.html && !before.blank() && withoutSpace(before.plain()) == withoutSpace(s.plain()) {
			if before.html {
				all[len(all)-1] = s
			}
			return all
		}
	}
	return append(all, s)
}

func withoutSpace(s string) string { return strings.Join(strings.Fields(s), "") }

// alternative chooses one of several forms of the same: plain text if it has any, else the last
// that has.
func (r *bodyReader) alternative(e *entity) []*segment {
	var chosen []*segment
	found := false
	for _, child := range e.children {
		child.shown = true
		segments := r.read(child)
		if found {
			continue
		}
		text, pages := 0, 0
		for _, s := range segments {
			switch {
			case s.html:
				pages++
			case !s.blank():
				text++
			}
		}
		if found = text > 0 && pages == 0; found || hasText(segments) {
			chosen = segments
		}
	}
	return chosen
}

func hasText(segments []*segment) bool {
	for _, s := range segments {
		if !s.blank() {
			return true
		}
	}
	return false
}

// leaf reads an entity without parts: a text, or a file.
func (r *bodyReader) leaf(e *entity) []*segment {
	data, tail, reason := decodeTransfer(e.body, e.encoding)
	if reason != "" {
		r.notes.add(e.place, reason)
	}
	name := r.filename(e)
	if !e.isText(name) || looksBinary(data, e) {
		r.file(e, name, data)
		return nil
	}
	label := e.params.token("charset")
	if charsetName(label) == "" && e.kind == "text/html" {
		label = pageCharset(data)
	}
	text, v := decodeText(data, label)
	r.notes.text(e.place, "the text", label, v)
	if v >= unknown && !isASCII(data) {
		r.undecoded(e, data)
	}
	if len(tail) > 0 {
		footer, _ := decodeText(tail, "")
		text += "\n" + footer
		r.notes.add(e.place, "has text behind its base64")
	}
	text = unixLines(text)
	if e.kind == "text/html" {
		if r.mail.HTML == "" {
			r.mail.HTML = text
		}
		return []*segment{{text: text, html: true}}
	}
	if strings.EqualFold(e.params.token("format"), "flowed") {
		text = unflow(text, strings.EqualFold(e.params.token("delsp"), "yes"))
	}
	return []*segment{{text: r.takeUU(text)}}
}

// undecoded keeps the bytes of a text whose letters had to be guessed.
func (r *bodyReader) undecoded(e *entity, data []byte) {
	name := "body.txt"
	if e.kind == "text/html" {
		name = "body.html"
	}
	r.add(File{Attachment: message.Attachment{Filename: name, ContentType: e.kind}, Data: data})
	r.notes.add(e.place, "is kept as the file "+name+" as well")
}

// takeUU makes files of what is uuencoded in a text.
func (r *bodyReader) takeUU(text string) string {
	files, rest := cutUU([]byte(text))
	for _, f := range files {
		name, _ := decodeWords(f.name, r.guess)
		r.add(File{Attachment: message.Attachment{Filename: baseName(name), ContentType: "application/octet-stream"}, Data: f.data})
	}
	return string(rest)
}

// isText tells the body's texts from files: a file has a name or says that it is an attachment. The
// first part of a mail and the alternatives are its text, also if they have a name.
func (e *entity) isText(name string) bool {
	if e.disposition == "attachment" || name != "" && !e.shown && !e.first() {
		return false
	}
	switch e.kind {
	case "text/plain", "text/html", "text/markdown", "text/x-markdown", "text/enriched", "text/richtext":
		return true
	}
	return false
}

// first tells the first of all parts, which is the mail itself if that has none.
func (e *entity) first() bool {
	for n := range strings.SplitSeq(e.place, ".") {
		if n != "1" && e.place != "" {
			return false
		}
	}
	return true
}

// looksBinary tells a file that calls itself text: one byte in ten is NUL in no charset of bytes.
func looksBinary(data []byte, e *entity) bool {
	nul := bytes.Count(data, []byte{0})
	if nul == 0 || nul*10 < len(data) || nul < 10 {
		return false
	}
	_, wide := decodeWide(data, charsetName(e.params.token("charset")))
	return !wide
}

func unixLines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// joinSegments makes one text of the segments. A single one stays as it came.
func joinSegments(segments []*segment) string {
	var texts []string
	for _, s := range segments {
		if !s.blank() {
			texts = append(texts, s.plain())
		}
	}
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	for i, t := range texts {
		texts[i] = strings.Trim(t, "\n")
	}
	return strings.Join(texts, "\n\n")
}

// filename returns the name of a part, "" if it has none. It is one name and no path.
func (r *bodyReader) filename(e *entity) string {
	name := e.dispositionParams.text("filename", r.guess)
	if name == "" {
		name = e.params.text("name", r.guess)
	}
	return baseName(name)
}

// baseName takes folders off, which a host would else write into, and keeps a name short enough
// for a file system.
func baseName(name string) string {
	const longest = 255
	name = strings.TrimSpace(name[strings.LastIndexAny(name, `/\`)+1:])
	if name == "." || name == ".." {
		return ""
	}
	ext := path.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	if len(name) > longest {
		return cutText(strings.TrimSuffix(name, ext), longest-len(ext)) + ext
	}
	return name
}

// cutText returns the first n bytes, less those of a letter that would be divided.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (r *bodyReader) file(e *entity, name string, data []byte) {
	switch e.kind {
	case "message/rfc822", "message/global":
		name = r.nested(name, data)
	case "text/rfc822-headers", "message/rfc822-headers":
		r.nested(name, data)
	case "message/delivery-status", "message/global-delivery-status":
		r.report = readDelivery(data, r.report)
	case "message/disposition-notification", "message/global-disposition-notification":
		r.report = readDisposition(data, r.report)
	}
	id, _ := decodeText(bytes.Trim(e.head.get("Content-Id"), "<> \t"), "")
	kind, _ := decodeText([]byte(e.kind), "")
	r.add(File{
		Attachment: message.Attachment{
			Filename: name, ContentType: cutText(oneLine(kind), 127), ContentID: cutText(oneLine(id), 255),
			Inline: e.disposition == "inline" || e.disposition == "" && len(id) > 0,
		},
		Data: data,
	})
}

// nested names a mail in a mail by its subject, and keeps the id of the one that a report is
// about.
func (r *bodyReader) nested(name string, data []byte) string {
	h, _ := readHeader(data, 0, func([]byte) bool { return false })
	if ids := parseIDs(string(h.get("Message-Id")), true); len(ids) > 0 && r.mail.nestedID == "" {
		r.mail.nestedID, _ = decodeText([]byte(ids[0]), "")
	}
	if name != "" {
		return name
	}
	subject, _ := decodeWords(h.get("Subject"), r.guess)
	subject = strings.NewReplacer("/", "_", `\`, "_").Replace(subject)
	if subject == "" {
		subject = "message"
	}
	return baseName(subject + ".eml")
}

func (r *bodyReader) add(f File) {
	sum := sha256.Sum256(f.Data)
	f.Size, f.Checksum = int64(len(f.Data)), "sha256:"+hex.EncodeToString(sum[:])
	r.mail.Files = append(r.mail.Files, f)
	r.mail.Message.Attachments = append(r.mail.Message.Attachments, f.Attachment)
}
