package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gorm.io/gorm"

	"github.com/convostore/convostore/migrate"
)

// migrator is what the commands of migrate share.
type migrator struct {
	*app
	options migrate.Options
	// host is the directory of the host's own migrations, empty if there are none, and hostName
	// the name under which they are recorded.
	host, hostName string
	users, leads   string
	yes, goose     bool
	shards         int
}

func newMigrate(a *app) *cobra.Command {
	m := &migrator{app: a}
	c := group(&cobra.Command{
		Use:   "migrate",
		Short: "Make, upgrade, check and mend the tables",
		Long: `Makes and upgrades the tables, shows which migrations ran, checks that nobody has changed the tables
since, and mends them.

Give every command the same flags: they belong to the database. With --host, migrations of your own
run after the library's; they are numbered from 1000 and recorded apart.`,
		Example: `  convostore migrate up --database chat.db
  convostore migrate status --database chat.db
  convostore migrate verify --database chat.db`,
	})
	f := c.PersistentFlags()
	f.StringVar(&m.host, "host", "", "a directory with migrations of your own, which run after the library's")
	f.StringVar(&m.hostName, "host-name", "host", "the name under which your own are recorded; it never changes")
	f.StringVar(&m.users, "users", "", "your table.column that user_id points to")
	f.StringVar(&m.leads, "leads", "", "your table.column:type:owner that lead_id points to, with the column of its user")
	f.IntVar(&m.options.Dimensions, "dimensions", 0, "the length of an embedding (default 1536)")
	f.BoolVar(&m.options.WithoutPgvector, "without-pgvector", false, "keep embeddings as text (PostgreSQL)")
	f.BoolVar(&m.options.WithoutFullText, "without-full-text", false, "make no index of words")
	f.BoolVar(&m.options.Trigrams, "trigrams", false, "make indexes for parts of words (PostgreSQL)")
	c.AddCommand(m.up(), m.down(), m.to(), m.status(), m.verify(), m.repair(), m.newPair(), m.sql(),
		m.preflight(), m.distribute(), m.undistribute())
	return c
}

// confirms adds the flag of a command that destroys.
func (m *migrator) confirms(f *pflag.FlagSet) { f.BoolVar(&m.yes, "yes", false, "do not ask") }

// on runs a command on the database. Only one that creates may do so to an SQLite file.
func (m *migrator) on(ctx context.Context, creates bool, do func(*gorm.DB) error) error {
	at, err := m.address()
	if err != nil {
		return err
	}
	if !creates {
		if err := at.There(); err != nil {
			return err
		}
	}
	if err := m.read(); err != nil {
		return err
	}
	db, closeAll, err := at.Handle(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
	return do(db)
}

// read puts the flags into the options.
func (m *migrator) read() error {
	m.options.Prefix, m.options.Schema = m.prefix, m.schema
	if m.users != "" {
		m.options.Users = column(m.users)
	}
	if m.leads != "" {
		name, rest, _ := strings.Cut(m.leads, ":")
		m.options.Leads = column(name)
		m.options.Leads.Type, m.options.Leads.Owner, _ = strings.Cut(rest, ":")
	}
	m.options.OnEvent = func(e migrate.Event) { fmt.Fprintln(m.errs, e) }
	if m.host == "" {
		return nil
	}
	_, err := os.ReadDir(m.host)
	return err // or a misspelt directory would be one without migrations
}

// column parses "users", "users.id" and "crm.users.id".
func column(name string) *migrate.Ref {
	if i := strings.LastIndex(name, "."); i >= 0 {
		return &migrate.Ref{Table: name[:i], Column: name[i+1:]}
	}
	return &migrate.Ref{Table: name}
}

// own is the host's own migrations.
func (m *migrator) own() migrate.Host { return migrate.Host{Name: m.hostName, Files: os.DirFS(m.host)} }

func (m *migrator) up() *cobra.Command {
	return &cobra.Command{
		Use: "up", Short: "Bring the database to the newest version", Args: none,
		Long: `Brings the database to the newest version of this command, and with --host to the newest of your own.
A missing SQLite file is made. Each step is printed as soon as it is done, and on PostgreSQL who is in
the way of one that waits. It may run in any number of processes at once.`,
		Example: `  convostore migrate up --database chat.db
  convostore migrate up --database postgres://app:secret@localhost/crm --schema chat`,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.on(c.Context(), true, func(db *gorm.DB) error {
				if m.host != "" {
					if err := m.own().Up(c.Context(), db, m.options); err != nil {
						return err
					}
				} else if err := migrate.Up(c.Context(), db, m.options); err != nil {
					return err
				}
				return m.printVersion(c.Context(), db)
			})
		},
	}
}

// version is the result of a command that migrates.
type version struct {
	Version int64 `json:"version"`
	Latest  int64 `json:"latest"`
}

func (m *migrator) printVersion(ctx context.Context, db *gorm.DB) error {
	at, err := migrate.Version(ctx, db, m.options)
	if err != nil {
		return err
	}
	v := version{at, migrate.Latest()}
	return m.print(v, func(out io.Writer) error {
		_, err := fmt.Fprintf(out, "version %d of %d\n", v.Version, v.Latest)
		return err
	})
}

