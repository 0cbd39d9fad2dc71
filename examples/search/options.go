package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/examples/search/openai"
	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/mailbox/mailimport"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// errUsage makes the program exit with 2, as flag does.
var errUsage = errors.New("bad usage, see -help")

// options are the flags of the command line.
type options struct {
	db, dsn string
	user    uuid.UUID
	// mine are the addresses whose mail went out.
	mine, paths, queries []string

	embedder store.Embedder
	// dimensions is the length of the vectors in a new database.
	dimensions, limit int
	mode              store.SimilarMode
}

const usage = `usage: search [flags] [PATH…]
Imports the mail under the PATHs (mbox files, Maildir folders, single mails), embeds what
has no vector yet, and answers what is typed; "help" lists what that can be.

The embedder is a hash of words and their parts, unless -openai names a service. It is no
language model: it finds shared words and word parts, and knows nothing of meaning.

`

var modes = map[string]store.SimilarMode{
	"auto": store.SearchAuto, "exact": store.SearchExact, "approximate": store.SearchApproximate,
}

func parseFlags(args []string, errs io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("search", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.db, "db", "mail.db", "the SQLite `file`, made if it is missing")
	flags.StringVar(&o.dsn, "postgres", "", "the `address` of a PostgreSQL database with pgvector, instead of -db")
	user := flags.String("user", "me", "the `name` of the user whose mail it is")
	me := flags.String("me", "", "the user's own `addresses`, separated by commas: mail from them is outbound")
	flags.Func("q", "answer this `query` and end; may be given several times", func(q string) error {
		o.queries = append(o.queries, q)
		return nil
	})
	flags.IntVar(&o.limit, "n", 10, "the most hits of an answer")
	flags.IntVar(&o.dimensions, "dimensions", 1536, "the length of the vectors, for a new database")
	flags.Func("mode", "compare vectors `how`: auto (default), exact or approximate", func(name string) error {
		mode, ok := modes[name]
		if !ok {
			return errors.New("not auto, exact or approximate")
		}
		o.mode = mode
		return nil
	})
	base := flags.String("openai", "", "embed with the service at this `address`, such as https://api.openai.com/v1; the key is in OPENAI_API_KEY")
	model := flags.String("model", "text-embedding-3-small", "the service's `name` of the model")
	shorten := flags.Bool("shorten", false, "ask the service for vectors of -dimensions, where the model has longer ones")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return o, err
	case err != nil:
		return o, errUsage // flag has printed what was wrong
	}
	o.user, o.paths = mailimport.UserID(*user), flags.Args()
	o.mine = strings.FieldsFunc(*me, func(r rune) bool { return r == ',' || r == ' ' })
	err = o.check()
	if err == nil {
		err = o.setEmbedder(*base, *model, *shorten)
	}
	if err != nil {
		fmt.Fprintln(errs, "search:", err)
		return o, errUsage
	}
	return o, nil
}

func (o *options) check() error {
	if o.limit < 1 || o.limit > store.MaxLimit {
		return fmt.Errorf("-n is not 1 to %d", store.MaxLimit)
	}
	if o.dimensions < 1 {
		return errors.New("-dimensions is not 1 or more")
	}
	return nil
}

func (o *options) setEmbedder(base, model string, shorten bool) (err error) {
	if base == "" {
		o.embedder = embedtest.New(o.dimensions)
		return nil
	}
	c := openai.Config{BaseURL: base, Key: os.Getenv("OPENAI_API_KEY"), Model: model}
	if shorten {
		c.Dimensions = o.dimensions
	}
	o.embedder, err = openai.New(c)
	return err
}

func (o *options) open(ctx context.Context) (store.Store, error) {
	with := []convostore.Option{
		convostore.WithMigrate(migrate.Options{Dimensions: o.dimensions}), convostore.WithEmbedder(o.embedder),
	}
	if o.dsn != "" {
		return postgres.Open(ctx, o.dsn, with...)
	}
	// Somebody sits here and asks again and again.
	return sqlite.Open(ctx, o.db, append(with, convostore.WithCodesInMemory())...)
}
