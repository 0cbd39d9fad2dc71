package mailimport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-message/textproto"

	"github.com/convostore/convostore/message"
)

// header is that of a mail, mended where it was broken.
type header struct {
	textproto.Header
	// mended says what was done to it.
	mended []string
}

const (
	maxHeader = 1 << 20
	// maxParents keeps the nearest of a long list of References.
	maxParents = 50
)

var (
	fieldLine = regexp.MustCompile(`^[^:\x00-\x20\x7f-\x{10FFFF}]+[ \t]*:`)
	byteOrder = []byte("\xef\xbb\xbf")
)

// readHeader reads up to the empty line that ends a header. Lines that are no fields are
// left out: mail programs put ">From " there, and one such line is no reason to lose a
// mail.
func readHeader(r *bufio.Reader) (*header, error) {
	if start, err := r.Peek(3); err == nil && bytes.Equal(start, byteOrder) {
		_, _ = r.Discard(3)
	}
	var h header
	clean, err := h.cleanLines(r)
	if err != nil {
		return nil, err
	}
	h.Header, err = textproto.ReadHeader(bufio.NewReader(io.MultiReader(bytes.NewReader(clean), strings.NewReader("\r\n"))))
	if err != nil {
		return nil, fmt.Errorf("is not a mail: %w", err)
	}
	if !h.looksLikeMail() {
		return nil, errors.New("is not a mail: it has no header")
	}
	return &h, nil
}

func (h *header) cleanLines(r *bufio.Reader) ([]byte, error) {
	var clean bytes.Buffer
	left, kept, size := 0, false, 0
	for {
		line, err := r.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !tooLong && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if size += len(line); size > maxHeader {
			return nil, errors.New("is not a mail: its header has no end")
		}
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			break
		}
		switch {
		case kept && (text[0] == ' ' || text[0] == '\t'), fieldLine.Match(text):
			kept = true
			clean.Write(text)
			if !tooLong {
				clean.WriteString("\r\n")
			}
		default:
			kept = false
			left++
		}
		if tooLong {
			if err := restOfLine(r, &clean, kept); err != nil {
				return nil, err
			}
		}
	}
	if left > 0 {
		h.mended = append(h.mended, fmt.Sprintf("%d header lines that are none were left out", left))
	}
	return clean.Bytes(), nil
}

// restOfLine reads on in a line that is longer than the buffer.
func restOfLine(r *bufio.Reader, clean *bytes.Buffer, kept bool) error {
	for {
		part, err := r.ReadSlice('\n')
		if kept && clean.Len() < maxHeader {
			clean.Write(bytes.TrimRight(part, "\r\n"))
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if kept {
			clean.WriteString("\r\n")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
}

// looksLikeMail tells a mail from a text whose lines happen to have colons.
func (h *header) looksLikeMail() bool {
	for _, name := range []string{"From", "Date", "Message-Id", "Received", "Subject", "To"} {
		if h.Has(name) {
			return true
		}
	}
	return false
}

// messageID returns the id in angle brackets, "" if there is none. Some programs write
// it without.
func (h *header) messageID() string {
	value := h.Get("Message-Id")
	if ids := message.ParseIDs(value); len(ids) > 0 {
		return cleanID(ids[0])
	}
	if value = strings.TrimSpace(value); value == "" || strings.ContainsAny(value, " \t<>") {
		return ""
	}
	return cleanID("<" + value + ">")
}

// cleanID is "" for an id that no column would take.
func cleanID(id string) string {
	const most = 1024
	if clean, changed := cleanText(id); changed || len(clean) > most {
		return ""
	}
	return id
}

// parents are the mails that this one answers, nearest first.
func (h *header) parents() []string {
	ids := message.ParseIDs(h.Get("In-Reply-To"))
	references := message.ParseIDs(strings.Join(h.Values("References"), " "))
	for i := len(references) - 1; i >= 0; i-- {
		ids = append(ids, references[i])
	}
	return ids[:min(len(ids), maxParents)]
}

// layouts are those of programs that never read the standard.
var layouts = []string{
	"Mon 2 Jan 2006 03:04:05 PM MST", time.RFC3339, time.ANSIC, time.UnixDate, time.RFC850,
	"Mon, 2 Jan 2006 15:04:05", "Mon, 2 Jan 06 15:04:05 -0700", "2 Jan 2006 15:04:05", "2006-01-02 15:04:05",
	"Mon, 2 Jan 2006 15:04 -0700", "Mon Jan 2 15:04:05 2006 -0700", "2006-01-02 15:04:05 -0700",
}

// date is when the mail says it was sent, else when the last server received it.
func (h *header) date() (time.Time, error) {
	value := h.Get("Date")
	if t, ok := parseDate(value); ok {
		return t, nil
	}
	reason := "has no date"
	if value != "" {
		reason = fmt.Sprintf("has the date %q, which is none", value)
	}
	for _, received := range h.Values("Received") {
		if i := strings.LastIndexByte(received, ';'); i >= 0 {
			if t, ok := parseDate(received[i+1:]); ok {
				return t, errors.New(reason + "; the time of receipt stands for it")
			}
		}
	}
	return time.Time{}, errors.New(reason)
}

func parseDate(value string) (time.Time, bool) {
	value = strings.Join(strings.Fields(value), " ")
	if t, err := mail.ParseDate(value); err == nil {
		return inDatabase(t)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, value); err == nil {
			return inDatabase(t)
		}
	}
	return time.Time{}, false
}

// inDatabase refuses years that no mail was sent in.
func inDatabase(t time.Time) (time.Time, bool) {
	return t, t.UTC().Year() >= 1970 && t.UTC().Year() <= 9999
}
