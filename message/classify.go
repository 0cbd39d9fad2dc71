package message

import (
	"net/mail"
	"strings"
)

// Classify tells automatic mail from what somebody wrote, by its headers: KindBounce for a
// report that a mail could not be delivered, KindAutoReply for any other mail that a machine
// sent, and KindMessage for everything else, also for no headers at all.
//
// It goes by the reports of RFC 3464 and 8098, Auto-Submitted of RFC 3834, the null return path,
// and what came before these standards or is used beside them: a sender called mailer-daemon,
// Precedence, which says nothing about a mail of a list, X-Auto-Response-Suppress,
// X-Failed-Recipients, X-Autoreply and X-Autorespond. Headers can be forged, and so can a
// machine's mail go without any.
func Classify(h Headers) Kind {
	kind, reportType := contentType(h.Get("Content-Type"))
	sender := mailboxName(h.Get("From"))
	switch {
	case kind == "message/delivery-status", kind == "multipart/report" && (reportType == "delivery-status" || reportType == ""),
		blankless(h.Get("X-Failed-Recipients")):
		return KindBounce
	case kind == "multipart/report":
		return KindAutoReply
	case isDaemon(sender), sender == "postmaster" && nullPath(h):
		return KindBounce
	case nullPath(h), automatic(h):
		return KindAutoReply
	}
	return KindMessage
}

func blankless(s string) bool { return strings.TrimSpace(s) != "" }

// contentType returns the type in lower case, and the parameter report-type.
func contentType(value string) (kind, reportType string) {
	kind, rest, _ := strings.Cut(strings.ToLower(value), ";")
	for param := range strings.SplitSeq(rest, ";") {
		if name, v, _ := strings.Cut(param, "="); strings.TrimSpace(name) == "report-type" {
			reportType = strings.Trim(v, " \t\"")
		}
	}
	return strings.TrimSpace(kind), reportType
}

// nullPath tells a mail that asks for no answer of any kind, not even a bounce.
func nullPath(h Headers) bool {
	for _, path := range h.Values("Return-Path") {
		if strings.Join(strings.Fields(path), "") == "<>" {
			return true
		}
	}
	return false
}

// isDaemon tells the names under which servers write that a mail could not be delivered. People
// write as postmaster too.
func isDaemon(name string) bool {
	return name == "mailer-daemon" || name == "mail-daemon" || name == "mailerdaemon" || name == "mdaemon"
}

// mailboxName returns what stands before the @ of an address, in lower case. Servers write their
// own without one.
func mailboxName(from string) string {
	address := from
	if parsed, err := mail.ParseAddress(from); err == nil {
		address = parsed.Address
	} else if open := strings.LastIndexByte(from, '<'); open >= 0 {
		address = from[open+1:]
	}
	name, _, _ := strings.Cut(strings.ToLower(address), "@")
	return strings.Trim(name, " \t>")
}

func automatic(h Headers) bool {
	if word := keyword(h.Get("Auto-Submitted")); word != "" && word != "no" {
		return true
	}
	switch keyword(h.Get("Precedence")) {
	case "junk", "auto_reply", "auto-reply":
		return true
	case "bulk":
		if len(h.Values("List-Id")) == 0 && len(h.Values("List-Post")) == 0 {
			return true
		}
	}
	switch keyword(h.Get("X-Auto-Response-Suppress")) {
	case "", "none":
	default:
		return true
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Auto-Reply"} {
		if word := keyword(h.Get(name)); word != "" && word != "no" {
			return true
		}
	}
	return false
}

// keyword returns the first word of a value, without the comment or the parameters behind it.
func keyword(value string) string {
	words := strings.FieldsFunc(strings.ToLower(value), func(r rune) bool {
		return strings.ContainsRune(" \t\r\n;,(", r)
	})
	if strings.HasPrefix(strings.TrimSpace(value), "(") || len(words) == 0 {
		return ""
	}
	return words[0]
}
