package storetest

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// question is an inbound message, the first of those in a row, and how long its answer
// took; nil if there is none.
type question struct {
	conversation uuid.UUID
	at           time.Time
	took         *time.Duration
}

// questions are all of the live conversations, whenever they were asked.
func (o *oracle) questions() []question {
	var all []question
	for id, thread := range o.threads {
		var open *question
		for _, m := range thread {
			switch {
			case !m.Counts() || undelivered(m):
			case m.Direction == message.DirectionInbound && open == nil:
				open = &question{conversation: id, at: m.SentAt}
			case m.Direction == message.DirectionOutbound && open != nil:
				open.took = new(m.SentAt.Sub(open.at))
				all, open = append(all, *open), nil
			}
		}
		if open != nil {
			all = append(all, *open)
		}
	}
	return all
}

// undelivered says that a message did not reach the other side.
func undelivered(m *message.Message) bool {
	not := []message.Delivery{message.DeliveryFailed, message.DeliveryBounced, message.DeliveryCancelled}
	return m.Direction == message.DirectionOutbound && slices.Contains(not, m.Delivery)
}

func (o *oracle) asked(p store.Period) []question {
	return filter(o.questions(), func(q question) bool { return during(p, q.at) })
}

func responses(p store.Period, qs []question) (r store.ResponseTimes) {
	var took []time.Duration
	for _, q := range qs {
		if q.took != nil {
			if plausible(*q.took) {
				took = append(took, counted(p, q.at, *q.took))
			}
			continue
		}
		r.Open++
		r.OldestOpen = older(r.OldestOpen, q.at)
	}
	r.Answered, r.Durations = int64(len(took)), durations(took)
	return r
}

// counted is what a period's calendar counts of a wait.
func counted(p store.Period, since time.Time, wait time.Duration) time.Duration {
	if p.Calendar == nil {
		return wait
	}
	return p.Calendar.Open(since, since.Add(wait))
}

func plausible(wait time.Duration) bool { return wait >= 0 && wait <= store.MaxWait }

func older(oldest *time.Time, at time.Time) *time.Time {
	if oldest == nil || at.Before(*oldest) {
		return &at
	}
	return oldest
}

func durations(took []time.Duration) (d store.Durations) {
	if len(took) == 0 {
		return d
	}
	var micros []int64
	for _, t := range took {
		micros = append(micros, t.Microseconds())
	}
	exact := func(r *big.Rat) time.Duration { return time.Duration(halfUp(r)) * time.Microsecond }
	return store.Durations{
		Mean: exact(mean(micros)), Median: exact(percentile(micros, 50)),
		P90: exact(percentile(micros, 90)), P95: exact(percentile(micros, 95)),
	}
}

func mean(of []int64) *big.Rat {
	sum := new(big.Int)
	for _, v := range of {
		sum.Add(sum, big.NewInt(v))
	}
	return new(big.Rat).SetFrac(sum, big.NewInt(int64(len(of))))
}

// percentile interpolates between the closest ranks.
func percentile(of []int64, percent int64) *big.Rat {
	sorted := slices.Sorted(slices.Values(of))
	rank := percent * int64(len(sorted)-1)
	at, rest := rank/100, rank%100
	value := big.NewRat(sorted[at], 1)
	if rest == 0 {
		return value
	}
	step := big.NewRat((sorted[at+1]-sorted[at])*rest, 100)
	return value.Add(value, step)
}

// halfUp rounds what is not negative.
func halfUp(r *big.Rat) int64 {
	twice := new(big.Int).Mul(r.Num(), big.NewInt(2))
	twice.Add(twice, r.Denom())
	return twice.Div(twice, new(big.Int).Mul(r.Denom(), big.NewInt(2))).Int64()
}

func (o *oracle) ResponseTimes(p store.Period) store.ResponseTimes { return responses(p, o.asked(p)) }

