package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/store"
)

// doctor is the command doctor.
type doctor struct {
	*app
	deep bool
	st   store.Store
	// statements are those that the calls of the check of plans have sent.
	statements *statements
	result     diagnosis
}

// diagnosis is its result.
type diagnosis struct {
	Database string    `json:"database"`
	Findings []symptom `json:"findings"`
	// Tables are sizes by table, largest first; empty where the database does not tell.
	Tables []store.TableSize `json:"tables"`
}

// symptom is what one check found.
type symptom struct {
	Check string   `json:"check"`
	State severity `json:"state"`
	Says  string   `json:"says"`
	// Advice says what to do, empty if nothing is to be done.
	Advice string `json:"advice,omitempty"`
}

// severity is how bad something is.
type severity string

const (
	fine    severity = "ok"
	unknown severity = "unknown"
	warning severity = "warning"
	failure severity = "failure"
)

func newDoctor(a *app) *cobra.Command {
	d := &doctor{app: a}
	c := &cobra.Command{
		Use: "doctor", Short: "Examine the database and say what to do", Args: none,
		Long: `Examines the database: whether it answers and has the settings and the schema that the library needs, rows whose parent
is gone, deliveries that are overdue, streams whose writer is gone, the index of words, how the usual queries are
planned, indexes that nothing uses, sizes, and space to give back. It changes nothing, and exits with 1 where something
has failed. --deep also compares every definition of the schema and, on SQLite, reads the whole file for damage.`,
		Example: `  convostore doctor --database chat.db
  convostore doctor --database chat.db --deep --json`,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	c.Flags().BoolVar(&d.deep, "deep", false, "also what reads everything")
	return c
}

func (d *doctor) run(ctx context.Context) error {
	d.statements = &statements{}
	return d.withStore(ctx, func(st store.Store) error {
		d.st = st
		d.result = diagnosis{Findings: []symptom{}, Tables: []store.TableSize{}}
		ready := d.ready(ctx)
		for _, check := range d.checks(ready) {
			if err := ctx.Err(); err != nil {
				return err
			}
			check(ctx)
		}
		if err := d.print(d.result, d.text); err != nil {
			return err
		}
		for _, s := range d.result.Findings {
			if s.State == failure {
				return errFindings
			}
		}
		return nil
	}, convostore.WithLogger(d.statements.logger(), 0))
}

// checks are those that make sense: without tables there is nothing more to ask.
func (d *doctor) checks(ready bool) []func(context.Context) {
	if !ready {
		return []func(context.Context){d.pages}
	}
	all := []func(context.Context){
		d.orphans, d.deliveries, d.streams, d.words, d.plans, d.indexes, d.slow, d.sizes, d.pages,
	}
	if d.deep {
		all = append(all, d.drift, d.damage)
	}
	return all
}

// found adds what a check found.
func (d *doctor) found(check string, state severity, says, advice string) {
	d.result.Findings = append(d.result.Findings, symptom{check, state, oneLine(d.hide(says)), advice})
}

func (d *doctor) text(out io.Writer) error {
	fmt.Fprintln(out, d.result.Database)
	for _, s := range d.result.Findings {
		fmt.Fprintf(out, "%-8s %-11s %s\n", s.State, s.Check, s.Says)
		if s.Advice != "" {
			fmt.Fprintf(out, "%20s → %s\n", "", s.Advice)
		}
	}
	for i, t := range d.result.Tables {
		if i == 0 {
			fmt.Fprintf(out, "\n%12s  %9s  %9s  TABLE\n", "ROWS", "TABLE", "INDEXES")
		}
		if t.Total > 0 {
			fmt.Fprintf(out, "%12d  %9s  %9s  %s\n", t.Rows, bytes(t.Heap), bytes(t.Indexes), t.Table)
		}
	}
	return nil
}

// bytes writes a size as people do.
func bytes(n int64) string {
	const k = 1024
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, unit := float64(n), 0
	for v >= k && unit < len(units)-1 {
		v, unit = v/k, unit+1
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") + " " + units[unit]
}
