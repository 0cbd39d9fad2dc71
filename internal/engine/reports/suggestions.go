package reports

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// suggestionSums is what the database returns for SuggestionStats. It adds confidences up as
// integers, because a sum of floating-point numbers depends on their order.
type suggestionSums struct {
	store.SuggestionStats
	confidence, scored int64
}

// nano is the factor that keeps nine decimals of a confidence in an integer.
const nano = 1_000_000_000

func (s suggestionSums) stats() store.SuggestionStats {
	if s.scored > 0 {
		s.AverageConfidence = new(float64(s.confidence) / (nano * float64(s.scored)))
	}
	return s.SuggestionStats
}

// suggestionSums returns the columns that suggestionSumsDest reads.
func (s reports) suggestionSums() string {
	columns := "count(*) AS made"
	for _, status := range suggestion.Statuses() {
		columns += fmt.Sprintf(", count(CASE WHEN s.status = '%[1]s' THEN 1 END) AS %[1]s", status)
	}
	return columns + fmt.Sprintf(", CAST(coalesce(sum(CAST(round(s.confidence_score * %d) AS bigint)), 0) AS bigint) AS confidence, "+
		"count(s.confidence_score) AS scored, ", nano) + s.costSums()
}

func suggestionSumsDest(s *suggestionSums) []any {
	return append([]any{&s.Made, &s.Pending, &s.Approved, &s.Edited, &s.Rejected, &s.Superseded, &s.Expired, &s.confidence, &s.scored},
		&s.Tokens, (*money)(&s.Cost))
}

func (s reports) suggestionsByDay(days *series) *query.Query {
	q := query.New("SELECT " + s.localDay("s.created_at", days) + ", " + s.suggestionSums())
	return s.liveSuggestions(q, days.Period).Add(" GROUP BY 1")
}

func (s reports) SuggestionsByDay(ctx context.Context, d store.Days) ([]store.DaySuggestions, error) {
	days, db, err := s.readDays(ctx, d)
	if err != nil {
		return nil, err
	}
	found, err := byDay(db, days, s.suggestionsByDay(days), suggestionSumsDest)
	if err != nil {
		return nil, query.Wrap("report suggestions", err)
	}
	all := make([]store.DaySuggestions, len(days.days))
	for i, day := range days.days {
		all[i] = store.DaySuggestions{Day: day, SuggestionStats: found[i].stats()}
	}
	return chosen(days, all, func(d store.DaySuggestions) bool { return d.Made == 0 }), nil
}

func (s reports) SuggestionsByConfidence(ctx context.Context, p store.Period, bounds ...float64) ([]store.ConfidenceSuggestions, error) {
	p, err := checkPeriod(p)
	if err != nil {
		return nil, err
	}
	if len(bounds) == 0 {
		bounds = []float64{0.85, 0.70}
	}
	all, err := buckets(bounds)
	if err != nil {
		return nil, err
	}
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT CASE")
	for i, bound := range bounds {
		q.Add(fmt.Sprintf(" WHEN s.confidence_score >= ? THEN %d", i), bound)
	}
	q.Add(fmt.Sprintf(" WHEN s.confidence_score IS NULL THEN %d ELSE %d END, ", len(bounds)+1, len(bounds)) + s.suggestionSums())
	type row struct {
		bucket int
		suggestionSums
	}
	rows, err := query.All(db, s.liveSuggestions(q, p).Add(" GROUP BY 1"), func(r *row) []any {
		return append([]any{&r.bucket}, suggestionSumsDest(&r.suggestionSums)...)
	})
	for _, r := range rows {
		all[r.bucket].SuggestionStats = r.stats()
	}
	return all, query.Wrap("report suggestions", err)
}

// buckets returns an empty bucket for each bound, then one for the confidences below all bounds,
// then one for suggestions without a confidence. Bounds must fall and lie between 0 and 1.
func buckets(bounds []float64) ([]store.ConfidenceSuggestions, error) {
	if len(bounds) > store.MaxBounds {
		return nil, rule.Invalid("bounds", "are %d, the most is %d", len(bounds), store.MaxBounds)
	}
	all := make([]store.ConfidenceSuggestions, len(bounds)+2)
	for i, bound := range bounds {
		if math.IsNaN(bound) || bound < 0 || bound > 1 {
			return nil, rule.Invalid("bounds", "has one that is not between 0 and 1")
		}
		if i > 0 && bound >= bounds[i-1] {
			return nil, rule.Invalid("bounds", "do not fall")
		}
		all[i].AtLeast, all[i+1].Below = &bound, &bound
	}
	return all, nil
}

