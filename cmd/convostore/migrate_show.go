package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"gorm.io/gorm"

	"github.com/convostore/convostore/cmd/convostore/internal/database"
	"github.com/convostore/convostore/migrate"
)

// step is a migration in a list.
type step struct {
	// Of is empty for the library's own.
	Of        string     `json:"of,omitempty"`
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	AppliedAt *time.Time `json:"applied_at"`
}

func (m *migrator) status() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "List the migrations and when they ran", Args: none,
		Long:    `Lists the library's migrations, with --host your own after them, and when each ran.`,
		Example: `  convostore migrate status --database chat.db`,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.on(c.Context(), false, func(db *gorm.DB) error {
				all, err := m.steps(c.Context(), db)
				if err != nil {
					return err
				}
				return m.print(all, func(out io.Writer) error { return printSteps(out, all) })
			})
		},
	}
}

func (m *migrator) steps(ctx context.Context, db *gorm.DB) (all []step, err error) {
	add := func(of string, steps []migrate.Step) {
		for _, s := range steps {
			all = append(all, step{of, s.Version, s.Name, s.AppliedAt})
		}
	}
	steps, err := migrate.Status(ctx, db, m.options)
	add("", steps)
	if err == nil && m.host != "" {
		steps, err = m.own().Status(ctx, db, m.options)
		add(m.hostName, steps)
	}
	return all, err
}

func printSteps(out io.Writer, all []step) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VERSION\tNAME\tAPPLIED")
	of := ""
	for _, s := range all {
		if s.Of != of {
			of = s.Of
			fmt.Fprintf(table, "OF %s\t\t\n", strings.ToUpper(of))
		}
		applied := "-"
		if s.AppliedAt != nil {
			applied = s.AppliedAt.Format(time.DateTime) + " UTC"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\n", s.Version, s.Name, applied)
	}
	return table.Flush()
}

// drift is a difference in a list.
type drift struct {
	Kind   string `json:"kind"`
	Object string `json:"object"`
	Name   string `json:"name"`
	Want   string `json:"want,omitempty"`
	Got    string `json:"got,omitempty"`
}

func drifts(all []migrate.Drift) []drift {
	list := make([]drift, len(all))
	for i, d := range all {
		list[i] = drift(d)
	}
	return list
}

func (m *migrator) verify() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Compare the tables with what the migrations make", Args: none,
		Long: `Compares the tables with what the migrations make, and lists what differs. It exits with 1 where
something does. It needs the right to create tables: the migrations run once more, under another
prefix, in a transaction that is rolled back.`,
		Example: `  convostore migrate verify --database chat.db`,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.on(c.Context(), false, func(db *gorm.DB) error {
				found, err := migrate.Verify(c.Context(), db, m.options)
				if err != nil {
					return err
				}
				return m.printFindings(drifts(found), texts(found))
			})
		},
	}
}

// texts returns the lines of findings.
func texts[T fmt.Stringer](all []T) []string {
	lines := make([]string, len(all))
	for i, one := range all {
		lines[i] = one.String()
	}
	return lines
}

// printFindings prints ok where there is none, and otherwise makes the command exit with 1.
func (m *migrator) printFindings(result any, lines []string) error {
	err := m.print(result, func(out io.Writer) error {
		if len(lines) == 0 {
			lines = []string{"ok"}
		}
		_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
		return err
	})
	if err == nil && len(lines) > 0 && lines[0] != "ok" {
		return errFindings
	}
	return err
}

// repaired is the result of a repair.
type repaired struct {
	Mended []drift    `json:"mended"`
	Left   []unmended `json:"left"`
}

type unmended struct {
	drift
	Why  string   `json:"why"`
	Rows []string `json:"rows,omitempty"`
}

