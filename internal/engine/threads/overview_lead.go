package threads

import (
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// addLead adds to an overview of the page p the columns of the host's leads that it asks for.
func addLead(sc scope.Scope, l scope.Listing, o store.OverviewOptions, q, joins *query.Query) error {
	if len(o.Lead) == 0 {
		return nil
	}
	on, err := sc.SameLead(l.DB, "p.lead_id", "p.user_id")
	if err != nil {
		return err
	}
	for _, column := range o.Lead {
		q.Add(", CAST(" + scope.LeadColumn(column) + " AS text)")
	}
	joins.Add(" LEFT JOIN " + sc.LeadTable() + " l ON " + on)
	return nil
}

// finishLead fills in the columns of the lead that are not NULL.
func (r *overviewRow) finishLead(o store.OverviewOptions) {
	if len(o.Lead) == 0 {
		return
	}
	r.Lead = map[string]string{}
	for i, column := range o.Lead {
		if r.lead[i] != nil {
			r.Lead[column] = *r.lead[i]
		}
	}
}
