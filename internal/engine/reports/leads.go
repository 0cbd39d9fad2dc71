package reports

import (
	"slices"
	"sync/atomic"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// table returns the quoted name of the host's table.
func table(leads *store.HostTable) string { return naming.Quote(leads.Name) }

// quoted returns a column of the host's table, which statements alias as l.
func quoted(column string) string { return "l." + naming.Quote(column) }

// readsLeads tells whether the scope may see the host's table: all users may, and one user only if
// WithLeads says whose a lead is.
func (s reports) readsLeads() bool {
	return s.sc.Leads != nil && (s.sc.Leads.Owner != "" || s.sc.All)
}

// groupColumn returns the quoted column to group a report by. It is ErrInvalid if WithLeads has
// not named the column, and in the scope of one user also if it has named no owner.
func (s reports) groupColumn(column string) (string, error) {
	leads := s.sc.Leads
	switch {
	case leads == nil:
		return "", rule.Invalid("column", "is of a table that WithLeads has not named")
	case !slices.Contains(leads.Columns, column):
		return "", rule.Invalid("column", "is not one of those that WithLeads named")
	case !s.readsLeads():
		return "", rule.Invalid("column", "is of a table whose Owner WithLeads has not named, so that only AllUsers may read it")
	}
	return quoted(column), nil
}

// LeadTypes remembers for a store how the host's leads can be compared with conversations. The
// zero value has not asked the database yet.
type LeadTypes struct{ known atomic.Pointer[leadTypes] }

// leadTypes says whether the key of the host's leads has the type of lead_id, and what the type of
// their owner is, if no user id has it.
type leadTypes struct {
	alike      bool
	wrongOwner string
}

// sameLead returns the condition that the row l of the host's table is the lead with this id and of
// this user. It casts both ids to text where their types differ, which gives up the index.
func (s reports) sameLead(db query.Conn, leadID, userID string) (string, error) {
	types, err := s.leadTypes(db)
	if err != nil {
		return "", err
	}
	leads := s.sc.Leads
	on := quoted(leads.Key) + " = " + leadID
	if !types.alike {
		on = "CAST(" + quoted(leads.Key) + " AS text) = CAST(" + leadID + " AS text)"
	}
	if leads.Owner == "" {
		return on, nil
	}
	if types.wrongOwner != "" {
		return "", rule.Invalid("leads", "has the owner %s.%s of type %s, and a user id is a uuid", leads.Name, leads.Owner, types.wrongOwner)
	}
	return on + " AND " + quoted(leads.Owner) + " = " + userID, nil
}

// leadTypes asks the database for the types, once for a store. It remembers nothing of a table
// that is not there yet.
func (s reports) leadTypes(db query.Conn) (leadTypes, error) {
	if known := s.types.known.Load(); known != nil {
		return *known, nil
	}
	read, err := dialect.Pick(s.sc.Dialect, leadTypesPostgres, leadTypesSQLite)
	if err != nil {
		return leadTypes{}, err
	}
	types, there, err := read(s, db)
	if err == nil && there {
		s.types.known.Store(&types)
	}
	return types, err
}
