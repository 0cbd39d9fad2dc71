package storetest

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func hasStatus(status suggestion.Status) func(*suggestion.Suggestion) bool {
	return func(s *suggestion.Suggestion) bool { return s.Status == status }
}

func stats(ss []*suggestion.Suggestion) store.SuggestionStats {
	sum := costs(ss)
	return store.SuggestionStats{
		Made:    sum.Suggestions,
		Pending: count(ss, hasStatus(suggestion.StatusPending)), Approved: count(ss, hasStatus(suggestion.StatusApproved)),
		Edited: count(ss, hasStatus(suggestion.StatusEdited)), Rejected: count(ss, hasStatus(suggestion.StatusRejected)),
		Superseded: count(ss, hasStatus(suggestion.StatusSuperseded)), Expired: count(ss, hasStatus(suggestion.StatusExpired)),
		AverageConfidence: averageConfidence(ss), Tokens: sum.Tokens, Cost: sum.Cost,
	}
}

// averageConfidence adds whole billionths up and divides once.
func averageConfidence(ss []*suggestion.Suggestion) *float64 {
	var n, sum int64
	for _, s := range ss {
		if s.ConfidenceScore != nil {
			n++
			sum += int64(math.Round(*s.ConfidenceScore * 1e9))
		}
	}
	if n == 0 {
		return nil
	}
	return new(float64(sum) / (1e9 * float64(n)))
}

func costs(ss []*suggestion.Suggestion) store.Costs {
	c := store.Costs{Suggestions: int64(len(ss)), Cost: decimal.Zero}
	for _, s := range ss {
		c.Tokens += s.TokensUsed
		c.Cost = c.Cost.Add(s.GenerationCost)
	}
	return c
}

func (o *oracle) SuggestionsByDay(p store.Period) []store.DaySuggestions {
	return byDay(o.series(p), o.suggestions, draftedAt, func(d store.Day, ss []*suggestion.Suggestion) store.DaySuggestions {
		return store.DaySuggestions{Day: d, SuggestionStats: stats(ss)}
	})
}

func (o *oracle) SuggestionsByConfidence(p store.Period, bounds ...float64) []store.ConfidenceSuggestions {
	if len(bounds) == 0 {
		bounds = []float64{0.85, 0.70}
	}
	// A bucket more than there are bounds, and the last one for those without.
	buckets := make([][]*suggestion.Suggestion, len(bounds)+2)
	for _, s := range o.drafted(p) {
		i := len(bounds) + 1
		if s.ConfidenceScore != nil {
			i = 0
			for i < len(bounds) && *s.ConfidenceScore < bounds[i] {
				i++
			}
		}
		buckets[i] = append(buckets[i], s)
	}
	rows := make([]store.ConfidenceSuggestions, len(buckets))
	for i, ss := range buckets {
		rows[i].SuggestionStats = stats(ss)
		if i < len(bounds) {
			rows[i].AtLeast, rows[i+1].Below = &bounds[i], &bounds[i]
		}
	}
	return rows
}

func modelOf(s *suggestion.Suggestion) string { return s.ModelUsed }

func (o *oracle) SuggestionsByModel(p store.Period) []store.ModelSuggestions {
	var rows []store.ModelSuggestions
	for model, ss := range grouped(o.drafted(p), modelOf) {
		rows = append(rows, store.ModelSuggestions{Model: model, SuggestionStats: stats(ss)})
	}
	slices.SortFunc(rows, func(a, b store.ModelSuggestions) int {
		return cmp.Or(cmp.Compare(b.Made, a.Made), cmp.Compare(a.Model, b.Model))
	})
	return rows
}

func (o *oracle) HighConfidenceApproved(atLeast float64, p store.Period) []*suggestion.Suggestion {
	rows := filter(o.drafted(p), func(s *suggestion.Suggestion) bool {
		return s.Status == suggestion.StatusApproved && s.ConfidenceScore != nil && *s.ConfidenceScore >= atLeast
	})
	slices.SortFunc(rows, func(a, b *suggestion.Suggestion) int {
		return cmp.Or(cmp.Compare(*b.ConfidenceScore, *a.ConfidenceScore), byID(b.ID, a.ID))
	})
	return rows
}

