package store

import "context"

// costSums are the columns of costsDest, but for the count of suggestions.
func (s reports) costSums() string {
	return "CAST(coalesce(sum(s.tokens_used), 0) AS bigint) AS tokens, " + s.dialect.SumMoney("s.generation_cost") + " AS cost"
}

// costs are the suggestions of a period added up by some columns.
func (s reports) costs(columns, keys string, p Period) *query {
	return s.liveSuggestions(newQuery("SELECT "+columns+", count(*) AS suggestions, "+s.costSums()), p).add(keys)
}

var costColumns = []string{"suggestions", "tokens", "cost"}

func costsDest(c *Costs) []any { return []any{&c.Suggestions, &c.Tokens, (*money)(&c.Cost)} }

var costliestFirst = []string{"cost DESC"}

func (s reports) CostsByConversation(ctx context.Context, t Top) ([]ConversationCost, error) {
	t, db, err := s.top(ctx, t)
	if err != nil {
		return nil, err
	}
	rows := s.costs("s.conversation_id, s.user_id", " GROUP BY s.conversation_id, s.user_id", t.Period)
	q, err := s.ranked(db, ranking{rows, costColumns, costliestFirst, t.Limit})
	if err != nil {
		return nil, fail("report costs", err)
	}
	found, err := collect(db, q, func(c *ConversationCost) []any {
		return append(conversationRefDest(&c.ConversationRef), costsDest(&c.Costs)...)
	})
	return values(found), fail("report costs", err)
}

func (s reports) CostsByLead(ctx context.Context, t Top) ([]LeadCost, error) {
	t, db, err := s.top(ctx, t)
	if err != nil {
		return nil, err
	}
	rows := s.costs("c.lead_id", " AND c.lead_id IS NOT NULL GROUP BY c.lead_id", t.Period)
	q, err := s.rankedLeads(db, ranking{rows, costColumns, costliestFirst, t.Limit})
	if err != nil {
		return nil, fail("report costs", err)
	}
	found, err := collect(db, q, func(c *LeadCost) []any { return append(leadRefDest(&c.LeadRef), costsDest(&c.Costs)...) })
	return values(found), fail("report costs", err)
}

func (s reports) CostsByModel(ctx context.Context, t Top) ([]ModelCost, error) {
	t, db, err := s.top(ctx, t)
	if err != nil {
		return nil, err
	}
	q := s.costs(modelName, " GROUP BY "+modelName, t.Period).
		add(" ORDER BY cost DESC, "+s.dialect.ByBytes(modelName)+" LIMIT ?", t.Limit)
	found, err := collect(db, q, func(c *ModelCost) []any { return append([]any{&c.Model}, costsDest(&c.Costs)...) })
	return values(found), fail("report costs", err)
}

func (s reports) CostsByDay(ctx context.Context, p Period) ([]DayCost, error) {
	days, db, err := s.days(ctx, p)
	if err != nil {
		return nil, err
	}
	found, err := byDay(db, days, s.costs(s.localDay("s.created_at", days), " GROUP BY 1", days.Period), costsDest)
	if err != nil {
		return nil, fail("report costs", err)
	}
	all := make([]DayCost, len(days.days))
	for i, day := range days.days {
		all[i] = DayCost{day, found[i]}
	}
	return all, nil
}
