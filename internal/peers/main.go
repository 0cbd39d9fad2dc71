// Command peers compares a similarity search on SQLite with a database that keeps all
// vectors in memory, on the same vectors. It is a module of its own, so that nothing of
// what it compares with comes into the library's.
//
// It reads a database that internal/bench has filled and prints JSON, see TestSearchFigures
// there.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

// options say what is compared.
type options struct {
	db, model, queries string
	limit, rounds      int
}

func main() {
	var o options
	flag.StringVar(&o.db, "db", "", "the SQLite file with the vectors")
	flag.StringVar(&o.model, "model", "", "the model of the vectors")
	flag.StringVar(&o.queries, "queries", "", "a JSON file with the vectors to look for")
	flag.IntVar(&o.limit, "limit", 10, "how many to find")
	flag.IntVar(&o.rounds, "rounds", 15, "how often each side looks for something")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	text, err := os.ReadFile(o.queries)
	if err != nil {
		return err
	}
	var queries [][]float32
	if err := json.Unmarshal(text, &queries); err != nil {
		return err
	}
	measured, err := compare(ctx, o, queries)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(measured)
}
