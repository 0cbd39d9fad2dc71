package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// hit is a hit of any kind of search.
type hit struct {
	// message is nil if only the subject of the conversation was found.
	message      *message.Message
	conversation *conversation.Conversation
	// note says why it is there, text shows it.
	note, text string
}

func (s *session) print(h hit) {
	var id uuid.UUID
	at, who := h.conversation.LastMessageAt, ""
	if h.message != nil {
		id, at, who = h.message.ID, h.message.SentAt, oneLine(h.message.SenderEmail)
	}
	s.shown = append(s.shown, id)
	columns := []string{fmt.Sprintf("%3d", len(s.shown))}
	for _, c := range []string{h.note, at.Format(time.DateOnly), who, subject(h.conversation)} {
		if c != "" {
			columns = append(columns, c)
		}
	}
	fmt.Fprintln(s.out, strings.Join(columns, "  "))
	if h.text != "" {
		fmt.Fprintln(s.out, "    ", h.text)
	}
}

// printPage ends an answer to a text search, which is always exact.
func (s *session) printPage(n int, took time.Duration, order string) {
	next := ""
	if s.next != nil {
		next = `; "more" has the next`
	}
	if n == 0 {
		order = "exact"
	}
	fmt.Fprintf(s.out, "%s in %s, %s%s\n", many(int64(n), "hit"), milliseconds(took), order, next)
}

func printSimilar[T any](s *session, found store.Similar[T], took time.Duration) {
	how := "approximate"
	if found.Exact {
		how = "exact"
	}
	if found.Short {
		how += ", came up short: there may be more"
	}
	fmt.Fprintf(s.out, "%s in %s, %s, by %s\n", many(int64(len(found.Hits)), "hit"), milliseconds(took), how, found.Model)
}

// mark shows a snippet. Control characters are replaced by others of the same length, so that
// the places of the matches stay right.
func (s *session) mark(snippet store.Snippet) string {
	snippet.Text = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case r >= 0x80 && r < 0xa0:
			return '\u00a0'
		}
		return r
	}, snippet.Text)
	return snippet.Mark(s.bold, s.plain)
}

// preview returns the beginning of what the sender wrote, without the quoted mail.
func preview(m *message.Message) string {
	var kept []string
	for line := range strings.Lines(m.Content) {
		line = oneLine(line)
		if !strings.HasPrefix(line, ">") && !strings.HasSuffix(line, "wrote:") {
			kept = append(kept, line)
		}
	}
	return short(strings.Join(kept, " "), 160)
}

func subject(c *conversation.Conversation) string {
	if c.Subject == "" {
		return "(no subject)"
	}
	return short(c.Subject, 60)
}

func short(s string, most int) string {
	letters := []rune(oneLine(s))
	if len(letters) <= most {
		return string(letters)
	}
	return string(letters[:most-1]) + "…"
}

func oneLine(s string) string { return mailimport.OneLine(s) }

func rank(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("#%d", n)
}

func many(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
