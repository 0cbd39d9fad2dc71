package mailbox

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/convostore/convostore/message"
)

func codePoint(hex string) string {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) || n < 0x20 {
		return ""
	}
	return string(rune(n))
}

const (
	// maxExplanation is how much of a text is searched for recipients, and maxSaid how much is kept
	// of what a server said.
	maxExplanation = 64 << 10
	maxSaid        = 500
	// maxGuessed bounds how many recipients are found in words.
	maxGuessed = 50
)

var (
	addressInText = regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+`)
	// listed is a line that begins with an address, as servers list those that failed: the address alone, in
	// brackets, or with a colon or a reason behind it.
	listed = regexp.MustCompile(`^[\s>*|"'(-]*(?i:(?:(?:failed|invalid|undeliverable|intended|unknown|final)?[ -]*(?:recipients?|address(?:es)?|user|error-for|rcpt to|expanded from|e-?mail)\b[: (\[<]+(?:smtp:)?)?)[<\["']*(?i:smtp:)?([^\s<>"'\[\]:;,()@]+@[^\s<>"'\[\]:;,()@]+)`)
	// ofRecipient is an address behind words that say that it is the recipient.
	ofRecipient = regexp.MustCompile(`(?i)(?:rcpt to|recipients?|addressed to|deliver(?:ed|y)?(?: (?:mail|message|it|your message))* to|user|mailbox|address|account|unknown|message to)[:\s<("'\[]+(?:smtp:)?([^\s<>"'\[\]:;,()@]+@[^\s<>"'\[\]:;,()@]+)`)
	// copied begins what the server returns of the mail.
	copied = regexp.MustCompile(`(?i)^[\s>*=_-]*(?:[- ]*(?:begin|start) of (?:returned|original)|original message|returned (?:mail|message) follows|(?:here is|included is|this is|following is|below is|a copy of|below (?:this|the next) line is) .{0,40}(?:copy|returned mail|original|headers?)|.{0,40}(?:original message|message text|message headers?|unsent message|returned mail)(?: (?:is|are))? (?:follows?|below|attached)|your (?:original )?message reads|-- the header|undelivered message|copy of (?:the|your|original))`)
	// stillTried are the words of a server that goes on trying, and givenUp those of one that does not.
	stillTried = regexp.MustCompile(`(?i)not yet (?:been )?deliver|(?:has|have|been|is) (?:been )?delayed|delivery delay|delayed mail|will (?:be|continue to be|keep being|keep|continue) (?:retried|retrying|tr(?:y|ied|ying)|made|attempt)|no action is required|(?:just|only) a warning|warning only|advisory-only|has been postponed|still (?:being )?(?:undelivered|tr(?:y|ied))|do(?: not|n't) need to (?:re)?send|delivery attempts will|\(warning\)|^warning: (?:message|could not send|mail)`)
	givenUp    = regexp.MustCompile(`(?i)fail(?:ed|ure)|abort|undeliver|could(?: not|n't) be|cannot be deliver|permanent|returned|fatal|rejected|giv(?:en?|ing) up|unknown|no such|did not reach|unable to deliver|not (?:be )?delivered|non[- ]?remis|unzustellbar|nicht zugestellt|devuelto|no se (?:ha |pudo )|pas (?:pu )?[êe]tre|non recapitabile`)
)

// reportInWords reads a report that has no part for its fields, of a mail that says in its header, or
// by its subject beside what only servers write, that it is one.
func (p *parser) reportInWords() *Report {
	failed := addresses([]byte(strings.Join(p.Message.Headers.Values("X-Failed-Recipients"), ",")), p.guess)
	t := splitReturned(p.Message.Content)
	if len(failed) == 0 && message.Classify(p.Message.Headers) != message.KindBounce && !p.saysBounced(&t) {
		return nil
	}
	if r := fieldsInText(p.Message.Content); r != nil {
		if r.OriginalID == "" {
			r.OriginalID = t.id
		}
		return r
	}
	r := &Report{Kind: ReportDelivery, Guessed: true, OriginalID: t.id}
	action := t.action(p.Subject)
	for _, a := range failed[:min(len(failed), maxGuessed)] {
		r.Recipients = append(r.Recipients, t.recipient(a.Address, ActionFailed))
	}
	if len(failed) == 0 && action != "" {
		for _, address := range t.failed(p.notRecipient) {
			r.Recipients = append(r.Recipients, t.recipient(address, action))
		}
	}
	if len(r.Recipients) == 0 && action != "" && t.id+p.nestedID != "" {
		r.Recipients = []Recipient{t.recipient("", action)}
	}
	if len(r.Recipients) == 0 {
		return nil
	}
	return r
}

// fieldsInText reads the fields of a report that stand in its text, nil if there are none.
func fieldsInText(text string) *Report {
	at := statusFields.FindStringIndex(text)
	if at == nil {
		return nil
	}
	if r := readDelivery([]byte(text[at[0]:]), nil); slices.ContainsFunc(r.Recipients, Recipient.named) {
		return r
	}
	return nil
}

var statusFields = regexp.MustCompile(`(?im)^(?:Reporting-MTA|Original-Recipient|Final-Recipient) *:`)

var (
	// bouncedSubject begins the subjects of mails that could not be delivered.
	bouncedSubject = regexp.MustCompile(`(?i)^(?:undeliver|non-?deliver|returned mail|fail(?:ure notice|ed mail|ed delivery|ure delivering)|(?:mail|message|e-?mail)?\s*(?:delivery|delivering)? ?(?:status|system)? ?(?:fail|error|problem|warning|notification)|delivery (?:status|fail|has failed|problem|error|notif)|(?:mail|message|e-?mail) (?:delivery|could not|not delivered|undeliver|system error|returned)|warning: (?:message|could|mail))|: non remis$`)
	// bouncedSender are the names under which servers write, beside those of message.Classify.
	bouncedSender = regexp.MustCompile(`(?i)postmaster|mailer-?daemon|mail[ _.-]*(?:delivery|system|service|gateway)|delivery|administrator|antivirus|^$`)
)

// saysBounced tells a report whose header has none of the fields for it: by its subject, beside what
// only servers write.
func (p *parser) saysBounced(t *returned) bool {
	if !bouncedSubject.MatchString(p.Subject) || t.action(p.Subject) == "" {
		return false
	}
	return bouncedSender.MatchString(p.text("From")) || t.id != "" || p.nestedID != "" || t.said(t.lines) != ""
}

// notRecipient tells the addresses that a report names without meaning that they failed: those that
// it is from and to.
func (p *parser) notRecipient(address string) bool {
	name, _, _ := strings.Cut(strings.ToLower(address), "@")
	switch name {
	case "mailer-daemon", "postmaster", "abuse", "support", "helpdesk", "hostmaster", "webmaster":
		return true
	}
	for _, field := range []string{"From", "To", "Cc", "Reply-To", "Sender", "Delivered-To", "X-Original-To", "Envelope-To", "Errors-To", "Return-Path"} {
		for _, a := range p.list(field) {
			if sameAddress(a.Address, address) {
				return true
			}
		}
	}
	return p.own(address)
}

// returned is the text of a report without the mail that it returns.
type returned struct {
	lines []string
	// id and to are the Message-ID and the recipients of the mail that is returned.
	id string
	to []string
}

// splitReturned finds the mail that is returned within the text: its header, or a line that says that it
// follows.
func splitReturned(text string) (t returned) {
	text = cutText(text, maxExplanation)
	bytes, end := []byte(text), len(text)
	for next := 0; next < len(text); {
		i := next
		line, _, _ := strings.Cut(text[i:], "\n")
		next += len(line) + 1
		if end == len(text) && copied.MatchString(line) {
			end = i
		}
		if name, _, ok := splitField([]byte(strings.TrimLeft(line, " >"))); !ok || !begins(name) {
			continue
		}
		h, body := readHeader(bytes, i, func([]byte) bool { return false })
		if !looksReturned(&h) {
			next = max(next, body) // no line is read twice
			continue
		}
		end = min(end, i)
		if ids := parseIDs(reportText(&h, "Message-Id"), true); len(ids) > 0 {
			t.id = ids[0]
		}
		for _, a := range addresses(h.get("To"), "") {
			t.to = append(t.to, a.Address)
		}
		break
	}
	t.lines = strings.Split(text[:end], "\n")
	return t
}

// begins tells the fields that a returned header may begin with.
func begins(name string) bool {
	switch name {
	case "Received", "Return-Path", "From", "Message-Id", "Date", "Delivered-To", "X-Original-To", "Subject", "To", "Mime-Version":
		return true
	}
	return false
}

// looksReturned tells the header of a mail from a few lines that name its subject.
func looksReturned(h *header) bool {
	n := 0
	for _, name := range []string{"Received", "From", "To", "Subject", "Date", "Message-Id"} {
		if h.get(name) != nil {
			n++
		}
	}
	return n >= 3 || n >= 2 && h.get("Message-Id") != nil
}

// action is whether the server has given up or goes on trying, "" if the words do not tell.
func (t *returned) action(subject string) string {
	text := strings.Join(t.lines, " ")
	switch {
	case stillTried.MatchString(subject), stillTried.MatchString(text) && statusIn(text) != expired:
		return ActionDelayed
	case givenUp.MatchString(subject), givenUp.MatchString(text):
		return ActionFailed
	}
	if action := actionOf("", statusIn(text), text); action != "" || !slices.ContainsFunc(t.lines, qmailLine.MatchString) {
		return action
	}
	return ActionFailed
}

// qmailLine is what qmail writes before the reason, in whatever language the words are that stand before.
var qmailLine = regexp.MustCompile(`^<[^\s<>@]+@[^\s<>@]+>:`)

// failed returns the addresses that the text says could not be reached: those that lines begin with,
// else those behind words for a recipient, else those of the mail that is returned, else all.
func (t *returned) failed(not func(string) bool) (found []string) {
	add := func(address string) {
		address = strings.TrimRight(strings.ToLower(address), ".")
		if addressInText.FindString(address) == address && !strings.Contains(address, "..") && len(found) < maxGuessed && !slices.Contains(found, address) && !not(address) {
			found = append(found, address)
		}
	}
	for _, line := range t.lines {
		if m := listed.FindStringSubmatch(line); m != nil {
			add(m[1])
		}
	}
	if len(found) == 0 {
		for _, m := range ofRecipient.FindAllStringSubmatch(strings.Join(t.lines, " "), -1) {
			add(m[1])
		}
	}
	all := addressInText.FindAllString(strings.Join(t.lines, " "), maxRecipients)
	if len(found) == 0 {
		for _, address := range t.to {
			if len(t.to) == 1 || slices.ContainsFunc(all, func(a string) bool { return sameAddress(a, address) }) {
				add(address)
			}
		}
	}
	if len(found) == 0 {
		for _, address := range all {
			add(address)
		}
	}
	return found
}

// recipient finds what was said of an address: the first line with a code behind it, up to an empty
// line behind other text, else the first line with a code.
func (t *returned) recipient(address, action string) Recipient {
	r := Recipient{Address: address, Action: action}
	at := slices.IndexFunc(t.lines, func(line string) bool {
		return address != "" && strings.Contains(strings.ToLower(line), strings.ToLower(address))
	})
	said := t.said(t.lines[max(at, 0):])
	if said == "" {
		said = t.said(t.lines)
	}
	if said == "" && at >= 0 && at+1 < len(t.lines) {
		said = t.lines[at+1]
	}
	r.Diagnostic = cutText(oneLine(strings.TrimSpace(said)), maxSaid)
	r.Status = statusIn(r.Diagnostic)
	return r
}

func (t *returned) said(lines []string) string {
	for _, line := range lines {
		if statusIn(line) != "" || smtpReply.MatchString(line) {
			return line
		}
	}
	return ""
}

// smtpReply is a line with what a server answered.
var smtpReply = regexp.MustCompile(`(?:^|[\s<>:(])[45][0-9][0-9][ -]`)
