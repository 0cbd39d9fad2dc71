// Command migrate shows what a service does at its start, and what its operators look at: it brings the
// tables up to date, lists the migrations and looks whether somebody has changed the tables. The command
// cmd/convostore does all of this, and more, for every database.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store/sqlite"
)

func main() {
	file := flag.String("db", "chat.db", "the SQLite `file`, made if it is missing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *file, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, out io.Writer) error {
	// Any handle will do that the service has already.
	db, err := gorm.Open(sqlite.Dialector("file:"+file+"?_foreign_keys=on&_busy_timeout=5000"), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return err
	}
	if pool, err := db.DB(); err == nil {
		defer func() { _ = pool.Close() }() // everything below commits by itself
	}
	// The options belong to the database: every call gets the same ones.
	o := migrate.Options{Prefix: "chat_", OnEvent: func(e migrate.Event) { fmt.Fprintln(out, e) }}
	// Any number of processes may call Up at once; the first one does it, the others wait.
	if err := migrate.Up(ctx, db, o); err != nil {
		return err
	}
	steps, err := migrate.Status(ctx, db, o)
	if err != nil {
		return err
	}
	for _, s := range steps {
		fmt.Fprintf(out, "%d %s, applied: %v\n", s.Version, s.Name, s.AppliedAt != nil)
	}
	return mend(ctx, db, o, out)
}

// mend looks for what a host's AutoMigrate or somebody's SQL has changed, and mends what can be mended
// without losing data.
func mend(ctx context.Context, db *gorm.DB, o migrate.Options, out io.Writer) error {
	drifts, err := migrate.Verify(ctx, db, o)
	if err != nil {
		return err
	}
	for _, d := range drifts {
		fmt.Fprintln(out, "differs:", d)
	}
	mended, err := migrate.Repair(ctx, db, o)
	fmt.Fprintf(out, "%d differences, %d mended\n", len(drifts), len(mended))
	return err
}
