package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newRoot(a *app) *cobra.Command {
	root := group(&cobra.Command{
		Use:   "convostore",
		Short: "Show, fill, search and look after a database of conversations",
		Long: `convostore shows, fills, searches, reports on and looks after a database of the library convostore.

The database is an SQLite file or a PostgreSQL database, named by --database or by DATABASE_URL.
Nothing is changed by a command that shows something, and what destroys asks first.`,
		Example: `  convostore demo
  export DATABASE_URL=chat.db
  convostore migrate up
  convostore import --format mail --me ann@example.com ~/Maildir
  convostore serve`,
		SilenceErrors: true, SilenceUsage: true,
	})
	f := root.PersistentFlags()
	f.StringVarP(&a.database, "database", "d", "", "an SQLite file, or postgres://user:password@host/name (default $"+databaseURL+")")
	f.StringVar(&a.prefix, "prefix", "", "what stands before the name of every table, such as chat_")
	f.StringVar(&a.schema, "schema", "", "the schema of the tables (PostgreSQL)")
	f.BoolVar(&a.json, "json", false, "print the result as JSON")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%s (see %s -h)", err, c.CommandPath())
	})
	root.AddCommand(
		newMigrate(a), newImport(a), newExport(a), newSearch(a), newReport(a),
		newRetain(a), newErase(a), newVacuum(a), newDoctor(a), newDemo(a), newServe(a),
	)
	return root
}

// group makes a command of those below it: by itself it shows its help.
func group(c *cobra.Command) *cobra.Command {
	c.Args = cobra.ArbitraryArgs // or cobra's own error for a name that is none, with another exit code
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		also := c.SuggestionsFor(args[0])
		if len(also) == 0 {
			return usagef("%s has no command %q (see %s -h)", c.CommandPath(), args[0], c.CommandPath())
		}
		return usagef("%s has no command %q: is it %s?", c.CommandPath(), args[0], strings.Join(also, " or "))
	}
	c.SuggestionsMinimumDistance = 2
	return c
}

// arguments takes from least to most arguments, which names says; most below 0 takes any number.
func arguments(least, most int, names string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("%s wants %s (see %s -h)", c.CommandPath(), names, c.CommandPath())
		case most >= 0 && len(args) > most:
			return usagef("%s does not take %q (see %s -h)", c.CommandPath(), args[most], c.CommandPath())
		}
		return nil
	}
}

// none is for commands without arguments.
var none = arguments(0, 0, "")

// many writes a number with its noun.
func many(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		noun = strings.TrimSuffix(noun, "y") + "ie"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
