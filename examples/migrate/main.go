// Migrate creates and upgrades the tables of convostore, and shows and checks them. Copy it
// into a service that runs migrations as a step of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"

	"github.com/convostore/convostore/migrate"
)

const usage = `Usage: migrate [-db DATABASE] [flags] COMMAND

Commands:
  up          bring the database to the newest version, and with -host to yours
  down        take the newest migration back, with its data; with -host the newest of yours
  to N        go up or down to version N; 0 removes all tables and their data
  status      list the migrations and when they ran
  verify      compare the tables with what the migrations make; exit 1 where they differ
  repair      mend what verify lists, as far as that loses no data; exit 1 where something is left
  new NAME    write an empty pair of files for a migration of your own into -host; touches no database
  sql [DIR]   print the SQL, or write it as files into DIR; touches no database

  preflight [TABLE...]
              list what would keep the tables, and these of yours, from being
              distributed by user_id; exit 1 where there is something
  distribute  spread the tables over the nodes of a Citus cluster
  undistribute
              bring them back to the coordinator

Flags:
`

var (
	// errDrift makes verify exit with 1 after its list.
	errDrift = errors.New("the database differs from its migrations")
	// errUnmended does the same for repair.
	errUnmended = errors.New("some differences could not be mended")
	// errFindings does the same for preflight.
	errFindings = errors.New("the tables cannot be distributed as they are")
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out, errs io.Writer) error {
	c, err := parse(args, getenv, errs)
	if err != nil {
		return err
	}
	switch c.command {
	case "sql":
		return c.writeSQL(out)
	case "new":
		return c.writePair(out)
	}
	db, err := open(ctx, c.db, c.creates())
	if err != nil {
		return err
	}
	defer db.close()
	c.options.OnEvent = func(e migrate.Event) { fmt.Fprintln(out, e) }
	switch c.command {
	case "status":
		return c.status(ctx, db, out)
	case "verify":
		return verify(ctx, db, c.options, out)
	case "repair":
		return repair(ctx, db, c.options, out)
	case "preflight":
		return preflight(ctx, db, c.options, c.arguments, out)
	}
	if err := c.change(ctx, db); err != nil {
		return err
	}
	version, err := migrate.Version(ctx, db.DB, c.options)
	if err == nil {
		fmt.Fprintf(out, "version %d of %d\n", version, migrate.Latest())
	}
	return err
}

// change runs a command that changes the database.
func (c *command) change(ctx context.Context, db database) error {
	switch c.command {
	case "up":
		if c.host != "" {
			return c.own().Up(ctx, db.DB, c.options)
		}
		return migrate.Up(ctx, db.DB, c.options)
	case "down":
		if c.host != "" {
			return c.own().Down(ctx, db.DB, c.options)
		}
		return migrate.Down(ctx, db.DB, c.options)
	case "to":
		return to(ctx, db, c.options, c.arguments[0])
	case "distribute":
		return migrate.Distribute(ctx, db.DB, c.options, migrate.DistributeOptions{Shards: c.shards})
	}
	return migrate.Undistribute(ctx, db.DB, c.options)
}

// own is the host's own migrations.
func (c *command) own() migrate.Host {
	return migrate.Host{Name: c.hostName, Files: os.DirFS(c.host)}
}

// to migrates up and down to a version: only one of the two has something to do.
func to(ctx context.Context, db database, o migrate.Options, argument string) error {
	version, err := strconv.ParseInt(argument, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: to wants a version, such as: to 1", errUsage)
	}
	if err := migrate.UpTo(ctx, db.DB, o, version); err != nil {
		return err
	}
	return migrate.DownTo(ctx, db.DB, o, version)
}
