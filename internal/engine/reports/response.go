package reports

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/latest"
	"github.com/convostore/convostore/store"
)

// questions returns the runs of inbound messages that began in the period, as rows of keys, at
// and wait. The keys are of user_id, conversation_id and lead_id.
func (s reports) questions(keys string, p store.Period) *query.Query {
	return s.questionsWith("lead_id", keys, "", p)
}

// questionsWith is questions with another column of conversations in the place of lead_id, and with
// conditions. A run ends with the first outbound message. The inner window keeps the messages at
// which the direction changes; in the outer one these are question and answer alternately, and
// place counts them from 1. Both windows have the same order, so that the database sorts once.
func (s reports) questionsWith(column, keys, condition string, p store.Period) *query.Query {
	changes := query.New("SELECT m.user_id, m.conversation_id, c." + column + ", m.direction, m.sent_at, m.seq, lag(m.direction) OVER " +
		"(PARTITION BY m.user_id, m.conversation_id ORDER BY m.sent_at, m.seq) AS previous")
	scope.ActiveBetween(s.messagesThat(changes, latest.Speaks("m")), "c.", beforeSkew(p.Since), time.Time{})
	const order = " OVER (PARTITION BY user_id, conversation_id ORDER BY sent_at, seq)"
	place := ""
	if condition != "" {
		place = ", row_number()" + order + " AS place"
	}
	answered := query.New("SELECT user_id, conversation_id, " + column + ", direction, sent_at AS at, lead(sent_at)" + order + " AS answered_at" + place + " FROM ").
		Bracketed(changes).Add(" t WHERE previous IS NULL OR previous <> direction")
	q := query.New("SELECT " + keys + "at, " + s.sc.Dialect.Micros("at", "answered_at") + " AS wait FROM ").
		Bracketed(answered).Add(" q WHERE direction = 'inbound'" + condition)
	scope.Between(q, "at", p.Since, p.Before)
	return q
}

// FirstResponseTimes: questions and answers alternate, so that the first question of a conversation
// is its first or second.
func (s reports) FirstResponseTimes(ctx context.Context, p store.Period) (store.ResponseTimes, error) {
	p, db, err := s.readPeriod(ctx, p)
	if err != nil {
		return store.ResponseTimes{}, err
	}
	all, err := s.total(db, p, s.questionsWith("lead_id", "", " AND place <= 2", p))
	return all.responses(), query.Wrap("report first response times", err)
}

func (s reports) ResponseTimes(ctx context.Context, p store.Period) (store.ResponseTimes, error) {
	p, db, err := s.readPeriod(ctx, p)
	if err != nil {
		return store.ResponseTimes{}, err
	}
	all, err := s.total(db, p, s.questions("", p))
	return all.responses(), query.Wrap("report response times", err)
}

// withMean adds the mean to rows of sumColumns, for a ranking by it.
func withMean(rows *query.Query) *query.Query {
	return query.New("SELECT d.*, " + meanOfSums + " AS mean FROM ").Bracketed(rows).Add(" d")
}

var slowestFirst = []string{"mean DESC NULLS LAST"}

func (s reports) ResponseTimesByConversation(ctx context.Context, t store.Top) ([]store.ConversationResponse, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	waits := s.questions("conversation_id, user_id, ", t.Period)
	if t.Calendar != nil {
		all, err := s.openByConversation(db, t, waits)
		return all, query.Wrap("report response times", err)
	}
	rows := s.durations("conversation_id, user_id, ", waits)
	q, err := s.ranked(db, ranking{withMean(rows), sumColumns, slowestFirst, t.Limit})
	if err != nil {
		return nil, query.Wrap("report response times", err)
	}
	type row struct {
		store.ConversationRef
		waitSums
	}
	found, err := query.All(db, q, func(r *row) []any { return append(conversationRefDest(&r.ConversationRef), r.dest()...) })
	all := make([]store.ConversationResponse, len(found))
	for i, r := range found {
		all[i] = store.ConversationResponse{ConversationRef: r.ConversationRef, ResponseTimes: r.responses()}
	}
	return all, query.Wrap("report response times", err)
}

