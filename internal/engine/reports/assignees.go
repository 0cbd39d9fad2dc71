package reports

import (
	"context"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
)

func (s reports) ResponseTimesByAssignee(ctx context.Context, t store.Top) ([]store.AssigneeResponse, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	const keys = "assignee, user_id, "
	waits := s.questionsWith("assignee", "coalesce(assignee, '') AS "+keys, "", t.Period)
	order := s.sc.Dialect.ByBytes("assignee") + ", user_id"
	var groups []group[nameKey]
	if t.Calendar != nil {
		k := keyed[nameKey]{keys, order, (*nameKey).dest}
		groups, err = openWaits(db, t.Calendar, k, waits, slowest(t.Limit, nameKey.compare))
		groups = first(groups, t.Limit, nameKey.compare)
	} else {
		q := withMean(s.durations(keys, waits)).Add(" ORDER BY "+slowestFirst[0]+", "+order+" LIMIT ?", t.Limit)
		type row struct {
			group[nameKey]
			mean *int64
		}
		var found []*row
		found, err = query.All(db, q, func(r *row) []any { return slices.Concat(r.key.dest(), r.dest(), []any{&r.mean}) })
		for _, r := range found {
			groups = append(groups, r.group)
		}
	}
	all := make([]store.AssigneeResponse, len(groups))
	for i, g := range groups {
		all[i] = store.AssigneeResponse{UserID: g.key.user, Assignee: g.key.name, ResponseTimes: g.responses()}
	}
	return all, query.Wrap("report response times", err)
}
