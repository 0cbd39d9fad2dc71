package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

var (
	// errUsage makes the program exit with 2, as flag does.
	errUsage = errors.New("bad usage")
	// errPrinted is one that flag has told already.
	errPrinted = fmt.Errorf("%w, see above", errUsage)
)

// options are the flags of the command line.
type options struct {
	db, demo, html string
	prefix, schema string
	// user is uuid.Nil for everybody.
	user          uuid.UUID
	since, before time.Time
	zone          *time.Location
	leads         store.HostTable
	category      string
	top           int
	// now is when the program runs: things wait until now.
	now time.Time
}

const usage = `usage: report -db DATABASE [flags]
       report -demo FILE [flags]
Prints what happened in the conversations of a database. Without -since it looks at the 30
days that end with -before, or with the newest message.

`

func parseFlags(args []string, errs io.Writer) (*options, error) {
	o := &options{}
	var user, since, before, zone string
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.db, "db", "", "the `database`: a file of SQLite, or postgres://user:password@host/name")
	flags.StringVar(&o.demo, "demo", "", "first make this `file` of SQLite, with a made-up inbox")
	flags.StringVar(&o.html, "html", "", "also draw the reports on a page: the `file`, overwritten if it is there")
	flags.StringVar(&user, "user", "", "the `UUID` of the user whose conversations count; everybody's by default")
	flags.StringVar(&since, "since", "", "the first `day`, such as 2026-03-01")
	flags.StringVar(&before, "before", "", "the `day` after the last one")
	flags.StringVar(&zone, "zone", "UTC", "the time zone `name` by which days begin, such as Europe/Berlin")
	flags.StringVar(&o.leads.Name, "leads", "", "your `table` of leads")
	flags.StringVar(&o.leads.Key, "lead-key", "", "its `column` that lead_id points to (default id)")
	flags.StringVar(&o.leads.Owner, "lead-owner", "", "its `column` with the user, without which -user has no names of leads")
	flags.StringVar(&o.leads.Title, "lead-title", "", "its `column` with the lead's name")
	flags.StringVar(&o.category, "lead-category", "", "its `column` by which the share of leads that answer is told")
	flags.IntVar(&o.top, "top", 10, "the most rows of a ranking")
	flags.StringVar(&o.prefix, "prefix", "", "stands before the name of every table, as in the migration")
	flags.StringVar(&o.schema, "schema", "", "the schema (PostgreSQL), as in the migration")
	if err := flags.Parse(args); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			err = errPrinted
		}
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("%w: %q is no flag", errUsage, flags.Arg(0))
	}
	err := o.read(user, zone, since, before)
	if err == nil {
		err = o.check()
	}
	return o, err
}

// read parses the flags that package flag has no type for. The zone comes first, because the
// days begin in it.
func (o *options) read(user, zone, since, before string) (err error) {
	if user != "" {
		if o.user, err = uuid.Parse(user); err != nil || o.user == uuid.Nil {
			return fmt.Errorf("%w: -user %q is not the UUID of a user", errUsage, user)
		}
	}
	if o.zone, err = time.LoadLocation(zone); err != nil {
		return fmt.Errorf("%w: -zone: %w", errUsage, err)
	}
	if o.since, err = o.day("-since", since); err != nil {
		return err
	}
	o.before, err = o.day("-before", before)
	return err
}

func (o *options) day(name, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, value, o.zone)
	if err != nil {
		return day, fmt.Errorf("%w: %s %q is not a day such as 2026-03-01", errUsage, name, value)
	}
	return day, nil
}

func (o *options) check() error {
	switch {
	case (o.db == "") == (o.demo == ""):
		return fmt.Errorf("%w: give one of -db and -demo", errUsage)
	case o.top < 1 || o.top > store.MaxLimit:
		return fmt.Errorf("%w: -top is not 1 to %d", errUsage, store.MaxLimit)
	case !o.since.IsZero() && !o.before.IsZero() && !o.since.Before(o.before):
		return fmt.Errorf("%w: -since is not before -before", errUsage)
	case o.demo != "":
		return o.useDemo()
	case o.leads.Name == "" && (o.leads.Key != "" || o.leads.Owner != "" || o.leads.Title != "" || o.category != ""):
		return fmt.Errorf("%w: -leads, the table with these columns, is missing", errUsage)
	case o.user != uuid.Nil && o.category != "" && o.leads.Owner == "":
		return fmt.Errorf("%w: -lead-owner is missing: without it nobody knows which leads are of -user", errUsage)
	}
	if o.category != "" {
		o.leads.Columns = []string{o.category}
	}
	return nil
}

func (o *options) useDemo() error {
	if o.leads.Name != "" || o.prefix != "" || o.schema != "" {
		return fmt.Errorf("%w: -demo brings its own tables", errUsage)
	}
	o.db, o.leads, o.category = o.demo, demoLeads, demoLeads.Columns[0]
	return nil
}
