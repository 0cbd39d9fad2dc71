package store

import (
	"slices"

	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
)

// HostTable is a table of the host's that reports read: that of the leads.
type HostTable struct {
	// Name is the table's name, "leads", or on PostgreSQL "crm.leads". Case counts.
	Name string
	// Key is the column that lead ids name; "id" if empty. It must be unique.
	Key string
	// Title is the column with a lead's name, joined into reports; without one titles are
	// empty.
	Title string
	// Columns are those that ResponseRate may be asked for.
	Columns []string
}

// WithLeads names the host's table of leads. Reports read it, nothing writes it. If its
// key has another type than lead_id (see migrate.Options.Leads), PostgreSQL compares both
// as text, for which it reads the whole table.
func WithLeads(t HostTable) Option {
	return func(c *Config) error {
		if t.Key == "" {
			t.Key = "id"
		}
		columns := append([]string{t.Key}, t.Columns...)
		if t.Title != "" {
			columns = append(columns, t.Title)
		}
		if err := naming.CheckHost("leads", t.Name, columns...); err != nil {
			return err
		}
		t.Columns = slices.Clone(t.Columns)
		c.leads = &t
		return nil
	}
}

// column returns the quoted name of a column that reports may group by.
func (t *HostTable) column(name string) (string, error) {
	if t == nil {
		return "", rule.Invalid("column", "is of a table that WithLeads has not named")
	}
	if !slices.Contains(t.Columns, name) {
		return "", rule.Invalid("column", "is not one of those that WithLeads named")
	}
	return naming.Quote(name), nil
}
