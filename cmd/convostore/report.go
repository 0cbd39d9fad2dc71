package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/cmd/convostore/internal/report"
	"github.com/convostore/convostore/store"
)

// reporter is the command report.
type reporter struct {
	*app
	user, since, before, zone, html string
	leads                           leadFlags
	top                             int
}

// leadFlags name the host's table of leads.
type leadFlags struct {
	table    store.HostTable
	category string
}

func (l *leadFlags) add(f *pflag.FlagSet) {
	f.StringVar(&l.table.Name, "leads", "", "your table of leads")
	f.StringVar(&l.table.Key, "lead-key", "", "its column that lead_id points to (default id)")
	f.StringVar(&l.table.Owner, "lead-owner", "", "its column with the user, without which one user has no names of leads")
	f.StringVar(&l.table.Title, "lead-title", "", "its column with the lead's name")
	f.StringVar(&l.category, "lead-category", "", "its column by which leads are told apart")
}

// options are those of the store.
func (l *leadFlags) options() ([]convostore.Option, error) {
	if l.table.Name == "" {
		if l.table.Key != "" || l.table.Owner != "" || l.table.Title != "" || l.category != "" {
			return nil, usagef("--leads, the table with these columns, is missing")
		}
		return nil, nil
	}
	if l.category != "" {
		l.table.Columns = []string{l.category}
	}
	return []convostore.Option{convostore.WithLeads(l.table)}, nil
}

func newReport(a *app) *cobra.Command {
	r := &reporter{app: a}
	c := &cobra.Command{
		Use: "report", Short: "Print all reports, or draw them on a page", Args: none,
		Long: `Prints what happened: conversations, messages, response times, what became of suggestions and what they cost. Without
--since it looks at the 30 days that end with --before, or with the newest message. --html also draws a page with
charts that loads nothing and is overwritten if it is there.`,
		Example: `  convostore report --database chat.db
  convostore report --database chat.db --since 2026-03-01 --zone Europe/Berlin --html report.html
  convostore report --database chat.db --leads leads --lead-owner owner --lead-title name`,
		RunE: func(c *cobra.Command, _ []string) error { return r.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&r.html, "html", "", "also draw the reports on a page: the file")
	f.StringVar(&r.user, "user", "", userHelp+" (default everybody)")
	f.StringVar(&r.since, "since", "", "the first day, such as 2026-03-01")
	f.StringVar(&r.before, "before", "", "the day after the last one")
	f.StringVar(&r.zone, "zone", "UTC", "the time zone by which days begin, such as Europe/Berlin")
	f.IntVar(&r.top, "top", 10, "the most rows of a ranking")
	r.leads.add(f)
	return c
}

func (r *reporter) run(ctx context.Context) error {
	o, err := r.options()
	if err != nil {
		return err
	}
	with, err := r.leads.options()
	if err != nil {
		return err
	}
	return r.withStore(ctx, func(st store.Store) error {
		f, err := report.Collect(ctx, scopeOf(st, r.user), o)
		if err != nil {
			return err
		}
		if err := r.print(f.Result(), f.Text); err != nil || r.html == "" {
			return err
		}
		return writePage(r.html, f)
	}, append(with, convostore.WithClock(func() time.Time { return o.Now }))...)
}

func (r *reporter) options() (o report.Options, err error) {
	o = report.Options{Category: r.leads.category, Top: r.top}
	if o.Zone, err = time.LoadLocation(r.zone); err != nil {
		return o, usagef("--zone: %s", err)
	}
	o.Now = r.now().In(o.Zone)
	if o.Since, err = day("--since", r.since, o.Zone); err != nil {
		return o, err
	}
	if o.Before, err = day("--before", r.before, o.Zone); err != nil {
		return o, err
	}
	if r.user != "" && r.user != everybody {
		o.User = userID(r.user)
	}
	switch {
	case r.top < 1 || r.top > store.MaxLimit:
		return o, usagef("--top is not 1 to %d", store.MaxLimit)
	case !o.Since.IsZero() && !o.Before.IsZero() && !o.Since.Before(o.Before):
		return o, usagef("--since is not before --before")
	case o.User != uuid.Nil && r.leads.category != "" && r.leads.table.Owner == "":
		return o, usagef("--lead-owner is missing: without it nobody knows which leads are of --user")
	}
	return o, nil
}

func writePage(path string, f *report.Figures) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Page(io.Writer(file)), file.Close())
}
