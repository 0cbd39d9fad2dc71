package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/convostore/convostore/cmd/convostore/internal/bar"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// searcher is the command search.
type searcher struct {
	*app
	user, match, since, before, direction string
	newest                                bool
	limit                                 int
	after                                 string
	filter                                store.SearchFilter
}

var matches = map[string]store.Match{"all": store.MatchAll, "any": store.MatchAny, "substring": store.MatchSubstring}

func newSearch(a *app) *cobra.Command {
	s := &searcher{app: a}
	c := &cobra.Command{
		Use: "search WORDS...", Short: "Find messages by what is written", Args: arguments(1, -1, "the words to look for"),
		Long: `Finds messages by words, best match first. Quotes make a phrase, OR joins words, a trailing * takes all that begin
so, and a leading minus leaves out what has the word. --match any takes any of the words, --match substring the text as
it stands, also inside words.

Write -- before words that begin with a minus.`,
		Example: `  convostore search --database chat.db invoice paid
  convostore search --database chat.db --user ann --newest '"unpaid invoice" OR bill'
  convostore search --database chat.db -- refund -draft`,
		RunE: func(c *cobra.Command, words []string) error { return s.run(c.Context(), strings.Join(words, " ")) },
	}
	f := c.Flags()
	f.StringVar(&s.user, "user", "", userHelp+" (default everybody)")
	f.StringVar(&s.match, "match", "all", "all, any or substring")
	f.BoolVar(&s.newest, "newest", false, "newest first instead of best first")
	f.IntVarP(&s.limit, "limit", "n", 10, "the most hits")
	f.StringVar(&s.after, "after", "", "go on behind the page that printed this")
	f.StringVar(&s.filter.App, "app", "", "only conversations of this app")
	f.StringVar(&s.filter.LeadID, "lead", "", "only conversations with this lead")
	f.StringSliceVar(&s.filter.Labels, "label", nil, "only conversations with any of these labels")
	f.StringVar(&s.direction, "direction", "", "only inbound or outbound messages")
	f.StringVar(&s.since, "since", "", "only messages since this day, such as 2026-03-01 (UTC)")
	f.StringVar(&s.before, "before", "", "only messages before this day (UTC)")
	return c
}

// found is the result of a search.
type found struct {
	Hits []hit `json:"hits"`
	// Next is for --after, empty on the last page.
	Next string `json:"next,omitempty"`
	// Milliseconds is how long the database took.
	Milliseconds float64 `json:"milliseconds"`
}

type hit struct {
	Conversation uuid.UUID     `json:"conversation"`
	User         uuid.UUID     `json:"user"`
	Message      uuid.UUID     `json:"message"`
	Subject      string        `json:"subject"`
	Sender       string        `json:"sender,omitempty"`
	SentAt       time.Time     `json:"sent_at"`
	Score        float64       `json:"score"`
	Snippet      store.Snippet `json:"snippet"`
}

func (s *searcher) run(ctx context.Context, text string) error {
	o, err := s.options()
	if err != nil {
		return err
	}
	return s.withStore(ctx, func(st store.Store) error {
		begun := time.Now()
		page, err := scopeOf(st, s.user).Search().Messages(ctx, text, o, store.PageRequest{Limit: s.limit, After: store.Cursor(s.after)})
		if err != nil {
			return err
		}
		r := found{Hits: make([]hit, len(page.Items)), Next: string(page.Next), Milliseconds: float64(time.Since(begun).Microseconds()) / 1000}
		for i, h := range page.Items {
			r.Hits[i] = hitOf(h)
		}
		return s.print(r, func(out io.Writer) error { return s.printHits(out, r) })
	})
}

func (s *searcher) options() (o store.TextOptions, err error) {
	var ok bool
	if o.Match, ok = matches[s.match]; !ok {
		return o, usagef("--match: %q is none of all, any and substring", s.match)
	}
	if s.limit < 1 || s.limit > store.MaxLimit {
		return o, usagef("--limit is not 1 to %d", store.MaxLimit)
	}
	o.Filter = s.filter
	o.Filter.Direction = message.Direction(s.direction)
	if s.newest {
		o.Order = store.Newest
	}
	if o.Filter.SentSince, err = day("--since", s.since, time.UTC); err == nil {
		o.Filter.SentBefore, err = day("--before", s.before, time.UTC)
	}
	return o, err
}

// day reads a day; empty is no bound.
func day(flag, text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return at, usagef("%s: %q is not a day such as 2026-03-01", flag, text)
	}
	return at, nil
}

func hitOf(h *store.MessageHit) hit {
	subject := h.Conversation.Subject
	if subject == "" {
		subject = h.Conversation.Title
	}
	return hit{
		h.Conversation.ID, h.Conversation.UserID, h.Message.ID, subject, h.Message.SenderEmail, h.Message.SentAt, h.Score, h.Snippet,
	}
}

// printHits marks what was found on a terminal, where that can be seen.
func (s *searcher) printHits(out io.Writer, r found) error {
	open, end := "[", "]"
	if bar.Terminal(out) {
		open, end = "\x1b[1m", "\x1b[0m"
	}
	for i, h := range r.Hits {
		columns := []string{fmt.Sprintf("%3d", i+1), h.SentAt.Format(time.DateOnly)}
		for _, c := range []string{h.Sender, h.Subject} {
			if c = oneLine(c); c != "" {
				columns = append(columns, c)
			}
		}
		h.Snippet.Text = visible(h.Snippet.Text)
		fmt.Fprintf(out, "%s\n     %s\n     conversation %s\n", strings.Join(columns, "  "), h.Snippet.Mark(open, end), h.Conversation)
	}
	fmt.Fprintf(out, "%s in %.1f ms\n", many(int64(len(r.Hits)), "hit"), r.Milliseconds)
	if r.Next != "" {
		fmt.Fprintf(out, "there are more: --after %s\n", r.Next)
	}
	return nil
}

// visible replaces control characters, byte for byte: the places of a snippet's words stay.
func visible(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	// U+0080 to U+009F are two bytes each, and control a terminal too.
	for i := 0; i+1 < len(b); i++ {
		if b[i] == 0xc2 && b[i+1] >= 0x80 && b[i+1] < 0xa0 {
			b[i], b[i+1] = ' ', ' '
		}
	}
	return string(b)
}
