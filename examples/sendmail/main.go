// Command sendmail hands what is in the outbox of a store to an SMTP server, and reads the reports
// that come back.
//
//	sendmail [-db FILE] [-smtp HOST:PORT] [-from ADDRESS] [-tls auto|implicit|none] [-once]
//	sendmail [-db FILE] -report < MAIL
//
// As many processes as you like may run at once. With SMTP_USER and SMTP_PASSWORD in the
// environment it logs in. The second form is for the mailbox that the reports go to, for example
// as a pipe in .forward.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/mail"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// channel is the outbox's name for mail.
const channel = "mail"

// options are what the command line says.
type options struct {
	db           string
	server       server
	from         string
	once, report bool
	workers      int
}

func main() {
	o, err := parseFlags(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "sendmail:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, o, os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "sendmail:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string) (options, error) {
	o := options{server: server{user: os.Getenv("SMTP_USER"), password: os.Getenv("SMTP_PASSWORD"), timeout: 30 * time.Second}}
	flags := flag.NewFlagSet("sendmail", flag.ContinueOnError)
	flags.StringVar(&o.db, "db", "mail.db", "the SQLite `file`")
	flags.StringVar(&o.server.address, "smtp", "localhost:25", "the server's `host:port`")
	flags.StringVar(&o.server.tls, "tls", "auto", "auto: STARTTLS where the server has it; implicit: from the first byte; none")
	flags.StringVar(&o.from, "from", "", "the `address` that mail is from, and that reports go to")
	flags.IntVar(&o.workers, "workers", 4, "how many mails to send at once")
	flags.BoolVar(&o.once, "once", false, "end when nothing is due")
	flags.BoolVar(&o.report, "report", false, "read a mail from the standard input that reports what became of another")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("there is an argument too many: %q", flags.Arg(0))
	}
	if o.report {
		return o, nil
	}
	from, err := mail.ParseAddress(o.from)
	if err != nil {
		return o, fmt.Errorf("-from: %w", err)
	}
	o.from = from.Address
	return o, nil
}

func run(ctx context.Context, o options, in io.Reader, out io.Writer) (err error) {
	st, err := sqlite.Open(ctx, o.db, convostore.WithMigrate(migrate.Options{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if o.report {
		return readReport(ctx, st, in, out)
	}
	s := sender{st: st, server: o.server, from: o.from}
	return st.AllUsers().Deliveries().Run(ctx, store.RunOptions{
		Name: "sendmail", Workers: o.workers, Channels: []string{channel}, Timeout: 2 * o.server.timeout, Once: o.once,
	}, s.send)
}
