package threads

import (
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// maxAnsweredIDs is how many of the message ids that an e-mail answers are looked up.
// Mailing lists let References grow without bound, and the nearest ids come first.
const maxAnsweredIDs = 100

// letter is what an e-mail tells of itself and of its thread.
type letter struct {
	*message.Message
	// ids are its Message-IDs, names its names at providers, and threads those of its thread.
	ids            []string
	names, threads []message.Ref
	// answers are the ids that it answers, nearest first.
	answers []string
	people  people
	// subject is the key of the subject if subjects count, "" if not, and reply tells an answer by it.
	subject string
	reply   bool
}

// newLetter reads the names of a message that is normalized, and those of the options, which are
// checked.
func newLetter(m *message.Message, o store.FileOptions) *letter {
	l := &letter{Message: m, answers: answeredIDs(m), people: peopleOf(m.SenderEmail, m.RecipientEmail, m.Headers)}
	for _, r := range slices.Concat(columnRefs(m), o.Refs) {
		switch r.Provider {
		case message.RefEmail:
			if !slices.Contains(l.ids, r.Ref) {
				l.ids = append(l.ids, r.Ref)
			}
		case message.RefGmailThread:
			l.threads = append(l.threads, r)
		default:
			l.names = append(l.names, r)
		}
	}
	l.threads = append(l.threads, o.Threads...)
	l.answers = slices.DeleteFunc(l.answers, func(id string) bool { return slices.Contains(l.ids, id) })
	if o.BySubject {
		l.subject, l.reply = subjectKey(m.Headers.Get("Subject"))
	}
	return l
}

// answeredIDs lists the ids of the messages that an e-mail answers, the nearest first: those
// of In-Reply-To, then those of References from the last to the first. Ids that are too long
// to be stored are left out.
func answeredIDs(m *message.Message) []string { return answersOf(m.Headers) }

func answersOf(h message.Headers) []string {
	references := idsIn(h.Values("References"))
	slices.Reverse(references)
	var ids []string
	for _, id := range append(idsIn(h.Values("In-Reply-To")), references...) {
		if len(ids) < maxAnsweredIDs && check.Key("", id) == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// idsIn are the ids of each value, of which some may be without brackets.
func idsIn(values []string) (ids []string) {
	for _, v := range values {
		ids = append(ids, message.ParseIDs(v)...)
	}
	return ids
}

// localParts are ids as Postmark's: without brackets and domain.
func localParts(ids []string) []string {
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i], _, _ = strings.Cut(strings.Trim(id, "<>"), "@")
	}
	return parts
}

// gmailForms are the forms of an id of Gmail: hexadecimal and decimal.
func gmailForms(ref string) []string {
	id := message.NormalizeRef(message.RefGmail, ref)
	forms := []string{id}
	if id != ref {
		forms = append(forms, ref)
	}
	const least = 12
	if n, err := strconv.ParseUint(id, 16, 64); err == nil && len(id) >= least {
		if decimal := strconv.FormatUint(n, 10); decimal != ref {
			forms = append(forms, decimal)
		}
	}
	return forms
}

// people are addresses in lower case.
type people map[string]bool

var peopleFields = []string{"From", "Sender", "Reply-To", "To", "Cc", "Bcc"}

// peopleOf are the addresses of a message, empty if it has none.
func peopleOf(sender, recipient string, h message.Headers) people {
	p := people{}
	p.add(sender, recipient)
	for _, field := range peopleFields {
		p.add(h.Values(field)...)
	}
	return p
}

func (p people) add(texts ...string) {
	for _, text := range texts {
		if !strings.Contains(text, "@") {
			continue
		}
		for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" \t\r\n<>,;:\"'()[]", r) }) {
			if at := strings.LastIndexByte(word, '@'); at > 0 && at < len(word)-1 {
				p[word] = true
			}
		}
	}
}

func (p people) addAll(o people) {
	for address := range o {
		p[address] = true
	}
}

// common counts the addresses that both have.
func (p people) common(o people) (n int) {
	if len(o) < len(p) {
		p, o = o, p
	}
	for address := range p {
		if o[address] {
			n++
		}
	}
	return n
}

// meets tells whether both have an address in common, or one has none at all.
func (p people) meets(o people) bool { return len(p) == 0 || len(o) == 0 || p.common(o) > 0 }

// correspondents are the people on the other side of a mail: who wrote it, or to whom it went.
func correspondents(d message.Direction, sender, recipient string, h message.Headers) people {
	p := people{}
	if d == message.DirectionOutbound {
		p.add(recipient)
		p.add(h.Values("To")...)
		p.add(h.Values("Cc")...)
		return p
	}
	p.add(sender)
	p.add(h.Values("From")...)
	p.add(h.Values("Reply-To")...)
	return p
}

// sameMail tells whether a stored message with a name of a mail, which others may have too, is the
// mail: the sender and the date are the same, as far as both have them. A message that was sent from
// here has no Date of its own, but the time at which it was handed over.
func sameMail(l *letter, stored *message.Message) bool {
	a, b := people{}, people{}
	a.add(l.SenderEmail)
	b.add(stored.SenderEmail)
	if !a.meets(b) {
		return false
	}
	date, other := dateOf(l.Headers), dateOf(stored.Headers)
	if !date.IsZero() && !other.IsZero() {
		return date.Equal(other)
	}
	const most = 24 * time.Hour
	return l.SentAt.Sub(stored.SentAt).Abs() <= most
}

func dateOf(h message.Headers) time.Time {
	t, err := mail.ParseDate(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}

var (
	tagMarks  = regexp.MustCompile(`^(\s*\[[^\]]*\])+\s*`)
	replyMark = regexp.MustCompile(`(?i)^\s*(re|aw|antw|antwort|sv|vs|vl|ref|rif|fwd?|wg|tr|rv|enc|odp|pd|doorst|ynt|ilt|res|回复|回覆|转发|轉寄|答复)\s*(\[\d+\]|\(\d+\))?\s*[:：]\s*`)
)

// baseSubject is a subject without the marks of answers and forwards. What stands in brackets, such as
// the number of a ticket, stays. reply tells whether there was a mark.
func baseSubject(subject string) (base string, reply bool) {
	rest, tags := strings.Join(strings.Fields(subject), " "), ""
	for {
		if shorter := replyMark.ReplaceAllString(rest, ""); shorter != rest {
			rest, reply = shorter, true
			continue
		}
		tag := tagMarks.FindString(rest)
		if tag == "" || len(tag) == len(rest) || !replyMark.MatchString(rest[len(tag):]) {
			break
		}
		tags, rest = tags+tag, rest[len(tag):]
	}
	return strings.TrimSpace(tags + rest), reply
}

// subjectKey is the name of a subject, "" if it says nothing.
func subjectKey(subject string) (key string, reply bool) {
	base, reply := baseSubject(subject)
	key = strings.ToLower(base)
	const longest = 300
	if len(key) > longest || !isName(key) {
		if key == "" {
			return "", reply
		}
		sum := sha256.Sum256([]byte(key))
		key = "sha256:" + hex.EncodeToString(sum[:])
	}
	return key, reply
}
