// Command convostore shows, fills, searches, reports on and looks after a database of convostore.
//
//	convostore demo                  something to click on, in a file that is removed at the end
//	convostore serve                 the inbox over a database
//	convostore migrate up            the tables, up to date
//	convostore help                  everything else
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // --zone works where the system has no zones

	"github.com/convostore/convostore/cmd/convostore/internal/bar"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := &app{
		in: os.Stdin, out: os.Stdout, errs: os.Stderr, getenv: os.Getenv, now: time.Now,
		asks: bar.Terminal(os.Stdin) && bar.Terminal(os.Stderr),
	}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
