package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxID is the most that the store's columns of ids take.
const maxID = 1024

// parseIDs returns the ids of a value with their angle brackets, each once. It reads what other
// programs make of them: ids without brackets, folded in the middle, with a bracket that does
// not close. bare tells a field that has one id, which may then be without an @.
func parseIDs(value string, bare bool) (ids []string) {
	seen := map[string]bool{}
	add := func(id string) {
		id = strings.Join(strings.Fields(id), "")
		if id != "" && len(id)+2 <= maxID && !strings.ContainsAny(id, "<>") && !seen[id] {
			seen[id] = true
			ids = append(ids, "<"+id+">")
		}
	}
	for rest := value; ; {
		before, after, found := strings.Cut(rest, ">")
		start := strings.LastIndexByte(before, '<')
		if !found {
			if start >= 0 {
				add(firstWord(before[start+1:]))
			}
			break
		}
		// Of <<a@b>> and "x < y" <a@b> the last bracket.
		if id := before[start+1:]; start >= 0 && (len(strings.Fields(id)) == 1 || strings.Count(id, "@") == 1) {
			add(id)
		}
		rest = after
	}
	if len(ids) > 0 || strings.ContainsAny(value, "<>") {
		return ids
	}
	words := strings.FieldsFunc(withoutComments(value), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' })
	for _, w := range words {
		if !strings.Contains(w, "@") && (!bare || len(words) > 1) {
			return nil // a sentence
		}
	}
	for _, w := range words {
		add(strings.Trim(w, `"'`))
	}
	return ids
}

func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return words[0]
	}
	return ""
}

// derivedID makes an id for a mail that has none, of what its sender wrote: the fields that no
// server adds or changes and the body, whatever the ends of its lines, and whatever a mbox file
// did to lines that begin with From.
func derivedID(h *header, body []byte) string {
	sum := sha256.New()
	for _, name := range []string{"From", "To", "Cc", "Subject", "Date", "In-Reply-To", "References", "Content-Type"} {
		sum.Write([]byte(name + ":"))
		sum.Write(bytes.Join(bytes.Fields(h.get(name)), []byte(" ")))
		sum.Write([]byte("\n"))
	}
	empty := 0
	for i := 0; i < len(body); {
		end, next := line(body, i)
		text := body[i:end]
		if len(text) == 0 {
			empty++
		} else {
			for ; empty > 0; empty-- {
				sum.Write([]byte("\n"))
			}
			if unquoted := bytes.TrimLeft(text, ">"); bytes.HasPrefix(unquoted, []byte("From ")) {
				text = unquoted
			}
			sum.Write(text)
			sum.Write([]byte("\n"))
		}
		i = next
	}
	return "<sha256-" + hex.EncodeToString(sum.Sum(nil)) + "@derived.invalid>"
}
