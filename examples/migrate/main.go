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

const usage = `Usage: migrate -db DATABASE [flags] COMMAND

Commands:
  up          bring the database to the newest version
  down        take the newest migration back, with its data
  to N        go up or down to version N; 0 removes all tables and their data
  status      list the migrations and when they ran
  verify      compare the tables with what the migrations make; exit 1 where they differ
  sql [DIR]   print the SQL, or write it as files into DIR; touches no database
  new DIR NAME
              write an empty migration of your own into DIR; touches no database

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
	// errFindings does the same for preflight.
	errFindings = errors.New("the tables cannot be distributed as they are")
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
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

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	c, err := parse(args, errs)
	if err != nil {
		return err
	}
	switch c.command {
	case "sql":
		return c.writeSQL(out)
	case "new":
		return c.newPair(out)
	}
	c.options.OnEvent = func(e migrate.Event) { fmt.Fprintln(errs, e) }
	db, err := open(ctx, c.db, c.creates())
	if err != nil {
		return err
	}
	defer db.close()
	switch c.command {
	case "status":
		return c.status(ctx, db, out)
	case "verify":
		return verify(ctx, db, c.options, out)
	case "preflight":
		return preflight(ctx, db, c.options, c.arguments, out)
	}
	if err := c.change(ctx, db); err != nil {
		return err
	}
	return c.version(ctx, db, out)
}

// version prints how far the migrations are.
func (c *command) version(ctx context.Context, db database, out io.Writer) error {
	if c.own.Name != "" {
		return c.status(ctx, db, out)
	}
	version, err := migrate.Version(ctx, db.DB, c.options)
	if err == nil {
		fmt.Fprintf(out, "version %d of %d\n", version, migrate.Latest())
	}
	return err
}

// change runs a command that changes the database.
func (c *command) change(ctx context.Context, db database) error {
	if c.own.Name != "" {
		return c.changeOwn(ctx, db)
	}
	switch c.command {
	case "up":
		return migrate.Up(ctx, db.DB, c.options)
	case "down":
		return migrate.Down(ctx, db.DB, c.options)
	case "to":
		return c.to(ctx, db)
	case "distribute":
		return migrate.Distribute(ctx, db.DB, c.options, migrate.DistributeOptions{Shards: c.shards})
	}
	return migrate.Undistribute(ctx, db.DB, c.options)
}

// changeOwn is change for the host's migrations. Its up migrates the library's tables before.
func (c *command) changeOwn(ctx context.Context, db database) error {
	switch c.command {
	case "up":
		return c.own.Up(ctx, db.DB, c.options)
	case "down":
		return c.own.Down(ctx, db.DB, c.options)
	case "to":
		version, err := c.target()
		if err != nil {
			return err
		}
		return c.own.DownTo(ctx, db.DB, c.options, version)
	}
	return fmt.Errorf("%w: -own is not for %s", errUsage, c.command)
}

// to migrates up and down to a version: only one of the two has something to do.
func (c *command) to(ctx context.Context, db database) error {
	version, err := c.target()
	if err != nil {
		return err
	}
	if err := migrate.UpTo(ctx, db.DB, c.options, version); err != nil {
		return err
	}
	return migrate.DownTo(ctx, db.DB, c.options, version)
}

func (c *command) target() (int64, error) {
	version, err := strconv.ParseInt(c.arguments[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: to wants a version, such as: to 1", errUsage)
	}
	return version, nil
}
