package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Text prints all tables. Names come last: tabwriter aligns all columns to the right, except
// a last column that does not end with a tab.
func (f *Figures) Text(out io.Writer) error {
	fmt.Fprintf(out, "%s\n%s\n", f.headline(), f.subtitle())
	for _, t := range f.tables() {
		fmt.Fprintf(out, "\n%s\n", t.Title)
		if len(t.Rows) == 0 {
			fmt.Fprintf(out, "  %s\n", t.Empty)
			continue
		}
		if err := t.print(out); err != nil {
			return err
		}
		if t.Note != "" {
			fmt.Fprintf(out, "  (%s)\n", t.Note)
		}
	}
	return nil
}

func (t table) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, cells []string) {
		fmt.Fprintf(w, "%s\t  %s\n", strings.Join(cells, "\t"), name)
	}
	line(strings.ToUpper(t.Name), upper(t.Columns))
	for _, r := range t.Rows {
		line(r.Name, r.Cells)
	}
	return w.Flush()
}

func upper(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = strings.ToUpper(n)
	}
	return all
}
