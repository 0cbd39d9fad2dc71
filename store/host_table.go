package store

import (
	"slices"
	"sync/atomic"

	"github.com/convostore/convostore/internal/dialect"
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

// WithLeads names the host's table of leads, which need not be there before the first
// report. Reports read it, nothing writes it. If its key has another type than lead_id
// (see migrate.Options.Leads), PostgreSQL compares both as text, for which it reads the
// whole table. Names that are none are ErrInvalid.
func WithLeads(t HostTable) Option {
	return func(c *Config) error {
		t := t // the option may be applied for several stores at once
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

func (t *HostTable) table() string { return naming.Quote(t.Name) }

// quoted returns a column of the table, which statements call l.
func (t *HostTable) quoted(column string) string { return "l." + naming.Quote(column) }

// groups checks a column that a report is to group by, and returns it.
func (t *HostTable) groups(column string) (string, error) {
	if t == nil {
		return "", rule.Invalid("column", "is of a table that WithLeads has not named")
	}
	if !slices.Contains(t.Columns, column) {
		return "", rule.Invalid("column", "is not one of those that WithLeads named")
	}
	return t.quoted(column), nil
}

// leadTypes is asked once for a store: whether the host's leads have keys of the type of
// lead_id. Nil says that nobody has asked.
type leadTypes struct{ alike atomic.Pointer[bool] }

// sameLead is the condition that a lead id names the row l of the host's table.
func (s reports) sameLead(db conn, leadID string) (string, error) {
	key := s.leads.quoted(s.leads.Key)
	alike, err := s.leadsAlike(db)
	if alike {
		return key + " = " + leadID, err
	}
	return "CAST(" + key + " AS text) = CAST(" + leadID + " AS text)", err
}

// leadsAlike tells whether the two columns can be compared as they are. SQLite compares
// anything; PostgreSQL is asked for the types, once for a store.
func (s reports) leadsAlike(db conn) (bool, error) {
	if s.dialect.Name() == dialect.SQLite {
		return true, nil
	}
	if known := s.types.alike.Load(); known != nil {
		return *known, nil
	}
	typeOf := "(SELECT CASE typcategory WHEN 'S' THEN 0 ELSE t.oid END FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid" +
		" WHERE a.attrelid = to_regclass(?) AND a.attname = ? AND NOT a.attisdropped)"
	var alike bool
	q := newQuery("SELECT coalesce("+typeOf+" = "+typeOf+", false)",
		s.tables.conversations, "lead_id", s.leads.table(), s.leads.Key)
	if _, err := q.row(db, &alike); err != nil {
		return false, err
	}
	s.types.alike.Store(&alike)
	return alike, nil
}
