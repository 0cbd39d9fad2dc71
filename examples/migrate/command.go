package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/convostore/convostore/migrate"
)

// errUsage makes the program exit with 2, as flag does.
var errUsage = errors.New("bad usage, see -help")

type command struct {
	db, command string
	arguments   []string
	goose       bool
	shards      int
	options     migrate.Options
	// host is the directory of the host's own migrations, empty if there are none, and hostName
	// the name under which they are recorded.
	host, hostName string
}

// arguments returns the smallest and the largest number of arguments that a command takes.
var arguments = map[string][2]int{
	"up": {0, 0}, "down": {0, 0}, "to": {1, 1}, "status": {0, 0}, "verify": {0, 0}, "repair": {0, 0}, "sql": {0, 1}, "new": {1, 1},
	"preflight": {0, 100}, "distribute": {0, 0}, "undistribute": {0, 0},
}

// databaseURL is the variable of the environment that has the database where -db is not given.
const databaseURL = "DATABASE_URL"

func parse(args []string, getenv func(string) string, errs io.Writer) (command, error) {
	var c command
	flags := flag.NewFlagSet("migrate", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&c.db, "db", "", "the `database`: a file for SQLite, or postgres://user:password@host/name (default $DATABASE_URL)")
	flags.StringVar(&c.host, "host", "", "a `directory` with migrations of your own, which run after the library's")
	flags.StringVar(&c.hostName, "host-name", "host", "the `name` under which your own are recorded; it never changes")
	flags.StringVar(&c.options.Prefix, "prefix", "", "stands before the name of every table, such as chat_")
	flags.StringVar(&c.options.Schema, "schema", "", "the schema (PostgreSQL), made where it is missing")
	flags.IntVar(&c.options.Dimensions, "dimensions", 0, "length of an embedding (default 1536)")
	flags.BoolVar(&c.options.WithoutPgvector, "without-pgvector", false, "keep embeddings as text (PostgreSQL)")
	flags.BoolVar(&c.goose, "goose", false, "sql: files for goose instead of pairs of up and down")
	flags.IntVar(&c.shards, "shards", 0, "distribute: into how many parts (default the server's citus.shard_count)")
	flags.Func("users", "your `table.column` that user_id points to", func(s string) error {
		c.options.Users = column(s)
		return nil
	})
	flags.Func("leads", "your `table.column:type:owner` that lead_id points to, with the column of its user (type text by default)", func(s string) error {
		name, rest, _ := strings.Cut(s, ":")
		c.options.Leads = column(name)
		c.options.Leads.Type, c.options.Leads.Owner, _ = strings.Cut(rest, ":")
		return nil
	})
	if err := flags.Parse(args); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			err = fmt.Errorf("%w", errUsage) // flag has printed what was wrong
		}
		return c, err
	}
	// Not the flag's default, which -help would print with its password.
	c.db = cmp.Or(c.db, getenv(databaseURL))
	err := c.take(flags.Args())
	return c, err
}

// take reads the command and its arguments, which follow the flags.
func (c *command) take(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: no command", errUsage)
	}
	c.command = args[0]
	count, ok := arguments[c.command]
	switch {
	case !ok:
		return fmt.Errorf("%w: no command %q", errUsage, c.command)
	case len(args)-1 < count[0] || len(args)-1 > count[1]:
		return fmt.Errorf("%w: too much or too little after %s; flags stand before the command", errUsage, c.command)
	case c.host == "" && c.command == "new":
		return fmt.Errorf("%w: new needs -host, the directory of your migrations", errUsage)
	case c.host != "" && c.command == "to":
		return fmt.Errorf("%w: to is for the library's own versions; take yours back with down", errUsage)
	case c.db == "" && c.command != "new":
		return fmt.Errorf("%w: -db and $%s are missing", errUsage, databaseURL)
	}
	c.arguments = args[1:]
	if c.host != "" && c.command != "new" {
		if _, err := os.ReadDir(c.host); err != nil {
			return err // or a misspelt directory would be one without migrations
		}
	}
	return c.checkDatabase()
}

// checkDatabase refuses the address of a server that is not PostgreSQL, which would otherwise
// become the name of a file.
func (c *command) checkDatabase() error {
	scheme, _, ok := strings.Cut(c.db, "://")
	if ok && dialect(c.db) == "sqlite" && scheme != "sqlite" && scheme != "sqlite3" && scheme != "file" {
		return fmt.Errorf("%w: %s is neither SQLite nor PostgreSQL", errUsage, scheme)
	}
	return nil
}

// creates says whether the command may create an SQLite file that does not exist.
func (c *command) creates() bool { return c.command == "up" || c.command == "to" }

// column parses "users", "users.id" and "crm.users.id".
func column(name string) *migrate.Ref {
	if i := strings.LastIndex(name, "."); i >= 0 {
		return &migrate.Ref{Table: name[:i], Column: name[i+1:]}
	}
	return &migrate.Ref{Table: name}
}