func (o *oracle) DecisionTimes(p store.Period) (d store.DecisionTimes) {
	var took []time.Duration
	for _, s := range o.drafted(p) {
		if s.Status == suggestion.StatusSuperseded || s.Status == suggestion.StatusExpired {
			continue // nobody decided
		}
		if s.ReviewedAt != nil {
			if wait := s.ReviewedAt.Sub(s.CreatedAt); plausible(wait) {
				took = append(took, counted(p, s.CreatedAt, wait))
			}
			continue
		}
		d.Pending++
		d.OldestPending = older(d.OldestPending, s.CreatedAt)
	}
	d.Decided, d.Durations = int64(len(took)), durations(took)
	return d
}

func (o *oracle) EditDistances(p store.Period) (e store.EditDistances) {
	var distances []int64
	shares := new(big.Rat)
	for _, s := range filter(o.drafted(p), func(s *suggestion.Suggestion) bool { return s.Status.Sendable() }) {
		e.Decided++
		from, to := []rune(s.SuggestedContent), []rune(s.FinalContent())
		longer := max(len(from), len(to))
		switch {
		case slices.Equal(from, to):
			e.Unchanged++
		case longer > store.MaxEditText:
			e.TooLong++
		default:
			d := o.distance(s.ID, from, to)
			distances = append(distances, int64(d))
			shares.Add(shares, big.NewRat(int64(d), int64(longer)))
		}
	}
	if e.Compared = int64(len(distances)); e.Compared == 0 {
		return e
	}
	number := func(r *big.Rat) *float64 {
		f, _ := r.Float64()
		return &f
	}
	e.Mean, e.Median, e.P90 = number(mean(distances)), number(percentile(distances, 50)), number(percentile(distances, 90))
	e.MeanShare = number(shares.Quo(shares, big.NewRat(e.Compared, 1)))
	return e
}

func (o *oracle) distance(id uuid.UUID, from, to []rune) int {
	d, known := o.distances[id]
	if !known {
		d = editDistance(from, to)
		o.distances[id] = d
	}
	return d
}

// editDistance keeps one row of the table of all distances between beginnings.
func editDistance(from, to []rune) int {
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, a := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, b := range to {
			replaced := diagonal
			if a != b {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(to)]
}

// dearest compares what two things cost.
func dearest(a, b store.Costs) int { return b.Cost.Cmp(a.Cost) }

func (o *oracle) CostsByConversation(t store.Top) []store.ConversationCost {
	var rows []store.ConversationCost
	for id, ss := range grouped(o.drafted(t.Period), func(s *suggestion.Suggestion) uuid.UUID { return s.ConversationID }) {
		rows = append(rows, store.ConversationCost{ConversationRef: o.ref(id), Costs: costs(ss)})
	}
	slices.SortFunc(rows, func(a, b store.ConversationCost) int {
		return cmp.Or(dearest(a.Costs, b.Costs), byID(a.ConversationID, b.ConversationID))
	})
	return top(rows, t.Limit)
}

func (o *oracle) CostsByLead(t store.Top) []store.LeadCost {
	var rows []store.LeadCost
	for lead, ss := range grouped(o.drafted(t.Period), func(s *suggestion.Suggestion) leadKey { return leadOf(o.live[s.ConversationID]) }) {
		if lead.id != "" {
			rows = append(rows, store.LeadCost{UserID: lead.owner, LeadRef: o.lead(lead), Costs: costs(ss)})
		}
	}
	slices.SortFunc(rows, func(a, b store.LeadCost) int {
		return cmp.Or(dearest(a.Costs, b.Costs), byLead(leadKey{a.UserID, a.LeadID}, leadKey{b.UserID, b.LeadID}))
	})
	return top(rows, t.Limit)
}

func (o *oracle) CostsByModel(t store.Top) []store.ModelCost {
	var rows []store.ModelCost
	for model, ss := range grouped(o.drafted(t.Period), modelOf) {
		rows = append(rows, store.ModelCost{Model: model, Costs: costs(ss)})
	}
	slices.SortFunc(rows, func(a, b store.ModelCost) int {
		return cmp.Or(dearest(a.Costs, b.Costs), cmp.Compare(a.Model, b.Model))
	})
	return top(rows, t.Limit)
}

func (o *oracle) CostsByDay(p store.Period) []store.DayCost {
	return byDay(o.series(p), o.suggestions, draftedAt, func(d store.Day, ss []*suggestion.Suggestion) store.DayCost {
		return store.DayCost{Day: d, Costs: costs(ss)}
	})
}
