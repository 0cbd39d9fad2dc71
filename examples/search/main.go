// Command search finds mail by words, by parts of words and by similarity.
//
//	search [-db FILE] [PATH…]
//
// It imports the mail under the paths, embeds what has no vector yet, and answers the searches
// that you type.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/convostore/convostore/examples/search/openai"
	"github.com/convostore/convostore/mailbox/mailimport"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case errors.Is(err, context.Canceled):
		os.Exit(130)
	default:
		printError(os.Stderr, err)
		os.Exit(1)
	}
}

// printError adds the message of the embedder's server. The error leaves it out because it may
// quote the texts that were sent; the user of this program may see them.
func printError(errs io.Writer, err error) {
	fmt.Fprintln(errs, "search:", mailimport.OneLine(err.Error()))
	var refused *openai.Error
	if errors.As(err, &refused) && refused.Message != "" {
		fmt.Fprintln(errs, "the server says:", mailimport.OneLine(refused.Message))
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) (err error) {
	o, err := parseFlags(args, errs)
	if err != nil {
		return err
	}
	st, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := load(ctx, st, o, errs); err != nil {
		return err
	}
	s := newSession(st.ForUser(o.user), o, out)
	if len(o.queries) > 0 {
		return s.answerAll(ctx, o.queries)
	}
	return s.converse(ctx, in, isTerminal(in))
}
