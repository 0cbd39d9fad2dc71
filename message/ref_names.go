package message

import (
	"strconv"
	"strings"
)

// The providers that the library itself knows of. A host names any others as it likes, but not
// beginning with "convostore:", which is for notes of the library.
const (
	// RefEmail is for Message-IDs of RFC 5322. Two mails may have the same one.
	RefEmail = "rfc5322"
	// RefGmail is for the ids of Gmail's messages, and RefPostmark for Postmark's.
	RefGmail    = "gmail"
	RefPostmark = "postmark"
	// RefGmailThread is for the ids of Gmail's threads: all messages of one have the same name.
	RefGmailThread = "gmail-thread"
)

// NormalizeRef returns a name in the one form in which it is stored and looked up: a Message-ID in
// its angle brackets, an id of Gmail in hexadecimal as its API has it, whether it came from the API,
// in decimal from IMAP or an export, or as in "msg-f:1840000000000000001", and an id of Postmark
// without the brackets and the domain that it has as a Message-ID. Names of other providers, and
// what is no id of the form, are returned as they are.
func NormalizeRef(provider, ref string) string {
	switch provider {
	case RefEmail:
		return emailRef(ref)
	case RefGmail, RefGmailThread:
		return gmailRef(ref)
	case RefPostmark:
		return postmarkRef(ref)
	}
	return ref
}

func emailRef(ref string) string {
	if ids := ParseIDs(ref); len(ids) == 1 {
		return ids[0]
	}
	if id := strings.TrimSpace(ref); id != "" && !strings.ContainsAny(id, "<> \t\r\n") {
		return "<" + id + ">"
	}
	return ref
}

func gmailRef(ref string) string {
	id := strings.ToLower(strings.TrimSpace(ref))
	for _, prefix := range []string{"thread-f:", "msg-f:"} {
		if number, found := strings.CutPrefix(id, prefix); found {
			id = number
			break
		}
	}
	// Ids of Gmail are above 10^18: 19 or 20 digits in decimal, and at most 16 in hexadecimal.
	const mostHex, leastHex = 16, 12
	if n, err := strconv.ParseUint(id, 10, 64); err == nil && len(id) > mostHex {
		return strconv.FormatUint(n, 16)
	}
	if n, err := strconv.ParseUint(strings.TrimPrefix(id, "0x"), 16, 64); err == nil && len(id) >= leastHex {
		return strconv.FormatUint(n, 16)
	}
	return ref
}

func postmarkRef(ref string) string {
	id := strings.Trim(strings.TrimSpace(ref), "<>")
	if local, domain, found := strings.Cut(id, "@"); found && local != "" && domain != "" {
		return local
	}
	return id
}