// slowest has the slowest mean first and those without any answer last.
func slowest(a, b store.ResponseTimes) int {
	none := func(r store.ResponseTimes) int {
		if r.Answered == 0 {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(none(a), none(b)), cmp.Compare(b.Mean, a.Mean))
}

func (o *oracle) ResponseTimesByConversation(t store.Top) []store.ConversationResponse {
	var rows []store.ConversationResponse
	for id, qs := range grouped(o.asked(t.Period), func(q question) uuid.UUID { return q.conversation }) {
		rows = append(rows, store.ConversationResponse{ConversationRef: o.ref(id), ResponseTimes: responses(t.Period, qs)})
	}
	slices.SortFunc(rows, func(a, b store.ConversationResponse) int {
		return cmp.Or(slowest(a.ResponseTimes, b.ResponseTimes), byID(a.ConversationID, b.ConversationID))
	})
	return top(rows, t.Limit)
}

func (o *oracle) ResponseTimesByLead(t store.Top) []store.LeadResponse {
	var rows []store.LeadResponse
	for lead, qs := range grouped(o.asked(t.Period), func(q question) leadKey { return leadOf(o.live[q.conversation]) }) {
		if lead.id != "" {
			rows = append(rows, store.LeadResponse{UserID: lead.owner, LeadRef: o.lead(lead), ResponseTimes: responses(t.Period, qs)})
		}
	}
	slices.SortFunc(rows, func(a, b store.LeadResponse) int {
		return cmp.Or(slowest(a.ResponseTimes, b.ResponseTimes), byLead(leadKey{a.UserID, a.LeadID}, leadKey{b.UserID, b.LeadID}))
	})
	return top(rows, t.Limit)
}

// FirstResponseTimes takes the first of each conversation, in whose order they are.
func (o *oracle) FirstResponseTimes(p store.Period) store.ResponseTimes {
	seen := map[uuid.UUID]bool{}
	firsts := filter(o.questions(), func(q question) bool {
		first := !seen[q.conversation]
		seen[q.conversation] = true
		return first
	})
	return responses(p, filter(firsts, func(q question) bool { return during(p, q.at) }))
}

func (o *oracle) ResponseTimesByAssignee(t store.Top) []store.AssigneeResponse {
	var rows []store.AssigneeResponse
	groups := grouped(o.asked(t.Period), func(q question) leadKey {
		return leadKey{o.live[q.conversation].UserID, o.live[q.conversation].Assignee}
	})
	for k, qs := range groups {
		rows = append(rows, store.AssigneeResponse{UserID: k.owner, Assignee: k.id, ResponseTimes: responses(t.Period, qs)})
	}
	slices.SortFunc(rows, func(a, b store.AssigneeResponse) int {
		return cmp.Or(slowest(a.ResponseTimes, b.ResponseTimes), byLead(leadKey{a.UserID, a.Assignee}, leadKey{b.UserID, b.Assignee}))
	})
	return top(rows, t.Limit)
}

func (o *oracle) ResponseTimesByDay(p store.Period) []store.DayResponse {
	return byDay(o.series(p), o.questions(), func(q question) time.Time { return q.at },
		func(d store.Day, qs []question) store.DayResponse {
			return store.DayResponse{Day: d, ResponseTimes: responses(p, qs)}
		})
}

func (o *oracle) ResponseRate(column string, p store.Period) []store.ResponseRate {
	byValue := map[string]*store.ResponseRate{}
	for _, c := range o.started() {
		l, exists := o.leads[leadOf(c)]
		if !exists || !during(p, c.CreatedAt) {
			continue
		}
		value := l.column(column)
		if byValue[value] == nil {
			byValue[value] = &store.ResponseRate{Value: value}
		}
		byValue[value].Started++
		if slices.ContainsFunc(o.threads[c.ID], hasDirection(message.DirectionInbound)) {
			byValue[value].Answered++
		}
	}
	var rows []store.ResponseRate
	for _, r := range byValue {
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b store.ResponseRate) int {
		return cmp.Or(big.NewRat(b.Answered, b.Started).Cmp(big.NewRat(a.Answered, a.Started)),
			cmp.Compare(b.Started, a.Started), cmp.Compare(a.Value, b.Value))
	})
	return rows
}

// column is the text of a column of the host's table, empty where it is NULL.
func (l hostLead) column(name string) string {
	switch {
	case name == "category" && l.category != nil:
		return *l.category
	case name == "tier" && l.tier != nil:
		return fmt.Sprint(*l.tier)
	}
	return ""
}
