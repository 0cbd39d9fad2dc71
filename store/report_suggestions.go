package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

// suggestionSums are SuggestionStats on their way from the database: confidences are
// added up as integers, since a sum of floating-point numbers depends on their order.
type suggestionSums struct {
	SuggestionStats
	confidence, scored int64
}

// nano is how a confidence is taken to nine decimals.
const nano = 1_000_000_000

func (s suggestionSums) stats() SuggestionStats {
	if s.scored > 0 {
		s.AverageConfidence = new(float64(s.confidence) / (nano * float64(s.scored)))
	}
	return s.SuggestionStats
}

// suggestionSums are the columns of suggestionSumsDest.
func (s reports) suggestionSums() string {
	columns := "count(*) AS made"
	for _, status := range suggestion.Statuses() {
		columns += fmt.Sprintf(", count(CASE WHEN s.status = '%[1]s' THEN 1 END) AS %[1]s", status)
	}
	return columns + fmt.Sprintf(", CAST(coalesce(sum(CAST(round(s.confidence_score * %d) AS bigint)), 0) AS bigint) AS confidence, "+
		"count(s.confidence_score) AS scored, ", nano) + s.costSums()
}

func suggestionSumsDest(s *suggestionSums) []any {
	return append([]any{&s.Made, &s.Pending, &s.Approved, &s.Edited, &s.Rejected, &s.confidence, &s.scored},
		&s.Tokens, (*money)(&s.Cost))
}

func (s reports) suggestionsByDay(days *series) *query {
	q := newQuery("SELECT " + s.localDay("s.created_at", days) + ", " + s.suggestionSums())
	return s.liveSuggestions(q, days.Period).add(" GROUP BY 1")
}

func (s reports) SuggestionsByDay(ctx context.Context, p Period) ([]DaySuggestions, error) {
	days, db, err := s.days(ctx, p)
	if err != nil {
		return nil, err
	}
	found, err := byDay(db, days, s.suggestionsByDay(days), suggestionSumsDest)
	if err != nil {
		return nil, fail("report suggestions", err)
	}
	all := make([]DaySuggestions, len(days.days))
	for i, day := range days.days {
		all[i] = DaySuggestions{day, found[i].stats()}
	}
	return all, nil
}

func (s reports) SuggestionsByConfidence(ctx context.Context, p Period, bounds ...float64) ([]ConfidenceSuggestions, error) {
	p, err := p.normalize()
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
	db, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	q := newQuery("SELECT CASE")
	for i, bound := range bounds {
		q.add(fmt.Sprintf(" WHEN s.confidence_score >= ? THEN %d", i), bound)
	}
	q.add(fmt.Sprintf(" WHEN s.confidence_score IS NULL THEN %d ELSE %d END, ", len(bounds)+1, len(bounds)) + s.suggestionSums())
	type row struct {
		bucket int
		suggestionSums
	}
	rows, err := collect(db, s.liveSuggestions(q, p).add(" GROUP BY 1"), func(r *row) []any {
		return append([]any{&r.bucket}, suggestionSumsDest(&r.suggestionSums)...)
	})
	for _, r := range rows {
		all[r.bucket].SuggestionStats = r.stats()
	}
	return all, fail("report suggestions", err)
}

// buckets are empty ones for falling bounds, that below all of them and that of no
// confidence last.
func buckets(bounds []float64) ([]ConfidenceSuggestions, error) {
	if len(bounds) > MaxBounds {
		return nil, rule.Invalid("bounds", "are %d, the most is %d", len(bounds), MaxBounds)
	}
	all := make([]ConfidenceSuggestions, len(bounds)+2)
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

func (s reports) SuggestionsByModel(ctx context.Context, p Period) ([]ModelSuggestions, error) {
	p, db, err := s.over(ctx, p)
	if err != nil {
		return nil, err
	}
	q := newQuery("SELECT " + modelName + " AS model, " + s.suggestionSums())
	s.liveSuggestions(q, p).add(" GROUP BY " + modelName + " ORDER BY made DESC, " + s.dialect.ByBytes(modelName))
	type row struct {
		model string
		suggestionSums
	}
	found, err := collect(db, q, func(r *row) []any { return append([]any{&r.model}, suggestionSumsDest(&r.suggestionSums)...) })
	all := make([]ModelSuggestions, len(found))
	for i, r := range found {
		all[i] = ModelSuggestions{r.model, r.stats()}
	}
	return all, fail("report suggestions", err)
}

const modelName = "coalesce(s.model_used, '')"

func (s reports) HighConfidenceApproved(ctx context.Context, atLeast float64, period Period, p PageRequest) (Page[*suggestion.Suggestion], error) {
	var page Page[*suggestion.Suggestion]
	period, err := period.normalize()
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
	l, err := s.listing(ctx, "approved", filter, p)
	if err != nil {
		return page, err
	}
	confidence := "s.confidence_score"
	if !s.all {
		// The index in this order is everybody's: one user's few are found by the user, and
		// sorted.
		confidence = "(s.confidence_score + 0)"
	}
	q := newQuery("SELECT "+suggestionColumns+" FROM "+s.tables.suggestions+" s WHERE status = 'approved' AND deleted_at IS NULL"+
		" AND confidence_score IS NOT NULL AND "+confidence+" >= ?", atLeast)
	s.inLive(s.owned(q, "s."), "s.").within("created_at", period.Since, period.Before)
	if l.after != nil {
		s.after(q, confidence, "", "<", math.Float64frombits(uint64(l.after.key)), l.after)
	}
	found, err := collect(l.db, q.add(s.orderBy(confidence, "", " DESC")+" LIMIT ?", l.limit+1), suggestionDest)
	if err != nil {
		return page, fail("report suggestions", err)
	}
	return pageOf(found, l, func(s *suggestion.Suggestion) place {
		return place{key: confidenceKey(*s.ConfidenceScore), id: s.ID, user: s.UserID}
	}), nil
}

// confidenceKey keeps every digit of a confidence in a cursor.
func confidenceKey(c float64) int64 { return int64(math.Float64bits(c)) }

func (s reports) DecisionTimes(ctx context.Context, p Period) (DecisionTimes, error) {
	p, db, err := s.over(ctx, p)
	if err != nil {
		return DecisionTimes{}, err
	}
	waits := s.liveSuggestions(newQuery("SELECT s.created_at AS at, "+s.dialect.Micros("s.created_at", "s.reviewed_at")+" AS wait"), p)
	var all sums
	_, err = s.durations("", waits).row(db, all.dest()...)
	return DecisionTimes{
		Decided: all.ended, Durations: all.durations(), Pending: all.open, OldestPending: all.oldest,
	}, fail("report decision times", err)
}
