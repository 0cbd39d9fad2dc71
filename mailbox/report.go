package mailbox

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
)

// ReportKind is what a report is about.
type ReportKind string

const (
	// ReportDelivery says how far a mail has come (RFC 3464).
	ReportDelivery ReportKind = "delivery"
	// ReportDisposition says what the recipient did with it (RFC 8098, before that 3798).
	ReportDisposition ReportKind = "disposition"
)

// Report is what a server or a mail program says of a mail that it was given.
type Report struct {
	Kind ReportKind
	// Guessed says that no fields tell, and that the recipients were found in the words of a mail
	// whose header says that it is about one that could not be delivered.
	Guessed bool
	// MTA is the server that reports.
	MTA string
	// OriginalID is the Message-ID of the mail that the report is about, with its angle brackets,
	// "" if it is not said.
	OriginalID string
	// EnvelopeID is what the sender gave to the server as ENVID, "" if it is not said.
	EnvelopeID string
	Recipients []Recipient
}

// The actions of Recipient. Those of a disposition are the words of its RFC: displayed, deleted,
// dispatched, processed, denied, failed.
const (
	ActionFailed    = "failed"
	ActionDelayed   = "delayed"
	ActionDelivered = "delivered"
	ActionRelayed   = "relayed"
	ActionExpanded  = "expanded"
)

// Recipient is what became of a mail for one recipient.
type Recipient struct {
	// Address is the final recipient, Original the one that was written to, "" if it is not
	// said.
	Address, Original string
	// Action is one of the constants, by the status where no action or an unknown one is said, and
	// "" if nothing tells.
	Action string
	// Status is the code of RFC 3463, such as 5.1.1, "" if it is not said, and Diagnostic what the
	// server said.
	Status, Diagnostic string
}

// Failed reports whether the mail did not reach the recipient, for good. Delayed is not failed.
func (r Recipient) Failed() bool { return r.Action == ActionFailed || r.Action == "" }

func (r Recipient) named() bool { return r.Address != "" || r.Original != "" }

// Failed reports whether the mail did not reach some recipient, for good. A report of delivery that
// names no recipient is one of failure; a disposition is none, whatever it says.
func (r *Report) Failed() bool {
	if r.Kind == ReportDisposition {
		return false
	}
	for i := range r.Recipients {
		if r.Recipients[i].Failed() {
			return true
		}
	}
	return len(r.Recipients) == 0
}

// Reason is a line for a human of why the mail failed: the first recipient that it did not reach,
// with the status and what the server said; "" if it did not fail.
func (r *Report) Reason() string {
	if !r.Failed() {
		return ""
	}
	for i := range r.Recipients {
		if one := &r.Recipients[i]; one.Failed() {
			address := one.Address
			if address == "" {
				address = one.Original
			}
			words := strings.Fields(address + " " + one.Status + " " + one.Diagnostic)
			if strings.HasPrefix(one.Diagnostic, one.Status) {
				words = strings.Fields(address + " " + one.Diagnostic)
			}
			if len(words) > 0 {
				return strings.Join(words, " ")
			}
		}
	}
	return "could not be delivered"
}

// ErrNoReport is returned for a mail that reports nothing of another one.
var ErrNoReport = errors.New("mailbox: the mail is no report about another one")

// ReadReport reads a mail as Read does and returns its report, which Mail.Report is too. A mail that
// is none is ErrNoReport.
func ReadReport(r io.Reader, o Options) (*Report, error) {
	m, err := Read(r, o)
	if err != nil {
		return nil, err
	}
	if m.Report == nil {
		return nil, ErrNoReport
	}
	return m.Report, nil
}

// maxRecipients bounds how many recipients a report has.
const maxRecipients = 1000

// readDelivery reads a delivery-status: a group of fields for the message, and one for each
// recipient. Two recipients may stand in one group, where the empty line between them was lost.
func readDelivery(data []byte, r *Report) *Report {
	if r == nil || r.Kind != ReportDelivery {
		r = &Report{Kind: ReportDelivery}
	}
	for i := 0; i < len(data) && len(r.Recipients) < maxRecipients; {
		h, next := readHeader(data, i, func([]byte) bool { return false })
		if next <= i {
			break
		}
		i = next
		r.message(&h)
		for _, group := range recipientGroups(&h) {
			r.recipient(group)
		}
	}
	// An action among the fields of the message is of no recipient, where there are some.
	if slices.ContainsFunc(r.Recipients, Recipient.named) {
		r.Recipients = slices.DeleteFunc(r.Recipients, func(one Recipient) bool { return !one.named() })
	}
	return r
}

// message reads the fields of the message, which some servers repeat in each group.
func (r *Report) message(h *header) {
	for name, to := range map[string]*string{"Reporting-Mta": &r.MTA, "Original-Envelope-Id": &r.EnvelopeID} {
		if text := reportText(h, name); text != "" && *to == "" {
			*to = afterType(text)
		}
	}
	for _, name := range []string{"Original-Message-Id", "X-Original-Message-Id"} {
		if ids := parseIDs(reportText(h, name), true); len(ids) > 0 && r.OriginalID == "" {
			r.OriginalID = ids[0]
		}
	}
}

