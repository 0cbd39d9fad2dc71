package store

import (
	"cmp"
	"context"
	"slices"
)

// questions are the runs of inbound messages that began in the period, as rows of keys,
// at and wait. The two steps of windows have the same order, so that a database sorts
// once: the first keeps the messages at which the direction turns, which in the second
// are question and answer by turns.
func (s reports) questions(keys string, p Period) *query {
	turns := newQuery("SELECT m.user_id, m.conversation_id, c.lead_id, m.direction, m.sent_at, m.seq, lag(m.direction) OVER " +
		"(PARTITION BY m.user_id, m.conversation_id ORDER BY m.sent_at, m.seq) AS previous")
	s.messagesSince(turns, p.Since).add(" AND m.direction IS NOT NULL")
	asked := newQuery("SELECT user_id, conversation_id, lead_id, direction, sent_at AS at, lead(sent_at) OVER " +
		"(PARTITION BY user_id, conversation_id ORDER BY sent_at, seq) AS answered_at FROM ").
		embed(turns).add(" t WHERE previous IS NULL OR previous <> direction")
	q := newQuery("SELECT " + keys + "at, " + s.dialect.Micros("at", "answered_at") + " AS wait FROM ").
		embed(asked).add(" q WHERE direction = 'inbound'")
	q.within("at", p.Since, p.Before)
	return q
}

func (s reports) ResponseTimes(ctx context.Context, p Period) (ResponseTimes, error) {
	p, db, err := s.over(ctx, p)
	if err != nil {
		return ResponseTimes{}, err
	}
	var all sums
	_, err = s.durations("", s.questions("", p)).row(db, all.dest()...)
	return all.responses(), fail("report response times", err)
}

// slowest adds the mean to sums, by which a ranking goes.
func slowest(rows *query) *query {
	return newQuery("SELECT d.*, (2 * total + ended) / (2 * NULLIF(ended, 0)) AS mean FROM ").embed(rows).add(" d")
}

var slowestFirst = []string{"mean DESC NULLS LAST"}

func (s reports) ResponseTimesByConversation(ctx context.Context, t Top) ([]ConversationResponse, error) {
	t, db, err := s.top(ctx, t)
	if err != nil {
		return nil, err
	}
	rows := s.durations("conversation_id, user_id, ", s.questions("conversation_id, user_id, ", t.Period))
	q, err := s.ranked(db, ranking{slowest(rows), sumColumns, slowestFirst, t.Limit})
	if err != nil {
		return nil, fail("report response times", err)
	}
	type row struct {
		ConversationRef
		sums
	}
	found, err := collect(db, q, func(r *row) []any { return append(conversationRefDest(&r.ConversationRef), r.dest()...) })
	all := make([]ConversationResponse, len(found))
	for i, r := range found {
		all[i] = ConversationResponse{r.ConversationRef, r.responses()}
	}
	return all, fail("report response times", err)
}

func (s reports) ResponseTimesByLead(ctx context.Context, t Top) ([]LeadResponse, error) {
	t, db, err := s.top(ctx, t)
	if err != nil {
		return nil, err
	}
	waits := s.questions("lead_id, ", t.Period).add(" AND lead_id IS NOT NULL")
	q, err := s.rankedLeads(db, ranking{slowest(s.durations("lead_id, ", waits)), sumColumns, slowestFirst, t.Limit})
	if err != nil {
		return nil, fail("report response times", err)
	}
	type row struct {
		LeadRef
		sums
	}
	found, err := collect(db, q, func(r *row) []any { return append(leadRefDest(&r.LeadRef), r.dest()...) })
	all := make([]LeadResponse, len(found))
	for i, r := range found {
		all[i] = LeadResponse{r.LeadRef, r.responses()}
	}
	return all, fail("report response times", err)
}

func (s reports) ResponseTimesByDay(ctx context.Context, p Period) ([]DayResponse, error) {
	days, db, err := s.days(ctx, p)
	if err != nil {
		return nil, err
	}
	q := s.durations("day, ", s.questions(s.localDay("at", days)+" AS day, ", days.Period))
	found, err := byDay(db, days, q, (*sums).dest)
	if err != nil {
		return nil, fail("report response times", err)
	}
	all := make([]DayResponse, len(days.days))
	for i, day := range days.days {
		all[i] = DayResponse{day, found[i].responses()}
	}
	return all, nil
}

func (s reports) ResponseRate(ctx context.Context, column string, p Period) ([]ResponseRate, error) {
	p, err := p.normalize()
	if err != nil {
		return nil, err
	}
	value, err := s.leads.groups(column)
	if err != nil {
		return nil, err
	}
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	on, err := s.sameLead(db, "c.lead_id")
	if err != nil {
		return nil, fail("report response rates", err)
	}
	q := newQuery("SELECT coalesce(CAST(" + value + " AS text), ''), count(*), count(CASE WHEN EXISTS (SELECT 1 FROM " + s.tables.messages +
		" m WHERE m.conversation_id = c.id AND m.user_id = c.user_id AND m.direction = 'inbound' AND m.deleted_at IS NULL")
	s.owned(q, "m.").add(") THEN 1 END) FROM " + s.tables.conversations + " c JOIN " + s.leads.table() + " l ON " + on + " WHERE c.deleted_at IS NULL")
	s.owned(q, "c.").within("c.created_at", p.Since, p.Before)
	found, err := collect(db, q.add(" GROUP BY 1"), func(r *ResponseRate) []any { return []any{&r.Value, &r.Started, &r.Answered} })
	all := values(found)
	slices.SortFunc(all, func(a, b ResponseRate) int {
		one, _ := a.Rate()
		other, _ := b.Rate()
		return cmp.Or(-cmp.Compare(one, other), -cmp.Compare(a.Started, b.Started), cmp.Compare(a.Value, b.Value))
	})
	return all, fail("report response rates", err)
}
