// Command agents lets convostore and the session stores of two agent kits do the same work
// in turns. It is a module of its own, so that the kits' dependencies come neither into the
// library's nor into the other peers'.
//
// It prints JSON, a line for each sample, for internal/bench to make a table of.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

// options say what is compared.
type options struct {
	// postgres is the DSN of an empty database, or empty for SQLite alone; dir is where
	// the files of SQLite go.
	postgres, dir string
	// sessions is how many one user has, threads how many of them have messages each.
	sessions, threads, messages int
	rounds                      int
	round                       time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.postgres, "postgres", "", "the DSN of an empty PostgreSQL database")
	flag.StringVar(&o.dir, "dir", ".", "the directory of the SQLite files")
	flag.IntVar(&o.sessions, "sessions", 10_000, "how many sessions the user has")
	flag.IntVar(&o.threads, "threads", 20, "how many of them have messages")
	flag.IntVar(&o.messages, "messages", 200, "how many messages those have")
	flag.IntVar(&o.rounds, "rounds", 31, "how often each side does its work")
	flag.DurationVar(&o.round, "round", 100*time.Millisecond, "how long a round of one side takes")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "agents:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	out := json.NewEncoder(os.Stdout)
	return compare(ctx, o, func(s sample) error { return out.Encode(s) })
}
