package reports

import (
	"context"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

func (s reports) Summary(ctx context.Context, p store.Period) (store.Summary, error) {
	var sum store.Summary
	p, db, err := s.readPeriod(ctx, p)
	if err != nil {
		return sum, err
	}
	q := query.New("SELECT status, deleted_at IS NOT NULL, count(*) FROM " + s.sc.Tables.Conversations + " WHERE 1 = 1")
	scope.Between(s.sc.Owned(q, ""), "created_at", p.Since, p.Before)
	type row struct {
		status  conversation.Status
		deleted bool
		n       int64
	}
	rows, err := query.All(db, q.Add(" GROUP BY 1, 2"), func(r *row) []any { return []any{&r.status, &r.deleted, &r.n} })
	for _, r := range rows {
		counts := &sum.Live
		if r.deleted {
			counts = &sum.Deleted
		}
		*countOf(counts, r.status) = r.n
	}
	return sum, query.Wrap("report a summary", err)
}

// countOf returns the field of c that counts a status.
func countOf(c *store.StatusCounts, status conversation.Status) *int64 {
	switch status {
	case conversation.StatusNeedsReply:
		return &c.NeedsReply
	case conversation.StatusWaiting:
		return &c.Waiting
	case conversation.StatusArchived:
		return &c.Archived
	}
	return &c.Active
}

func (s reports) Daily(ctx context.Context, at time.Time) (store.Daily, error) {
	days, err := s.DailySeries(ctx, store.Days{Period: store.Period{Since: dayStart(at), Before: nextDay(at), Zone: at.Location()}})
	if err != nil {
		return store.Daily{}, err
	}
	return days[0], nil
}

func (s reports) DailySeries(ctx context.Context, d store.Days) ([]store.Daily, error) {
	days, db, err := s.readDays(ctx, d)
	if err != nil {
		return nil, err
	}
	type pair [2]int64
	started, err := byDay(db, days, s.startedByDay(days), func(n *pair) []any { return []any{&n[0], &n[1]} })
	if err != nil {
		return nil, query.Wrap("report days", err)
	}
	type triple [3]int64
	q := s.liveMessages(query.New("SELECT "+s.localDay("m.sent_at", days)+", "+directions), days.Period).Add(" GROUP BY 1")
	sent, err := byDay(db, days, q, func(n *triple) []any { return []any{&n[0], &n[1], &n[2]} })
	if err != nil {
		return nil, query.Wrap("report days", err)
	}
	made, err := byDay(db, days, s.suggestionsByDay(days), suggestionSumsDest)
	if err != nil {
		return nil, query.Wrap("report days", err)
	}
	all := make([]store.Daily, len(days.days))
	for i, day := range days.days {
		all[i] = store.Daily{
			Day: day, NewConversations: started[i][0], NeedsReply: started[i][1],
			Messages: sent[i][0], Inbound: sent[i][1], Outbound: sent[i][2], Suggestions: made[i].stats(),
		}
	}
	return chosen(days, all, func(d store.Daily) bool { return d.NewConversations+d.Messages+d.Suggestions.Made == 0 }), nil
}

// startedByDay counts the live conversations created on each day, and those of them that need a
// reply.
func (s reports) startedByDay(days *series) *query.Query {
	q := query.New("SELECT " + s.localDay("created_at", days) + ", count(*), count(CASE WHEN status = 'needs_reply' THEN 1 END) FROM " +
		s.sc.Tables.Conversations + " WHERE deleted_at IS NULL")
	scope.Between(s.sc.Owned(q, ""), "created_at", days.Since, days.Before)
	return q.Add(" GROUP BY 1")
}

// localDay returns an expression for the number of the day on which a column's time falls in
// the zone of the series.
func (s reports) localDay(column string, days *series) string {
	return s.sc.Dialect.LocalDay(column, days.zone)
}

// directions are the columns that count messages, in total and by direction.
const directions = "count(*) AS messages, count(CASE WHEN m.direction = 'inbound' THEN 1 END) AS inbound, " +
	"count(CASE WHEN m.direction = 'outbound' THEN 1 END) AS outbound"

func (s reports) MostActive(ctx context.Context, t store.Top) ([]store.ConversationActivity, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	rows := query.New("SELECT m.conversation_id, m.user_id, " + directions + ", min(m.sent_at) AS first_at, max(m.sent_at) AS last_at")
	s.liveMessages(rows, t.Period).Add(" GROUP BY m.conversation_id, m.user_id")
	q, err := s.ranked(db, ranking{
		rows, []string{"messages", "inbound", "outbound", "first_at", "last_at"}, []string{"messages DESC", "last_at DESC"}, t.Limit,
	})
	if err != nil {
		return nil, query.Wrap("report the most active", err)
	}
	found, err := query.All(db, q, func(a *store.ConversationActivity) []any {
		return append(conversationRefDest(&a.ConversationRef), &a.Messages, &a.Inbound, &a.Outbound, (*record.Instant)(&a.FirstAt), (*record.Instant)(&a.LastAt))
	})
	return query.Values(found), query.Wrap("report the most active", err)
}
