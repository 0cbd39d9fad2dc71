package reports

import (
	"slices"
	"sync/atomic"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// table returns the quoted name of the host's table.
func table(leads *store.HostTable) string { return naming.Quote(leads.Name) }

// quoted returns a column of the host's table, which statements alias as l.
func quoted(column string) string { return "l." + naming.Quote(column) }

// groupColumn returns the quoted column to group a report by. It is ErrInvalid if WithLeads has
// not named the column.
func groupColumn(leads *store.HostTable, column string) (string, error) {
	if leads == nil {
		return "", rule.Invalid("column", "is of a table that WithLeads has not named")
	}
	if !slices.Contains(leads.Columns, column) {
		return "", rule.Invalid("column", "is not one of those that WithLeads named")
	}
	return quoted(column), nil
}

// LeadTypes remembers for a store whether the key of the host's leads has the type of lead_id.
// The zero value has not asked the database yet.
type LeadTypes struct{ alike atomic.Pointer[bool] }

// sameLead returns the condition that the lead id belongs to the row l of the host's table. It
// casts both sides to text where their types differ, which gives up the index.
func (s reports) sameLead(db query.Conn, leadID string) (string, error) {
	key := quoted(s.sc.Leads.Key)
	alike, err := s.leadsAlike(db)
	if alike {
		return key + " = " + leadID, err
	}
	return "CAST(" + key + " AS text) = CAST(" + leadID + " AS text)", err
}

// leadsAlike tells whether the two columns can be compared without a cast. SQLite compares any
// types. PostgreSQL is asked for the types, once for a store.
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
