// Command telemetry has a small chat on a host's own database handle, and prints the
// spans and the metrics that come of it.
//
//	go run .
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/migrate"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "telemetry:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "telemetry-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	t := newTelemetry()
	db, closeDB, err := t.open(filepath.Join(dir, "chat.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB()) }()

	// The store works on the host's handle, and is traced like the rest of the host.
	st, err := convostore.New(ctx, db, convostore.WithMigrate(migrate.Options{}))
	if err != nil {
		return err
	}
	t.forget() // the migrations
	if err := chat(ctx, t, st); err != nil {
		return err
	}
	t.printSpans(out)
	return t.printMetrics(out)
}
