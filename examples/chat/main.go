// Command chat serves a chat with a language model on one page.
//
//	go run ./examples/chat [-addr 127.0.0.1:8080] [-db FILE | -postgres DSN] [-openai URL -model NAME]
//
// Without -openai a made-up model answers, which needs no network.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(leave(err, os.Stderr))
}

// leave says what went wrong, unless flag has said it already, and returns the code to exit with.
func leave(err error, out io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if !errors.Is(err, errPrinted) {
		fmt.Fprintln(out, "chat:", err)
	}
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

// run serves until ctx ends. Replies that are being written then are kept as far as they have
// come, and marked as interrupted.
func run(ctx context.Context, args []string, out io.Writer) (err error) {
	o, err := parseFlags(args, out)
	if err != nil {
		return err
	}
	st, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "chat: http://%s\n", listener.Addr())
	return newServer(ctx, st, o).serve(ctx, listener)
}
