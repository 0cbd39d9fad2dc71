package scope

import (
	"slices"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/rule"
)

// LeadTable returns the quoted name of the host's table of leads, which statements alias as l.
func (sc Scope) LeadTable() string { return naming.Quote(sc.Leads.Name) }

// LeadColumn returns a column of the host's table.
func LeadColumn(column string) string { return "l." + naming.Quote(column) }

// ReadsLeads tells whether the scope may see the host's table: all users may, and one user only if
// WithLeads says whose a lead is.
func (sc Scope) ReadsLeads() bool { return sc.Leads != nil && (sc.Leads.Owner != "" || sc.All) }

// CheckLeadColumn is ErrInvalid for a field that names a column which WithLeads has not named, and in the
// scope of one user also if it has named no owner. The title may be named too, if the caller allows it.
func (sc Scope) CheckLeadColumn(field, column string, orTitle bool) error {
	switch leads := sc.Leads; {
	case leads == nil:
		return rule.Invalid(field, "is of a table that WithLeads has not named")
	case !slices.Contains(leads.Columns, column) && (!orTitle || column == "" || column != leads.Title):
		return rule.Invalid(field, "is not one of those that WithLeads named")
	case !sc.ReadsLeads():
		return rule.Invalid(field, "is of a table whose Owner WithLeads has not named, so that only AllUsers may read it")
	}
	return nil
}

// leadTypes says whether the key of the host's leads has the type of lead_id, and what the type of
// their owner is, if no user id has it.
type leadTypes struct {
	alike      bool
	wrongOwner string
}

// SameLead returns the condition that the row l of the host's table is the lead with this id and of
// this user. It casts both ids to text where their types differ, which gives up the index.
func (sc Scope) SameLead(db query.Conn, leadID, userID string) (string, error) {
	types, err := sc.hostLeadTypes(db)
	if err != nil {
		return "", err
	}
	leads := sc.Leads
	on := LeadColumn(leads.Key) + " = " + leadID
	if !types.alike {
		on = "CAST(" + LeadColumn(leads.Key) + " AS text) = CAST(" + leadID + " AS text)"
	}
	if leads.Owner == "" {
		return on, nil
	}
	if types.wrongOwner != "" {
		return "", rule.Invalid("leads", "has the owner %s.%s of type %s, and a user id is a uuid", leads.Name, leads.Owner, types.wrongOwner)
	}
	return on + " AND " + LeadColumn(leads.Owner) + " = " + userID, nil
}

// hostLeadTypes asks the database for the types, once for a store. It remembers nothing of a table
// that is not there yet.
func (sc Scope) hostLeadTypes(db query.Conn) (leadTypes, error) {
	if known := sc.leadTypes.Load(); known != nil {
		return *known, nil
	}
	read, err := dialect.Pick(sc.Dialect, leadTypesPostgres, leadTypesSQLite)
	if err != nil {
		return leadTypes{}, err
	}
	types, there, err := read(sc, db)
	if err == nil && there {
		sc.leadTypes.Store(&types)
	}
	return types, err
}
