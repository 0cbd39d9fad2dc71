package mailbox

import (
	"strings"
)

// Report is what a delivery report of RFC 3464 says.
type Report struct {
	// MTA is the server that reports.
	MTA string
	// OriginalID is the Message-ID of the mail that the report is about, "" if it is not
	// enclosed.
	OriginalID string
	Recipients []Recipient
}

// Recipient is what became of a mail for one recipient.
type Recipient struct {
	// Address is the final recipient, Original the one that was written to, "" if it is not
	// said.
	Address, Original string
	// Action is failed, delayed, delivered, relayed or expanded.
	Action string
	// Status is the code of RFC 3463, such as 5.1.1, and Diagnostic what the server said.
	Status, Diagnostic string
}

// Failed reports whether the mail did not reach some recipient, for good.
func (r *Report) Failed() bool {
	for _, one := range r.Recipients {
		if one.Action == "failed" || one.Action == "" {
			return true
		}
	}
	return len(r.Recipients) == 0
}

// readReport reads a delivery-status: a group of fields for the message, and one for each
// recipient.
func readReport(data []byte, r *Report) *Report {
	const most = 1000
	if r == nil {
		r = &Report{}
	}
	for i := 0; i < len(data) && len(r.Recipients) < most; {
		h, next := readHeader(data, i, func([]byte) bool { return false })
		if next <= i {
			break
		}
		i = next
		text := func(name string) string {
			s, _ := decodeWords(h.get(name), "")
			return s
		}
		if mta := afterType(text("Reporting-Mta")); mta != "" {
			r.MTA = mta
		}
		one := Recipient{
			Address: mailAddress(text("Final-Recipient")), Original: mailAddress(text("Original-Recipient")),
			Action: strings.ToLower(firstWord(withoutComments(text("Action")))), Status: firstWord(withoutComments(text("Status"))),
			Diagnostic: afterType(text("Diagnostic-Code")),
		}
		if one.Address != "" || one.Original != "" || one.Action != "" {
			r.Recipients = append(r.Recipients, one)
		}
	}
	return r
}

// afterType takes "rfc822;" off.
func afterType(s string) string {
	if _, value, ok := strings.Cut(s, ";"); ok {
		s = value
	}
	return strings.TrimSpace(s)
}

func mailAddress(s string) string {
	if list := addresses([]byte(afterType(s)), ""); len(list) > 0 {
		return list[0].Address
	}
	return afterType(s)
}
