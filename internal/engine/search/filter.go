package search

import (
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// checkFilter checks a filter. It returns the filter with its lead id cleaned, without duplicates
// and with its times in the precision of the tables.
func checkFilter(sc scope.Scope, f store.SearchFilter) (store.SearchFilter, error) {
	for _, st := range f.Statuses {
		if !st.Valid() {
			return f, rule.Invalid("statuses", "has an unknown status")
		}
	}
	for _, r := range f.Roles {
		if !r.Valid() {
			return f, rule.Invalid("roles", "has an unknown role")
		}
	}
	if !f.Direction.Valid() {
		return f, rule.Invalid("direction", "is not inbound, outbound or empty")
	}
	if err := sc.CleanFilter("lead_id", &f.LeadID); err != nil {
		return f, err
	}
	f.Statuses, f.Roles = scope.Distinct(f.Statuses), scope.Distinct(f.Roles)
	for _, t := range []*time.Time{&f.SentSince, &f.SentBefore} {
		*t = message.Instant(*t)
	}
	return f, check.First(
		check.Key("lead_id", f.LeadID), check.Time("sent_since", f.SentSince), check.Time("sent_before", f.SentBefore),
	)
}

// narrows tells whether the filter has any condition.
func narrows(f store.SearchFilter) bool {
	return f.ConversationID != uuid.Nil || f.LeadID != "" || len(f.Statuses) > 0 || filtersMessages(f)
}

// filtersMessages tells whether the filter has a condition on messages, which no
// conversation meets by its title.
func filtersMessages(f store.SearchFilter) bool {
	return len(f.Roles) > 0 || f.Direction != message.DirectionNone || !f.SentSince.IsZero() || !f.SentBefore.IsZero()
}

// isSelective tells whether the filter leaves so few messages that comparing all of them is
// quick: those of one conversation or of one lead.
func isSelective(f store.SearchFilter) bool { return f.ConversationID != uuid.Nil || f.LeadID != "" }

// addFilter adds the conditions of a filter to a query on messages m and conversations c.
func addFilter(q *query.Query, f store.SearchFilter) {
	if f.ConversationID != uuid.Nil {
		// On both tables, because a plan may begin with either.
		q.Add(" AND m.conversation_id = ? AND c.id = ?", f.ConversationID, f.ConversationID)
	}
	if len(f.Roles) > 0 {
		query.In(q, " AND m.role", f.Roles)
	}
	if f.Direction != message.DirectionNone {
		q.Add(" AND m.direction = ?", f.Direction)
	}
	scope.Between(q, "m.sent_at", f.SentSince, f.SentBefore)
	addConversationFilter(q, f)
}

// addConversationFilter adds the conditions on conversations c, except that on their id.
func addConversationFilter(q *query.Query, f store.SearchFilter) {
	if f.LeadID != "" {
		q.Add(" AND c.lead_id = ?", f.LeadID)
	}
	if len(f.Statuses) > 0 {
		q.Add(" AND c." + scope.StatusIs(f.Statuses))
	}
}
