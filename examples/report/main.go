// Command report prints the reports of a database, and draws them on an HTML page.
//
//	report -db DATABASE [-html FILE] [flags]
//	report -demo FILE [-html FILE] [flags]
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
	_ "time/tzdata" // -zone works where the system has no zones

	"github.com/convostore/convostore/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, time.Now)
	stop()
	os.Exit(exitCode(err, os.Stderr))
}

// exitCode prints an error. An ErrInvalid of the library was caused by a flag.
func exitCode(err error, errs io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if !errors.Is(err, errPrinted) {
		fmt.Fprintln(errs, "report:", err)
	}
	switch {
	case errors.Is(err, errUsage), errors.Is(err, store.ErrInvalid):
		return 2
	case errors.Is(err, context.Canceled):
		return 130
	}
	return 1
}

func run(ctx context.Context, args []string, out, errs io.Writer, now func() time.Time) (err error) {
	o, err := parseFlags(args, errs)
	if err != nil {
		return err
	}
	o.now = now().In(o.zone)
	if o.demo != "" {
		if err := makeDemo(ctx, o, errs); err != nil {
			return err
		}
	}
	st, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	f, err := collect(ctx, o.scope(st), o)
	if err != nil {
		return err
	}
	if err := printText(out, f); err != nil || o.html == "" {
		return err
	}
	return writePage(o.html, f)
}