func (m *migrator) repair() *cobra.Command {
	return &cobra.Command{
		Use: "repair", Short: "Mend what verify lists, as far as that loses no data", Args: none,
		Long: `Mends what verify lists, as far as that loses no data, and says why it cannot mend the rest. It exits
with 1 where something is left.`,
		Example: `  convostore migrate repair --database chat.db`,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.on(c.Context(), false, func(db *gorm.DB) error {
				mended, err := migrate.Repair(c.Context(), db, m.options)
				left, err := leftOver(err)
				if err != nil {
					return err
				}
				return m.printRepaired(mended, left)
			})
		},
	}
}

func (m *migrator) printRepaired(mended []migrate.Drift, left []migrate.Unmended) error {
	r := repaired{Mended: drifts(mended), Left: []unmended{}}
	for _, u := range left {
		r.Left = append(r.Left, unmended{drift(u.Drift), u.Why, u.Rows})
	}
	err := m.print(r, func(out io.Writer) error {
		for _, d := range mended {
			fmt.Fprintln(out, "mended:", d)
		}
		for _, u := range left {
			fmt.Fprintf(out, "left: %s: %s\n", u.Drift, u.Why)
			for _, row := range u.Rows {
				fmt.Fprintln(out, "  row", row)
			}
		}
		if len(mended)+len(left) == 0 {
			fmt.Fprintln(out, "ok")
		}
		return nil
	})
	if err == nil && len(left) > 0 {
		return errFindings
	}
	return err
}

// finding is why a table cannot be distributed.
type finding struct {
	Table  string `json:"table"`
	Object string `json:"object,omitempty"`
	Rule   string `json:"rule"`
	Advice string `json:"advice"`
}

func (m *migrator) preflight() *cobra.Command {
	return &cobra.Command{
		Use: "preflight [TABLE...]", Short: "List what would keep the tables from being distributed", Args: cobra.ArbitraryArgs,
		Long: `Lists what would keep the tables, and these of yours, from being distributed over a Citus cluster by
user_id, on any PostgreSQL. It exits with 1 where there is something.`,
		Example: `  convostore migrate preflight --database postgres://app:secret@coordinator/crm notes crm.tasks`,
		RunE: func(c *cobra.Command, args []string) error {
			return m.on(c.Context(), false, func(db *gorm.DB) error {
				found, err := migrate.Preflight(c.Context(), db, m.options, args...)
				if err != nil {
					return err
				}
				list := make([]finding, len(found))
				for i, f := range found {
					list[i] = finding(f)
				}
				return m.printFindings(list, texts(found))
			})
		},
	}
}

func (m *migrator) sql() *cobra.Command {
	c := &cobra.Command{
		Use: "sql [DIR]", Short: "Print the SQL, or write it as files", Args: arguments(0, 1, ""),
		Long: `Prints the SQL of the migrations, or writes the files for golang-migrate and atlas into DIR, with --goose
those for goose. It overwrites none and touches no database: --database says only whose SQL it is.
The files record their versions as up does, so that each way can continue after the other.`,
		Example: `  convostore migrate sql --database chat.db
  convostore migrate sql --database postgres://localhost/crm --goose migrations`,
		RunE: func(_ *cobra.Command, args []string) error {
			at, err := m.address()
			if err != nil {
				return err
			}
			if err := m.read(); err != nil {
				return err
			}
			return m.writeSQL(at, args)
		},
	}
	c.Flags().BoolVar(&m.goose, "goose", false, "files for goose instead of pairs of up and down")
	return c
}

func (m *migrator) writeSQL(at database.Address, args []string) error {
	format, dialect := migrate.FormatUpDown, "sqlite"
	if m.goose {
		format = migrate.FormatGoose
	}
	if at.Postgres() {
		dialect = "postgres"
	}
	files, err := migrate.FS(dialect, m.options, format)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		return os.CopyFS(args[0], files)
	}
	return m.printSQL(files)
}

// printSQL prints the ways up.
func (m *migrator) printSQL(files fs.FS) error {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return err
	}
	texts := map[string]string{}
	var all strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name, ".down.sql") {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		texts[name] = string(text)
		fmt.Fprintf(&all, "-- %s\n%s\n", name, text)
	}
	return m.print(texts, func(out io.Writer) error {
		_, err := io.WriteString(out, all.String())
		return err
	})
}
