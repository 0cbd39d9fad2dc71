// Command report shows how the reports of a store are asked for, and what some of them say. The command
// cmd/convostore prints all of them, and draws them on a page.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

func main() {
	file := flag.String("db", "mail.db", "the SQLite `file`, such as examples/importmail makes")
	days := flag.Int("days", 30, "how many `days` until now")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *file, lastDays(time.Now(), *days), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

// lastDays ends with today. Zone is that in which days begin, where a report counts by day.
func lastDays(now time.Time, days int) store.Period {
	y, m, d := now.Date()
	tomorrow := time.Date(y, m, d+1, 0, 0, 0, 0, now.Location())
	return store.Period{Since: tomorrow.AddDate(0, 0, -days), Before: tomorrow, Zone: now.Location()}
}

func run(ctx context.Context, file string, p store.Period, out io.Writer) (err error) {
	if _, err := os.Stat(file); err != nil {
		return err // SQLite would make an empty file
	}
	st, err := sqlite.Open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	// AllUsers is for operators. A user's own page asks st.ForUser(id).Reports().
	r := st.AllUsers().Reports()
	for _, show := range []func(context.Context, store.Reports, store.Period, io.Writer) error{counts, answers, drafts, money} {
		if err := show(ctx, r, p, out); err != nil {
			return err
		}
	}
	return nil
}

func counts(ctx context.Context, r store.Reports, p store.Period, out io.Writer) error {
	sum, err := r.Summary(ctx, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "conversations begun  %d, of which %d need a reply now\n", sum.Live.Total(), sum.Live.NeedsReply)
	days, err := r.DailySeries(ctx, store.Days{Period: p})
	if err != nil {
		return err
	}
	for _, d := range days {
		if d.Messages > 0 {
			fmt.Fprintf(out, "  %s  %d in, %d out\n", d.Date, d.Inbound, d.Outbound)
		}
	}
	return nil
}

func answers(ctx context.Context, r store.Reports, p store.Period, out io.Writer) error {
	t, err := r.ResponseTimes(ctx, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "answers              %d, %d questions open\n", t.Answered, t.Open)
	if t.Answered > 0 { // or there is no median
		fmt.Fprintf(out, "response time        half within %s, nine of ten within %s\n", t.Median.Round(time.Minute), t.P90.Round(time.Minute))
	}
	return nil
}

func drafts(ctx context.Context, r store.Reports, p store.Period, out io.Writer) error {
	models, err := r.SuggestionsByModel(ctx, p)
	for _, m := range models {
		rate, ok := m.ApprovalRate() // not ok: none was made, which is no rate of 0
		fmt.Fprintf(out, "model                %s: %d drafts", m.Model, m.Made)
		if ok {
			fmt.Fprintf(out, ", %.0f %% approved as they stood", 100*rate)
		}
		fmt.Fprintln(out)
	}
	return err
}

func money(ctx context.Context, r store.Reports, p store.Period, out io.Writer) error {
	top, err := r.CostsByConversation(ctx, store.Top{Period: p, Limit: 3})
	for _, c := range top {
		fmt.Fprintf(out, "cost                 %s for %d tokens: %q\n", c.Cost.StringFixed(4), c.Tokens, c.Subject)
	}
	return err
}
