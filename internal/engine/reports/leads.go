package reports

import (
	"slices"
	"sync/atomic"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func table(t *store.HostTable) string { return naming.Quote(t.Name) }

// quoted returns a column of the table, which statements call l.
func quoted(t *store.HostTable, column string) string { return "l." + naming.Quote(column) }

// groups checks a column that a report is to group by, and returns it.
func groups(t *store.HostTable, column string) (string, error) {
	if t == nil {
		return "", rule.Invalid("column", "is of a table that WithLeads has not named")
	}
	if !slices.Contains(t.Columns, column) {
		return "", rule.Invalid("column", "is not one of those that WithLeads named")
	}
	return quoted(t, column), nil
}

// LeadTypes is asked once for a store: whether the host's leads have keys of the type of
// lead_id. Nil says that nobody has asked.
type LeadTypes struct{ alike atomic.Pointer[bool] }

// sameLead is the condition that a lead id names the row l of the host's table.
func (s reports) sameLead(db query.Conn, leadID string) (string, error) {
	key := quoted(s.sc.Leads, s.sc.Leads.Key)
	alike, err := s.leadsAlike(db)
	if alike {
		return key + " = " + leadID, err
	}
	return "CAST(" + key + " AS text) = CAST(" + leadID + " AS text)", err
}

// leadsAlike tells whether the two columns can be compared as they are. SQLite compares
// anything; PostgreSQL is asked for the types, once for a store.
func (s reports) leadsAlike(db query.Conn) (bool, error) {
	if !s.sc.Dialect.StrictTypes() {
		return true, nil
	}
	if known := s.types.alike.Load(); known != nil {
		return *known, nil
	}
	typeOf := "(SELECT CASE typcategory WHEN 'S' THEN 0 ELSE t.oid END FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid" +
		" WHERE a.attrelid = to_regclass(?) AND a.attname = ? AND NOT a.attisdropped)"
	var alike bool
	q := query.New("SELECT coalesce("+typeOf+" = "+typeOf+", false)",
		s.sc.Tables.Conversations, "lead_id", table(s.sc.Leads), s.sc.Leads.Key)
	if _, err := q.Row(db, &alike); err != nil {
		return false, err
	}
	s.types.alike.Store(&alike)
	return alike, nil
}
