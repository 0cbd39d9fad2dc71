package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/convostore/convostore/store"
)

// charts draws what the page shows.
func (f *figures) charts() ([]*chart, error) {
	all := []*chart{
		f.messageChart(), f.conversationChart(), f.responseChart(), f.suggestionChart(),
		f.confidenceChart(), f.costChart(),
	}
	if f.category != "" {
		all = append(all, f.rateChart())
	}
	for _, c := range all {
		if err := c.draw(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func count(v float64) string { return number(int64(math.Round(v))) }

// values takes one of each day.
func values[T any](all []T, of func(T) int64) []float64 {
	made := make([]float64, len(all))
	for i, one := range all {
		made[i] = float64(of(one))
	}
	return made
}

func (f *figures) messageChart() *chart {
	return f.byDay(chart{
		Title: "Messages sent", axis: count, whole: true, Empty: "No message was sent.",
		Series: []series{
			{Name: "inbound", Color: "blue", values: values(f.days, func(d store.Daily) int64 { return d.Inbound })},
			{Name: "outbound", Color: "green", values: values(f.days, func(d store.Daily) int64 { return d.Outbound })},
			{Name: "without a direction", Color: "grey", values: values(f.days, func(d store.Daily) int64 {
				return d.Messages - d.Inbound - d.Outbound
			})},
		},
	})
}

func (f *figures) conversationChart() *chart {
	return f.byDay(chart{
		Title: "New conversations", axis: count, whole: true, Empty: "No conversation was begun.",
		Series: []series{
			{Name: "need a reply now", Color: "orange", values: values(f.days, func(d store.Daily) int64 { return d.NeedsReply })},
			{Name: "others", Color: "blue", values: values(f.days, func(d store.Daily) int64 { return d.NewConversations - d.NeedsReply })},
		},
	})
}

func (f *figures) suggestionChart() *chart {
	of := func(name, color string, of func(store.DaySuggestions) int64) series {
		return series{Name: name, Color: color, values: values(f.suggestions, of)}
	}
	return f.byDay(chart{
		Title: "Suggestions drafted, by what became of them", axis: count, whole: true, Empty: noSuggestion,
		Series: []series{
			of("approved as drafted", "green", func(d store.DaySuggestions) int64 { return d.Approved }),
			of("edited", "orange", func(d store.DaySuggestions) int64 { return d.Edited }),
			of("rejected", "red", func(d store.DaySuggestions) int64 { return d.Rejected }),
			of("pending", "grey", func(d store.DaySuggestions) int64 { return d.Pending }),
		},
	})
}

func (f *figures) responseChart() *chart {
	var longest time.Duration
	for _, d := range f.responseDays {
		longest = max(longest, d.P90)
	}
	unit, sign := unitOf(longest)
	of := func(took func(store.Durations) time.Duration) []float64 {
		all := make([]float64, len(f.responseDays))
		for i, d := range f.responseDays {
			if all[i] = float64(took(d.Durations)) / float64(unit); d.Answered == 0 {
				all[i] = math.NaN()
			}
		}
		return all
	}
	return f.byDay(chart{
		Title: "Response time, by the day of the question", kind: lines, Empty: "No question was answered.",
		Note: noteResponse,
		axis: func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + " " + sign },
		Series: []series{
			{Name: "nine of ten within (P90)", Color: "orange", values: of(func(d store.Durations) time.Duration { return d.P90 })},
			{Name: "half of them within (median)", Color: "blue", values: of(func(d store.Durations) time.Duration { return d.Median })},
		},
	})
}

func unitOf(longest time.Duration) (unit time.Duration, sign string) {
	switch {
	case longest <= 2*time.Minute:
		return time.Second, "s"
	case longest <= 2*time.Hour:
		return time.Minute, "min"
	case longest <= 96*time.Hour:
		return time.Hour, "h"
	}
	return 24 * time.Hour, "d"
}

func (f *figures) costChart() *chart {
	all := make([]float64, len(f.costDays))
	for i, d := range f.costDays {
		all[i] = d.Cost.InexactFloat64()
	}
	return f.byDay(chart{
		Title: "Cost of suggestions", Note: "in your currency", Empty: "Nothing was paid.",
		axis:   func(v float64) string { return thousands(strconv.FormatFloat(v, 'f', -1, 64)) },
		Series: []series{{Name: "cost", Color: "blue", values: all}},
	})
}

func (f *figures) confidenceChart() *chart {
	c := &chart{
		Title: "Approval rate, by the model's confidence", Note: noteApproval, Empty: noSuggestion,
		kind: labelledBars, axis: axisPercent, most: 100,
	}
	s := series{Name: "approved as drafted", Color: "green"}
	for _, b := range f.confidence {
		rate, ok := b.ApprovalRate()
		s.values = append(s.values, 100*rate)
		s.labels = append(s.labels, fmt.Sprintf("%s of %s", percent(rate, ok), number(b.Made)))
		c.Labels = append(c.Labels, bucket(b))
	}
	c.Series = []series{s}
	return c
}

func (f *figures) rateChart() *chart {
	c := &chart{
		Title: "Response rate of leads, by " + short(f.category), Note: noteRate,
		Empty: "No conversation with a lead was begun, or none was answered.",
		kind:  labelledBars, axis: axisPercent, most: 100,
	}
	s := series{Name: "conversations with an answer", Color: "blue"}
	for _, r := range f.rates[:min(len(f.rates), f.top)] {
		rate, ok := r.Rate()
		s.values = append(s.values, 100*rate)
		s.labels = append(s.labels, fmt.Sprintf("%s of %s", percent(rate, ok), number(r.Started)))
		c.Labels = append(c.Labels, categoryName(r.Value))
	}
	c.Series = []series{s}
	return c
}

func axisPercent(v float64) string { return fmt.Sprintf("%.0f %%", v) }