func (s reports) ResponseTimesByLead(ctx context.Context, t store.Top) ([]store.LeadResponse, error) {
	t, db, err := s.readTop(ctx, t)
	if err != nil {
		return nil, err
	}
	waits := s.questions("lead_id, user_id, ", t.Period).Add(" AND lead_id IS NOT NULL")
	if t.Calendar != nil {
		all, err := s.openByLead(db, t, waits)
		return all, query.Wrap("report response times", err)
	}
	q, err := s.rankedLeads(db, ranking{withMean(s.durations("lead_id, user_id, ", waits)), sumColumns, slowestFirst, t.Limit})
	if err != nil {
		return nil, query.Wrap("report response times", err)
	}
	type row struct {
		user uuid.UUID
		store.LeadRef
		waitSums
	}
	found, err := query.All(db, q, func(r *row) []any {
		return slices.Concat([]any{&r.user}, leadRefDest(&r.LeadRef), r.dest())
	})
	all := make([]store.LeadResponse, len(found))
	for i, r := range found {
		all[i] = store.LeadResponse{UserID: r.user, LeadRef: r.LeadRef, ResponseTimes: r.responses()}
	}
	return all, query.Wrap("report response times", err)
}

func (s reports) ResponseTimesByDay(ctx context.Context, d store.Days) ([]store.DayResponse, error) {
	days, db, err := s.readDays(ctx, d)
	if err != nil {
		return nil, err
	}
	waits := s.questions(s.localDay("at", days)+" AS day, ", days.Period)
	var found []waitSums
	if days.Calendar == nil {
		found, err = byDay(db, days, s.durations("day, ", waits), (*waitSums).dest)
	} else {
		found, err = openByDay(db, days, waits)
	}
	if err != nil {
		return nil, query.Wrap("report response times", err)
	}
	all := make([]store.DayResponse, len(days.days))
	for i, day := range days.days {
		all[i] = store.DayResponse{Day: day, ResponseTimes: found[i].responses()}
	}
	return chosen(days, all, func(d store.DayResponse) bool { return d.Answered+d.Open == 0 }), nil
}

func (s reports) ResponseRate(ctx context.Context, column string, p store.Period) ([]store.ResponseRate, error) {
	p, err := checkPeriod(p)
	if err != nil {
		return nil, err
	}
	if err := s.sc.CheckLeadColumn("column", column, false); err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	on, err := s.sc.SameLead(db, "c.lead_id", "c.user_id")
	if err != nil {
		return nil, query.Wrap("report response rates", err)
	}
	q := query.New("SELECT coalesce(CAST(" + scope.LeadColumn(column) + " AS text), ''), count(*), count(CASE WHEN EXISTS (SELECT 1 FROM " + s.sc.Tables.Messages +
		" m WHERE m.conversation_id = c.id AND m.user_id = c.user_id AND m.direction = 'inbound' AND " + scope.Counts("m."))
	s.sc.Owned(q, "m.").Add(") THEN 1 END) FROM " + s.sc.Tables.Conversations + " c JOIN " + s.sc.LeadTable() + " l ON " + on + " WHERE c.deleted_at IS NULL")
	scope.Between(s.sc.Owned(q, "c."), "c.created_at", p.Since, p.Before)
	found, err := query.All(db, q.Add(" GROUP BY 1"), func(r *store.ResponseRate) []any { return []any{&r.Value, &r.Started, &r.Answered} })
	all := query.Values(found)
	slices.SortFunc(all, func(a, b store.ResponseRate) int {
		rateA, _ := a.Rate()
		rateB, _ := b.Rate()
		return cmp.Or(-cmp.Compare(rateA, rateB), -cmp.Compare(a.Started, b.Started), cmp.Compare(a.Value, b.Value))
	})
	return all, query.Wrap("report response rates", err)
}
