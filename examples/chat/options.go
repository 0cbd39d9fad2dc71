package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

var (
	// errUsage makes the program exit with 2, as flag does.
	errUsage = errors.New("bad usage")
	// errPrinted is one that flag has told already.
	errPrinted = fmt.Errorf("%w, see above", errUsage)
)

// options are the flags of the command line.
type options struct {
	addr, db, postgres string
	user               string
	private            bool
	openai, model      string
	delay, deadAfter   time.Duration
	budget             int
}

func parseFlags(args []string, out io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("chat", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "the `address` to listen on; there is no login, so keep it on this machine")
	flags.StringVar(&o.db, "db", "chat.db", "the SQLite `file`, made if it is missing")
	flags.StringVar(&o.postgres, "postgres", "", "the `DSN` of PostgreSQL, instead of -db")
	flags.StringVar(&o.user, "user", "demo", "the `name` of the owner whose chats all browsers share")
	flags.BoolVar(&o.private, "private", false, "give each browser chats of its own")
	flags.StringVar(&o.openai, "openai", "", "the base `URL` of a service with OpenAI's API, such as http://localhost:11434/v1; the key is OPENAI_API_KEY")
	flags.StringVar(&o.model, "model", "", "the `name` of the service's model")
	flags.DurationVar(&o.delay, "delay", 40*time.Millisecond, "how long the made-up model takes for a word")
	flags.IntVar(&o.budget, "budget", 16_000, "how many `tokens` of a chat the model is sent at most")
	flags.DurationVar(&o.deadAfter, "dead-after", 10*time.Second, "after what time of silence a reply's writer counts as dead")
	if err := flags.Parse(args); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			err = errPrinted
		}
		return nil, err
	}
	err := o.check(flags.Args())
	return o, err
}

func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%w: %q is no flag", errUsage, rest[0])
	case (o.openai == "") != (o.model == ""):
		return fmt.Errorf("%w: -openai and -model belong together", errUsage)
	case o.user == "":
		return fmt.Errorf("%w: -user is empty", errUsage)
	case o.delay < 0 || o.budget < 1 || o.deadAfter < time.Millisecond:
		return fmt.Errorf("%w: -delay, -budget or -dead-after is too small", errUsage)
	}
	return nil
}

func (o *options) open(ctx context.Context) (store.Store, error) {
	with := []convostore.Option{
		convostore.WithMigrate(migrate.Options{}),
		// What a model says is not refused for a character that no database keeps.
		convostore.WithNULStripped(), convostore.WithInvalidTextReplaced(),
	}
	if o.postgres != "" {
		return postgres.Open(ctx, o.postgres, with...)
	}
	return sqlite.Open(ctx, o.db, with...)
}

func (o *options) newModel() model {
	if o.openai != "" {
		return &openAI{url: o.openai, model: o.model, key: os.Getenv("OPENAI_API_KEY")}
	}
	return &madeUp{delay: o.delay}
}
