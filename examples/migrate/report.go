package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/convostore/convostore/migrate"
)

// status lists the library's migrations, and after them the host's own.
func (c *command) status(ctx context.Context, db database, out io.Writer) error {
	steps, err := migrate.Status(ctx, db.DB, c.options)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VERSION\tNAME\tAPPLIED")
	list(table, steps)
	if c.host != "" {
		if steps, err = c.own().Status(ctx, db.DB, c.options); err != nil {
			return err
		}
		fmt.Fprintf(table, "OF %s\t\t\n", strings.ToUpper(c.hostName))
		list(table, steps)
	}
	return table.Flush()
}

func list(table io.Writer, steps []migrate.Step) {
	for _, s := range steps {
		applied := "-"
		if s.AppliedAt != nil {
			applied = s.AppliedAt.Format(time.DateTime) + " UTC"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\n", s.Version, s.Name, applied)
	}
}

func verify(ctx context.Context, db database, o migrate.Options, out io.Writer) error {
	drifts, err := migrate.Verify(ctx, db.DB, o)
	if err != nil {
		return err
	}
	if len(drifts) == 0 {
		fmt.Fprintln(out, "ok")
		return nil
	}
	for _, d := range drifts {
		fmt.Fprintln(out, d)
	}
	return errDrift
}

// repair prints what was mended, and then what was not and why.
func repair(ctx context.Context, db database, o migrate.Options, out io.Writer) error {
	mended, err := migrate.Repair(ctx, db.DB, o)
	for _, d := range mended {
		fmt.Fprintln(out, "mended:", d)
	}
	var left *migrate.RepairError
	if errors.As(err, &left) {
		for _, u := range left.Left {
			fmt.Fprintf(out, "left: %s: %s\n", u.Drift, u.Why)
			for _, row := range u.Rows {
				fmt.Fprintln(out, "  row", row)
			}
		}
		return errUnmended
	}
	if err == nil && len(mended) == 0 {
		fmt.Fprintln(out, "ok")
	}
	return err
}

func preflight(ctx context.Context, db database, o migrate.Options, tables []string, out io.Writer) error {
	found, err := migrate.Preflight(ctx, db.DB, o, tables...)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		fmt.Fprintln(out, "ok")
		return nil
	}
	for _, f := range found {
		fmt.Fprintln(out, f)
	}
	return errFindings
}

// writePair writes the two files of a new migration of the host's, and prints their names.
func (c *command) writePair(out io.Writer) error {
	up, down, err := migrate.NewPair(c.host, c.arguments[0])
	if err == nil {
		fmt.Fprintf(out, "%s\n%s\n", up, down)
	}
	return err
}

// writeSQL prints the up migrations, or writes all files; it overwrites none.
func (c *command) writeSQL(out io.Writer) error {
	format := migrate.FormatUpDown
	if c.goose {
		format = migrate.FormatGoose
	}
	files, err := migrate.FS(dialect(c.db), c.options, format)
	if err != nil {
		return err
	}
	if len(c.arguments) > 0 {
		return os.CopyFS(c.arguments[0], files)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".down.sql") {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "-- %s\n%s\n", name, text)
	}
	return nil
}
