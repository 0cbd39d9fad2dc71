package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/store"
)

// Figures are the results of the reports for one scope and one period.
type Figures struct {
	Options
	period store.Period

	summary store.Summary
	days    []store.Daily
	// waiting are all that wait now, whenever they began, the longest first.
	waiting []*store.UnreadConversation

	response      store.ResponseTimes
	responseDays  []store.DayResponse
	slowest       []store.ConversationResponse
	slowestLeads  []store.LeadResponse
	rates         []store.ResponseRate
	suggestions   []store.DaySuggestions
	confidence    []store.ConfidenceSuggestions
	models        []store.ModelSuggestions
	decisions     store.DecisionTimes
	edits         store.EditDistances
	expensive     []store.ConversationCost
	expensiveLead []store.LeadCost
	costDays      []store.DayCost
	active        []store.ConversationActivity
	attachments   []store.ConversationAttachments

	// unit is what charts have a place for, spans are these and responseTimes theirs.
	unit          string
	spans         []span
	responseTimes []store.ResponseTimes

	// total adds up what the models say, messages and those with a direction what the days do.
	total             store.SuggestionStats
	inbound, outbound int64
	messages          int64
	// places is how many decimals of money are shown, the same everywhere.
	places int32
}

// Collect calls all reports of a scope.
func Collect(ctx context.Context, scope store.Scope, o Options) (*Figures, error) {
	p, err := o.period(ctx, scope.Conversations())
	if err != nil {
		return nil, err
	}
	f := &Figures{Options: o, period: p}
	r, top := scope.Reports(), store.Top{Period: p, Limit: o.Top}

	keep(&err, &f.summary)(r.Summary(ctx, p))
	keep(&err, &f.days)(r.DailySeries(ctx, store.Days{Period: p}))
	keep(&err, &f.active)(r.MostActive(ctx, top))
	keep(&err, &f.waiting)(longestWaiting(ctx, r))
	keep(&err, &f.attachments)(r.AttachmentCounts(ctx, top))

	keep(&err, &f.response)(r.ResponseTimes(ctx, p))
	keep(&err, &f.responseDays)(r.ResponseTimesByDay(ctx, store.Days{Period: p}))
	keep(&err, &f.slowest)(r.ResponseTimesByConversation(ctx, top))
	keep(&err, &f.slowestLeads)(r.ResponseTimesByLead(ctx, top))
	if o.Category != "" {
		keep(&err, &f.rates)(r.ResponseRate(ctx, o.Category, p))
	}

	keep(&err, &f.suggestions)(r.SuggestionsByDay(ctx, store.Days{Period: p}))
	keep(&err, &f.confidence)(r.SuggestionsByConfidence(ctx, p, 0.9, 0.8, 0.7, 0.6))
	keep(&err, &f.models)(r.SuggestionsByModel(ctx, p))
	keep(&err, &f.decisions)(r.DecisionTimes(ctx, p))
	keep(&err, &f.edits)(r.EditDistances(ctx, p))

	keep(&err, &f.expensive)(r.CostsByConversation(ctx, top))
	keep(&err, &f.expensiveLead)(r.CostsByLead(ctx, top))
	keep(&err, &f.costDays)(r.CostsByDay(ctx, store.Days{Period: p}))
	if err != nil {
		return nil, err
	}
	f.addUp()
	f.unit, f.spans = spans(f.days, p)
	f.responseTimes, err = f.responseSpans(ctx, r)
	return f, err
}

// keep stores the result of a report, and the first error.
func keep[T any](first *error, to *T) func(T, error) {
	return func(v T, err error) {
		*to, *first = v, cmp.Or(*first, err)
	}
}

// period gives the reports both bounds, so that totals and days cover the same time. A mailbox
// that nobody has written to for years also gets the 30 days up to its newest message.
func (o Options) period(ctx context.Context, c store.Conversations) (store.Period, error) {
	p := store.Period{Since: o.Since, Before: o.Before, Zone: o.Zone}
	if p.Before.IsZero() {
		p.Before = dayAfter(o.Now)
	}
	if !p.Since.IsZero() {
		return p, nil
	}
	if o.Before.IsZero() {
		newest, err := c.List(ctx, store.ConversationFilter{ActiveBefore: p.Before}, store.PageRequest{Limit: 1})
		if err != nil {
			return p, err
		}
		for _, c := range newest.Items {
			p.Before = dayAfter(c.LastMessageAt.In(o.Zone))
		}
	}
	p.Since = p.Before.AddDate(0, 0, -30)
	return p, nil
}

func dayAfter(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, t.Location())
}

// longestWaiting reads all pages, because they are in the order of the last message, not in that
// of the first unanswered one.
func longestWaiting(ctx context.Context, r store.Reports) ([]*store.UnreadConversation, error) {
	var all []*store.UnreadConversation
	request := store.PageRequest{Limit: store.MaxLimit}
	for {
		page, err := r.Unread(ctx, time.Time{}, request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if request.After = page.Next; page.Next == "" {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b *store.UnreadConversation) int { return waitingSince(a).Compare(waitingSince(b)) })
	return all, nil
}

// waitingSince uses the last message if no unanswered one is known.
func waitingSince(u *store.UnreadConversation) time.Time {
	if u.WaitingSince == nil {
		return u.LastMessageAt
	}
	return *u.WaitingSince
}

func (f *Figures) addUp() {
	for _, d := range f.days {
		f.messages += d.Messages
		f.inbound += d.Inbound
		f.outbound += d.Outbound
	}
	t := &f.total
	for _, m := range f.models {
		t.Made += m.Made
		t.Pending += m.Pending
		t.Approved += m.Approved
		t.Edited += m.Edited
		t.Rejected += m.Rejected
		t.Tokens += m.Tokens
		t.Cost = t.Cost.Add(m.Cost)
	}
	f.places = 4
	if t.Cost.GreaterThanOrEqual(decimal.NewFromInt(100)) {
		f.places = 2
	}
}
