// Command importmail puts real mail into a store: mbox files, Maildir folders and trees
// of single mails, sorted into conversations.
//
//	importmail [-db FILE] [-user NAME] [-me ADDRESS] PATH…
//
// You can interrupt it and run it again as often as you like: each mail is stored once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store/sqlite"
)

// options are what the command line says.
type options struct {
	db, user string
	// mine are the addresses whose mail went out.
	mine []string
	rows int
	// all takes drafts, spam and trash too.
	all bool
	// bySubject joins answers that name no mail by their subject.
	bySubject bool
	paths     []string
}

func main() {
	o, err := parseFlags(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err = run(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "importmail:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("importmail", flag.ContinueOnError)
	flags.StringVar(&o.db, "db", "mail.db", "the SQLite `file`, made if it is missing")
	flags.StringVar(&o.user, "user", "me", "the `name` of the user whose mail it is")
	me := flags.String("me", "", "the user's own `addresses`, separated by commas: mail from them is outbound")
	flags.IntVar(&o.rows, "rows", 40, "how many threads to list at the end, 0 for all")
	flags.BoolVar(&o.all, "all", false, "also store drafts, spam and what is in the trash")
	flags.BoolVar(&o.bySubject, "by-subject", false, "join answers that name no mail to the thread of their subject")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: importmail [flags] PATH…\nA PATH is an mbox file, a mail, or a folder with either (Maildir too), also compressed by gzip.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for address := range strings.SplitSeq(*me, ",") {
		if address = strings.TrimSpace(address); address != "" {
			o.mine = append(o.mine, address)
		}
	}
	if o.paths = flags.Args(); len(o.paths) == 0 {
		flags.Usage()
		return o, errors.New("no path")
	}
	return o, nil
}

func run(ctx context.Context, o options, out, progress io.Writer) (err error) {
	st, err := sqlite.Open(ctx, o.db, convostore.WithMigrate(migrate.Options{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()

	user := mailimport.UserID(o.user)
	report, err := mailimport.Import(ctx, st, mailimport.Options{
		UserID: user, Mine: o.mine, Paths: o.paths, All: o.all, BySubject: o.bySubject, Progress: stages(progress),
	})
	// Only now, when the bars are done with the terminal.
	printProblems(out, report.Problems)
	if err != nil {
		return fmt.Errorf("%w; %d mails are stored, run it again for the rest", err, report.Stored)
	}
	if err := printThreads(ctx, out, st, user, o.rows); err != nil {
		return err
	}
	printTotals(out, report)
	return nil
}

// stages prints the end of each stage.
func stages(out io.Writer) func(stage string, done, total int) {
	return func(stage string, done, total int) {
		if done == total {
			fmt.Fprintf(out, "%s: %d mails\n", stage, done)
		}
	}
}
