package threads

import (
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// checkConversationFilter validates a filter and returns it with its texts cleaned, its times as
// the tables store them and without repeated statuses.
func checkConversationFilter(sc scope.Scope, f store.ConversationFilter) (store.ConversationFilter, error) {
	for _, st := range f.Statuses {
		if !st.Valid() {
			return f, rule.Invalid("statuses", "has an unknown status")
		}
	}
	if f.Order < store.NewestActivity || f.Order > store.NewestCreated {
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

func checkDeleted(d store.Deleted) error {
	if d < store.ExcludeDeleted || d > store.OnlyDeleted {
		return rule.Invalid("deleted", "is unknown")
	}
	return nil
}

// fromMatching adds FROM and WHERE for the conversations of the scope that match a filter.
func fromMatching(sc scope.Scope, q *query.Query, f store.ConversationFilter) *query.Query {
	q.Add(" FROM " + sc.Tables.Conversations + throughActivity(sc, f) + " WHERE 1 = 1")
	if len(f.Labels) > 0 && !sc.All {
		q.Add(" AND "+sc.Dialect.Unindexed("user_id")+" = ?", sc.User) // the labels find the rows
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
	return withMarks(sc, q, f)
}

// selectPage selects the conversations that match a filter in their order, after a place if it is
// not nil; limit says how many. By activity a bucket of rows has to be sorted, which is done with
// their keys alone where a sort would take whole rows.
func selectPage(sc scope.Scope, f store.ConversationFilter, after *scope.Place, limit string, args ...any) *query.Query {
	order := conversationSort(sc, f.Order)
	by := order.OrderBy(" DESC")
	matching := func(columns string) *query.Query {
		q := fromMatching(sc, query.New("SELECT "+columns), f)
		if after != nil {
			order.After(q, "<", after)
		}
		return q.Add(by+limit, args...)
	}
	key := sc.Dialect.SortKey()
	if key == "" || f.Order != store.NewestActivity {
		return matching(record.ConversationColumns)
	}
	return query.New("SELECT " + record.ConversationColumns + " FROM " + sc.Tables.Conversations + " WHERE " + key + " IN (").
		Append(matching(key)).Add(")" + by)
}

// throughActivity names the index of a queue, or that of a list of all users by activity. A lead,
// an app, an assignee and labels have indexes of their own.
func throughActivity(sc scope.Scope, f store.ConversationFilter) string {
	queue := len(f.Statuses) == 1 && f.Statuses[0] == conversation.StatusNeedsReply
	if queue && f.Deleted == store.ExcludeDeleted && f.LeadID == "" && f.App == "" && f.Assignee == "" && len(f.Labels) == 0 {
		if sc.All {
			return sc.Through("conversations_all_queue_idx")
		}
		return sc.Through("conversations_queue_idx")
	}
	if f.Order != store.NewestActivity || f.Deleted != store.ExcludeDeleted || f.LeadID != "" || queue {
		return ""
	}
	return sc.ThroughActivity()
}

func conversationSort(sc scope.Scope, o store.ConversationOrder) scope.Sort {
	if o == store.NewestCreated {
		return sc.SortByTime("created_at", "")
	}
	return sc.SortByActivity("")
}

func conversationPlace(o store.ConversationOrder, c *conversation.Conversation) scope.Place {
	if o == store.NewestCreated {
		return scope.Place{Key: scope.TimeKey(c.CreatedAt), ID: c.ID, User: c.UserID}
	}
	return scope.Place{Key: scope.TimeKey(c.LastMessageAt), ID: c.ID, User: c.UserID}
}