func (m *migrator) down() *cobra.Command {
	c := &cobra.Command{
		Use: "down", Short: "Take the newest migration back, with its data", Args: none,
		Long: `Takes the newest migration back and drops the data in its tables; with --host the newest of your own.
It asks first, or wants --yes.`,
		Example: `  convostore migrate down --database chat.db --yes`,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.on(c.Context(), false, func(db *gorm.DB) error { return m.takeBack(c.Context(), db) })
		},
	}
	m.confirms(c.Flags())
	return c
}

func (m *migrator) takeBack(ctx context.Context, db *gorm.DB) error {
	what, back := "the newest migration of the library", migrate.Down
	if m.host != "" {
		what, back = "the newest migration of "+m.hostName, m.own().Down
	}
	if err := m.confirm(m.yes, fmt.Sprintf("This takes %s back and drops the data in its tables.", what)); err != nil {
		return err
	}
	if err := back(ctx, db, m.options); err != nil {
		return err
	}
	return m.printVersion(ctx, db)
}

func (m *migrator) to() *cobra.Command {
	c := &cobra.Command{
		Use: "to VERSION", Short: "Go up or down to a version", Args: arguments(1, 1, "a version, such as 1"),
		Long: `Goes up or down to a version of the library's own migrations; 0 removes all tables and their data. A way
down asks first, or wants --yes. Your own migrations are taken back with "down".`,
		Example: `  convostore migrate to 1 --database chat.db --yes`,
		RunE: func(c *cobra.Command, args []string) error {
			to, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is no version, such as 1", args[0])
			}
			if m.host != "" {
				return usagef("--host: to is for the library's own versions; take yours back with down")
			}
			return m.on(c.Context(), true, func(db *gorm.DB) error { return m.moveTo(c.Context(), db, to) })
		},
	}
	m.confirms(c.Flags())
	return c
}

// moveTo migrates up and down to a version: only one of the two has something to do.
func (m *migrator) moveTo(ctx context.Context, db *gorm.DB, to int64) error {
	at, err := migrate.Version(ctx, db, m.options)
	if err != nil {
		return err
	}
	if to < at && to >= 0 {
		what := fmt.Sprintf("This takes the migrations %d to %d back and drops the data in their tables.", to+1, at)
		if to == 0 {
			what = "This removes all tables of convostore with everything in them."
		}
		if err := m.confirm(m.yes, what); err != nil {
			return err
		}
	}
	if err := migrate.UpTo(ctx, db, m.options, to); err != nil {
		return err
	}
	if err := migrate.DownTo(ctx, db, m.options, to); err != nil {
		return err
	}
	return m.printVersion(ctx, db)
}

func (m *migrator) newPair() *cobra.Command {
	return &cobra.Command{
		Use: "new NAME", Short: "Write an empty migration of your own", Args: arguments(1, 1, "a name, such as add_notes"),
		Long: `Writes an empty pair of files for a migration of your own into --host, with a comment that explains what
may stand in them. It touches no database.`,
		Example: `  convostore migrate new add_notes --host migrations`,
		RunE: func(_ *cobra.Command, args []string) error {
			if m.host == "" {
				return usagef("--host, the directory of your migrations, is missing")
			}
			up, down, err := migrate.NewPair(m.host, args[0])
			if err != nil {
				return err
			}
			return m.print(map[string]string{"up": up, "down": down}, func(out io.Writer) error {
				_, err := fmt.Fprintf(out, "%s\n%s\n", up, down)
				return err
			})
		},
	}
}

func (m *migrator) distribute() *cobra.Command {
	c := &cobra.Command{
		Use: "distribute", Short: "Spread the tables over the nodes of a Citus cluster", Args: none,
		Long: `Spreads the tables over the nodes of a Citus cluster, by user_id. All rows move in one transaction, while
nobody can read or write them. "preflight" lists what would prevent it.`,
		Example: `  convostore migrate distribute --database postgres://app:secret@coordinator/crm --shards 32`,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.on(c.Context(), false, func(db *gorm.DB) error {
				if err := migrate.Distribute(c.Context(), db, m.options, migrate.DistributeOptions{Shards: m.shards}); err != nil {
					return err
				}
				return m.printVersion(c.Context(), db)
			})
		},
	}
	c.Flags().IntVar(&m.shards, "shards", 0, "into how many parts (default the server's citus.shard_count)")
	return c
}

func (m *migrator) undistribute() *cobra.Command {
	return &cobra.Command{
		Use: "undistribute", Short: "Bring the tables of a Citus cluster back to the coordinator", Args: none,
		Long:    `Brings the tables of a Citus cluster back to the coordinator, in one transaction.`,
		Example: `  convostore migrate undistribute --database postgres://app:secret@coordinator/crm`,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.on(c.Context(), false, func(db *gorm.DB) error {
				if err := migrate.Undistribute(c.Context(), db, m.options); err != nil {
					return err
				}
				return m.printVersion(c.Context(), db)
			})
		},
	}
}

// leftOver returns what a repair could not mend.
func leftOver(err error) ([]migrate.Unmended, error) {
	var left *migrate.RepairError
	if errors.As(err, &left) {
		return left.Left, nil
	}
	return nil, err
}