// recipientGroups splits a header where a field of a recipient comes a second time.
func recipientGroups(h *header) (groups []*header) {
	one, seen := &header{}, map[string]bool{}
	for _, f := range h.fields {
		if f.name == "Final-Recipient" || f.name == "Original-Recipient" {
			if seen[f.name] {
				groups, one, seen = append(groups, one), &header{}, map[string]bool{}
			}
			seen[f.name] = true
		}
		one.fields = append(one.fields, f)
	}
	return append(groups, one)
}

func (r *Report) recipient(h *header) {
	one := Recipient{
		Address: reportAddress(reportText(h, "Final-Recipient")), Original: reportAddress(reportText(h, "Original-Recipient")),
		Status: statusIn(reportText(h, "Status")), Diagnostic: afterType(reportText(h, "Diagnostic-Code")),
	}
	if one.Original == "" {
		one.Original = reportAddress(reportText(h, "X-Actual-Recipient"))
	}
	if one.Status == "" {
		one.Status = statusIn(one.Diagnostic)
	}
	action := firstWord(withoutComments(reportText(h, "Action")))
	if one.Address == "" && one.Original == "" && action == "" {
		return
	}
	one.Action = actionOf(action, one.Status, one.Diagnostic)
	r.Recipients = append(r.Recipients, one)
}

// actionOf is the action that a word stands for. Servers write other words than those of the RFC, or
// none, and then the codes tell.
func actionOf(word, status, diagnostic string) string {
	word = strings.ToLower(word)
	for prefix, action := range map[string]string{
		"fail": ActionFailed, "error": ActionFailed, "bounce": ActionFailed, "undeliver": ActionFailed, "reject": ActionFailed,
		"delay": ActionDelayed, "deliver": ActionDelivered, "relay": ActionRelayed, "expand": ActionExpanded,
	} {
		if strings.HasPrefix(word, prefix) {
			return action
		}
	}
	code := status
	if code == "" {
		code = smtpCode.FindString(diagnostic)
	}
	switch {
	case strings.HasPrefix(code, "5"), status == expired:
		return ActionFailed
	case strings.HasPrefix(code, "4"):
		return ActionDelayed
	case strings.HasPrefix(code, "2"):
		return ActionDelivered
	}
	return ""
}

// expired is the status of a mail that was tried for too long: no more attempts follow, whatever its
// first digit says.
const expired = "4.4.7"

var (
	statusCode = regexp.MustCompile(`\b[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)
	smtpCode   = regexp.MustCompile(`\b[245][0-9][0-9]\b`)
	// unicodeLetter is a letter of an address in a field of ASCII (RFC 6533).
	unicodeLetter = regexp.MustCompile(`\\x\{([0-9A-Fa-f]{2,6})\}`)
)

// statusIn returns the code of RFC 3463 in a text.
func statusIn(text string) string {
	if found := statusCode.FindString(text); found != "" && !dotted(text, found) {
		return found
	}
	return ""
}

// dotted tells a part of an IP address.
func dotted(text, code string) bool {
	i := strings.Index(text, code)
	before, after := text[:i], text[i+len(code):]
	return strings.HasSuffix(before, ".") || len(after) > 1 && after[0] == '.' && after[1] >= '0' && after[1] <= '9'
}

// readDisposition reads a disposition-notification, which has one group of fields.
func readDisposition(data []byte, r *Report) *Report {
	if r != nil {
		return r // a mail has one report
	}
	r = &Report{Kind: ReportDisposition}
	h, _ := readHeader(data, leadingLines(data), func([]byte) bool { return false })
	r.message(&h)
	if r.MTA = afterType(reportText(&h, "Mdn-Gateway")); r.MTA == "" {
		r.MTA = reportText(&h, "Reporting-Ua")
	}
	_, kind, _ := strings.Cut(reportText(&h, "Disposition"), ";")
	kind, _, _ = strings.Cut(kind, "/") // modifiers
	one := Recipient{
		Address: reportAddress(reportText(&h, "Final-Recipient")), Original: reportAddress(reportText(&h, "Original-Recipient")),
		Action: strings.ToLower(firstWord(withoutComments(kind))), Diagnostic: reportText(&h, "Error"),
	}
	if one.Diagnostic == "" {
		one.Diagnostic = reportText(&h, "Failure")
	}
	if one.Address != "" || one.Original != "" || one.Action != "" {
		r.Recipients = []Recipient{one}
	}
	return r
}

// leadingLines is how many bytes of empty lines stand before the fields.
func leadingLines(data []byte) (n int) {
	for n < len(data) && (data[n] == '\n' || data[n] == '\r') {
		n++
	}
	return n
}

func reportText(h *header, name string) string {
	s, _ := decodeWords(h.get(name), "")
	return s
}

// afterType takes "rfc822;" off. What stands before the semicolon is one word.
func afterType(s string) string {
	if kind, value, ok := strings.Cut(s, ";"); ok && len(strings.Fields(kind)) <= 1 {
		s = value
	}
	return strings.TrimSpace(s)
}

func reportAddress(s string) string {
	s = unicodeLetter.ReplaceAllStringFunc(afterType(s), func(letter string) string {
		return codePoint(unicodeLetter.FindStringSubmatch(letter)[1])
	})
	if list := addresses([]byte(s), ""); len(list) > 0 {
		return list[0].Address
	}
	return strings.Trim(s, "<>")
}