func (s reports) SuggestionsByModel(ctx context.Context, p store.Period) ([]store.ModelSuggestions, error) {
	p, db, err := s.readPeriod(ctx, p)
	if err != nil {
		return nil, err
	}
	q := query.New("SELECT " + modelName + " AS model, " + s.suggestionSums())
	s.liveSuggestions(q, p).Add(" GROUP BY " + modelName + " ORDER BY made DESC, " + s.sc.Dialect.ByBytes(modelName))
	type row struct {
		model string
		suggestionSums
	}
	found, err := query.All(db, q, func(r *row) []any { return append([]any{&r.model}, suggestionSumsDest(&r.suggestionSums)...) })
	all := make([]store.ModelSuggestions, len(found))
	for i, r := range found {
		all[i] = store.ModelSuggestions{Model: r.model, SuggestionStats: r.stats()}
	}
	return all, query.Wrap("report suggestions", err)
}

// modelName is the expression for a suggestion's model, empty if there is none.
const modelName = "coalesce(s.model_used, '')"

func (s reports) HighConfidenceApproved(ctx context.Context, atLeast float64, period store.Period, p store.PageRequest) (store.Page[*suggestion.Suggestion], error) {
	var page store.Page[*suggestion.Suggestion]
	period, err := checkPeriod(period)
	if err != nil {
		return page, err
	}
	if math.IsNaN(atLeast) || atLeast < 0 || atLeast > 1 {
		return page, rule.Invalid("at_least", "is not between 0 and 1")
	}
	filter := struct {
		Since, Before time.Time
		AtLeast       float64
	}{period.Since, period.Before, atLeast}
	l, err := s.sc.Listing(ctx, "approved", filter, p)
	if err != nil {
		return page, err
	}
	confidence := "s.confidence_score"
	if !s.sc.All {
		// The index in this order spans all users. The expression hides it, so that the rows of
		// one user, which are few, are found by the user and sorted.
		confidence = "(s.confidence_score + 0)"
	}
	q := query.New("SELECT "+record.SuggestionColumns+" FROM "+s.sc.Tables.Suggestions+" s WHERE status = 'approved' AND deleted_at IS NULL"+
		" AND confidence_score IS NOT NULL AND "+confidence+" >= ?", atLeast)
	scope.Between(s.sc.InLive(s.sc.Owned(q, "s."), "s."), "created_at", period.Since, period.Before)
	surest := s.sc.SortBy(confidence, "", func(p *scope.Place) any { return math.Float64frombits(uint64(p.Key)) })
	if l.After != nil {
		surest.After(q, "<", l.After)
	}
	q.Add(surest.OrderBy(" DESC")+" LIMIT ?", l.Limit+1)
	page, err = scope.ReadPage(l, q, record.SuggestionDest, (*suggestion.Suggestion).Size, func(s *suggestion.Suggestion) scope.Place {
		return scope.Place{Key: confidenceKey(*s.ConfidenceScore), ID: s.ID, User: s.UserID}
	})
	return page, query.Wrap("report suggestions", err)
}

// confidenceKey returns a confidence as the key of a cursor, without losing a digit.
func confidenceKey(c float64) int64 { return int64(math.Float64bits(c)) }

func (s reports) DecisionTimes(ctx context.Context, p store.Period) (store.DecisionTimes, error) {
	p, db, err := s.readPeriod(ctx, p)
	if err != nil {
		return store.DecisionTimes{}, err
	}
	waits := s.liveSuggestions(query.New("SELECT s.created_at AS at, "+s.sc.Dialect.Micros("s.created_at", "s.reviewed_at")+" AS wait"), p).
		Add(" AND s.status NOT IN ('superseded', 'expired')")
	all, err := s.total(db, p, waits)
	return store.DecisionTimes{
		Decided: all.ended, Durations: all.durations(), Pending: all.open, OldestPending: all.oldest,
	}, query.Wrap("report decision times", err)
}
