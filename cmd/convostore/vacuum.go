package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/convostore/convostore/cmd/convostore/internal/bar"
	"github.com/convostore/convostore/store"
)

// vacuumer is the command vacuum.
type vacuumer struct {
	*app
	full, reindex, search bool
}

// vacuumed is its result.
type vacuumed struct {
	Did          []string `json:"did"`
	Milliseconds int64    `json:"milliseconds"`
}

func newVacuum(a *app) *cobra.Command {
	v := &vacuumer{app: a}
	c := &cobra.Command{
		Use: "vacuum", Short: "Give the space of removed rows back, refresh statistics, rebuild indexes", Args: none,
		Long: `Makes the space of removed rows available and refreshes the statistics of the query planner. On SQLite it merges the
index of words, in which erased words stay until then, and blocks writers meanwhile; on PostgreSQL it blocks nobody.

--full rewrites the tables and gives their space back to the operating system, so that no byte of an erased row is
left. It locks the tables and needs as much free disk as they take: it is for a maintenance window.`,
		Example: `  convostore vacuum --database chat.db
  convostore vacuum --database chat.db --full --reindex --search`,
		RunE: func(c *cobra.Command, _ []string) error { return v.run(c.Context()) },
	}
	f := c.Flags()
	f.BoolVar(&v.full, "full", false, "rewrite the tables")
	f.BoolVar(&v.reindex, "reindex", false, "also rebuild the indexes of the database")
	f.BoolVar(&v.search, "search", false, "also make the index of words anew")
	return c
}

func (v *vacuumer) run(ctx context.Context) error {
	return v.withStore(ctx, func(st store.Store) error {
		m, begun, r := st.AllUsers().Maintenance(), time.Now(), vacuumed{}
		show := bar.Show(v.errs, "texts")
		for _, step := range []struct {
			name  string
			asked bool
			do    func(context.Context) error
		}{
			{"vacuum", !v.full, m.Vacuum},
			{"vacuum full", v.full, m.VacuumFull},
			{"reindex", v.reindex, m.Reindex},
			{"search", v.search, func(ctx context.Context) error {
				return m.ReindexSearch(ctx, func(p store.SearchProgress) { show("reading", int(p.Done), int(p.Total)) })
			}},
		} {
			if !step.asked {
				continue
			}
			if err := step.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", step.name, err)
			}
			r.Did = append(r.Did, step.name)
		}
		r.Milliseconds = time.Since(begun).Milliseconds()
		return v.print(r, func(out io.Writer) error {
			for _, name := range r.Did {
				fmt.Fprintf(out, "%s: done\n", name)
			}
			return nil
		})
	})
}
