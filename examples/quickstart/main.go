// Command quickstart stores two conversations in an SQLite file: e-mail with a lead, in which a
// model drafts the answers and a person decides on them, and a chat with tools.
//
//	go run ./examples/quickstart [-db FILE]
//
// Run it again and it continues where it stopped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// userID would come from the host's session. It is fixed here so that a second run finds the
// conversations of the first.
var userID = uuid.MustParse("0192f000-0000-7000-8000-000000000001")

func main() {
	path := flag.String("db", "convostore-quickstart.db", "the SQLite `file`, made if it is missing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *path, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string, out io.Writer) (err error) {
	st, err := sqlite.Open(ctx, path, convostore.WithMigrate(migrate.Options{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()

	// From here on every statement carries this user's id.
	mine := st.ForUser(userID)
	p := printer{out}
	p.line("database", "%s", path)
	if err := leadStory(ctx, mine, p); err != nil {
		return fmt.Errorf("lead thread: %w", err)
	}
	if err := chatStory(ctx, mine, p); err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	return summary(ctx, mine, p)
}

func summary(ctx context.Context, mine store.Scope, p printer) error {
	n, err := mine.Maintenance().Counts(ctx)
	if err != nil {
		return err
	}
	p.title("In the database now")
	p.line("rows", "%s, %s, %s", many(n.Conversations, "conversation"), many(n.Messages, "message"), many(n.Suggestions, "suggestion"))
	p.line("next", "run it again: it goes on from here")
	return nil
}
