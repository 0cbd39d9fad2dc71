package threads

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// checkConversationFilter validates a filter and returns it with its texts cleaned, its times as
// the tables store them and without repeated ids and statuses.
func checkConversationFilter(sc scope.Scope, f store.ConversationFilter) (store.ConversationFilter, error) {
	if len(f.IDs) > store.MaxLimit {
		return f, rule.Invalid("ids", "has %d ids, the most is %d", len(f.IDs), store.MaxLimit)
	}
	f.IDs = distinctIDs(f.IDs)
	for _, st := range f.Statuses {
		if !st.Valid() {
			return f, rule.Invalid("statuses", "has an unknown status")
		}
	}
	if f.Order < store.NewestActivity || f.Order > store.OldestActivity {
		return f, rule.Invalid("order", "is unknown")
	}
	f.Statuses = scope.Distinct(f.Statuses)
	if err := check.First(sc.CleanFilter("lead_id", &f.LeadID), sc.CleanFilter("text", &f.Text)); err != nil {
		return f, err
	}
	for _, t := range []*time.Time{&f.ActiveSince, &f.ActiveBefore, &f.CreatedSince, &f.CreatedBefore} {
		*t = message.Instant(*t)
	}
	var err error
	if f, err = checkMarks(sc, f); err != nil {
		return f, err
	}
	if f.Snoozed < store.SnoozedByStatus || f.Snoozed > store.OnlySnoozed {
		return f, rule.Invalid("snoozed", "is unknown")
	}
	if f.Unassigned && f.Assignee != "" {
		return f, rule.Invalid("unassigned", "contradicts the assignee")
	}
	return f, check.First(
		checkDeleted(f.Deleted),
		check.Key("lead_id", f.LeadID),
		scope.CheckContains("text", f.Text),
		check.Time("active_since", f.ActiveSince),
		check.Time("active_before", f.ActiveBefore),
		check.Time("created_since", f.CreatedSince),
		check.Time("created_before", f.CreatedBefore),
	)
}

// distinctIDs returns ids without repetitions, sorted: their order says nothing. It leaves the list of
// the caller alone.
func distinctIDs(ids []uuid.UUID) []uuid.UUID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, scope.CompareIDs)
	return slices.Compact(ids)
}

func checkDeleted(d store.Deleted) error {
	if d < store.ExcludeDeleted || d > store.OnlyDeleted {
		return rule.Invalid("deleted", "is unknown")
	}
	return nil
}

// isQueue tells whether a filter takes only what waits for an answer.
func isQueue(f store.ConversationFilter) bool {
	return len(f.Statuses) == 1 && f.Statuses[0] == conversation.StatusNeedsReply
}

// snoozedOf is what becomes of snoozed conversations: never SnoozedByStatus.
func snoozedOf(f store.ConversationFilter) store.Snoozed {
	switch {
	case f.Snoozed != store.SnoozedByStatus:
		return f.Snoozed
	case isQueue(f):
		return store.ExcludeSnoozed
	}
	return store.IncludeSnoozed
}

// fromMatching adds FROM and WHERE for the conversations c of the scope that match a filter. They are
// those of a part of its list.
func fromMatching(sc scope.Scope, q *query.Query, f store.ConversationFilter, p part) *query.Query {
	if p.from == nil {
		q.Add(" FROM " + sc.Tables.Conversations + " c" + p.through)
	} else {
		q.Add(" FROM ").Append(p.from)
	}
	q.Add(" WHERE 1 = 1")
	if p.found && !sc.All {
		q.Add(" AND "+sc.Dialect.Unindexed("user_id")+" = ?", sc.User)
	} else {
		sc.Owned(q, "")
	}
	scope.Deleted(q, f.Deleted, "")
	if f.LeadID != "" {
		q.Add(" AND lead_id = ?", f.LeadID)
	}
	if len(f.Statuses) > 0 {
		q.Add(" AND " + scope.StatusIs(f.Statuses))
	}
	scope.ActiveBetween(q, "", f.ActiveSince, f.ActiveBefore)
	scope.Between(q, "created_at", f.CreatedSince, f.CreatedBefore)
	if f.Text != "" {
		sc.Contains(q.Add(" AND "), f.Text, "title", "subject")
	}
	return withMarks(sc, q, f).Append(p.where)
}
