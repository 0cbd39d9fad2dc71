package reports

import (
	"context"
	"fmt"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// costSums returns the columns that costsDest reads after the count of suggestions. Numbers that
// no valid row has, because a host's own SQL wrote them, are left out: they would make a report
// of all users fail.
func (s reports) costSums() string {
	return fmt.Sprintf("CAST(coalesce(sum(CASE WHEN s.tokens_used BETWEEN 0 AND %d THEN s.tokens_used END), 0) AS bigint) AS tokens, ", suggestion.MaxTokens) + s.sc.Dialect.SumMoney("s.generation_cost") + " AS cost"
}

// costs adds up the suggestions of a period. columns are the keys to select, and
// groupBy is the rest of the statement, which groups by them.
func (s reports) costs(columns, groupBy string, p store.Period) *query.Query {
	return s.liveSuggestions(query.New("SELECT "+columns+", count(*) AS suggestions, "+s.costSums()), p).Add(groupBy)
}

var costColumns = []string{"suggestions", "tokens", "cost"}

func costsDest(c *store.Costs) []any { return []any{&c.Suggestions, &c.Tokens, (*money)(&c.Cost)} }

var costliestFirst = []string{"cost DESC"}

func (s reports) CostsByConversation(ctx context.Context, t store.Top) ([]store.ConversationCost, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	rows := s.costs("s.conversation_id, s.user_id", " GROUP BY s.conversation_id, s.user_id", t.Period)
	q, err := s.ranked(db, ranking{rows, costColumns, costliestFirst, t.Limit})
	if err != nil {
		return nil, query.Wrap("report costs", err)
	}
	found, err := query.All(db, q, func(c *store.ConversationCost) []any {
		return append(conversationRefDest(&c.ConversationRef), costsDest(&c.Costs)...)
	})
	return query.Values(found), query.Wrap("report costs", err)
}

func (s reports) CostsByLead(ctx context.Context, t store.Top) ([]store.LeadCost, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	rows := s.costs("c.lead_id, c.user_id", " AND c.lead_id IS NOT NULL GROUP BY c.lead_id, c.user_id", t.Period)
	q, err := s.rankedLeads(db, ranking{rows, costColumns, costliestFirst, t.Limit})
	if err != nil {
		return nil, query.Wrap("report costs", err)
	}
	found, err := query.All(db, q, func(c *store.LeadCost) []any {
		return slices.Concat([]any{&c.UserID}, leadRefDest(&c.LeadRef), costsDest(&c.Costs))
	})
	return query.Values(found), query.Wrap("report costs", err)
}

func (s reports) CostsByModel(ctx context.Context, t store.Top) ([]store.ModelCost, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	q := s.costs(modelName, " GROUP BY "+modelName, t.Period).
		Add(" ORDER BY cost DESC, "+s.sc.Dialect.ByBytes(modelName)+" LIMIT ?", t.Limit)
	found, err := query.All(db, q, func(c *store.ModelCost) []any { return append([]any{&c.Model}, costsDest(&c.Costs)...) })
	return query.Values(found), query.Wrap("report costs", err)
}

func (s reports) CostsByDay(ctx context.Context, d store.Days) ([]store.DayCost, error) {
	days, db, err := s.readDays(ctx, d)
	if err != nil {
		return nil, err
	}
	found, err := byDay(db, days, s.costs(s.localDay("s.created_at", days), " GROUP BY 1", days.Period), costsDest)
	if err != nil {
		return nil, query.Wrap("report costs", err)
	}
	all := make([]store.DayCost, len(days.days))
	for i, day := range days.days {
		all[i] = store.DayCost{Day: day, Costs: found[i]}
	}
	return chosen(days, all, func(d store.DayCost) bool { return d.Suggestions == 0 }), nil
}
