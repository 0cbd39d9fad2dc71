package report

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/convostore/convostore/store"
)

// charts draws what the page shows.
func (f *Figures) charts() ([]*chart, error) {
	all := []*chart{
		f.messageChart(), f.conversationChart(), f.responseChart(), f.suggestionChart(),
		f.confidenceChart(), f.costChart(),
	}
	if f.Category != "" {
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

// decimals drops what a float has too much of.
func decimals(v float64) string {
	return thousands(strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64))
}

// inTime gives a chart its dates.
func (f *Figures) inTime(c chart) *chart {
	c.Title += ", by " + f.unit
	c.Labels = f.dates()
	return &c
}

func (f *Figures) messageChart() *chart {
	of := func(name, color string, of func(store.Daily) int64) series {
		return series{name, color, f.sums(func(day int) float64 { return float64(of(f.days[day])) })}
	}
	return f.inTime(chart{
		Title: "Messages sent", axis: count, whole: true, Empty: "No message was sent.",
		Series: []series{
			of("inbound", "blue", func(d store.Daily) int64 { return d.Inbound }),
			of("outbound", "green", func(d store.Daily) int64 { return d.Outbound }),
			of("without a direction", "grey", func(d store.Daily) int64 { return d.Messages - d.Inbound - d.Outbound }),
		},
	})
}

func (f *Figures) conversationChart() *chart {
	of := func(name, color string, of func(store.Daily) int64) series {
		return series{name, color, f.sums(func(day int) float64 { return float64(of(f.days[day])) })}
	}
	return f.inTime(chart{
		Title: "New conversations", axis: count, whole: true, Empty: "No conversation was begun.",
		Series: []series{
			of("need a reply now", "orange", func(d store.Daily) int64 { return d.NeedsReply }),
			of("others", "blue", func(d store.Daily) int64 { return d.NewConversations - d.NeedsReply }),
		},
	})
}

func (f *Figures) suggestionChart() *chart {
	of := func(name, color string, of func(store.DaySuggestions) int64) series {
		return series{name, color, f.sums(func(day int) float64 { return float64(of(f.suggestions[day])) })}
	}
	return f.inTime(chart{
		Title: "Suggestions and what became of them", axis: count, whole: true, Empty: noSuggestion,
		Series: []series{
			of("approved as drafted", "green", func(d store.DaySuggestions) int64 { return d.Approved }),
			of("edited", "orange", func(d store.DaySuggestions) int64 { return d.Edited }),
			of("rejected", "red", func(d store.DaySuggestions) int64 { return d.Rejected }),
			of("pending", "grey", func(d store.DaySuggestions) int64 { return d.Pending }),
		},
	})
}

func (f *Figures) responseChart() *chart {
	var longest time.Duration
	for _, r := range f.responseTimes {
		longest = max(longest, r.P90)
	}
	unit, sign := unitOf(longest)
	of := func(took func(store.Durations) time.Duration) []float64 {
		all := make([]float64, len(f.responseTimes))
		for i, r := range f.responseTimes {
			if all[i] = float64(took(r.Durations)) / float64(unit); r.Answered == 0 {
				all[i] = math.NaN()
			}
		}
		return all
	}
	return f.inTime(chart{
		Title: "Response time", kind: lines, Empty: "No question was answered.",
		Note: noteResponse + "; it is drawn when the question was asked",
		axis: func(v float64) string { return decimals(v) + " " + sign },
		Series: []series{
			{"nine of ten answers within (P90)", "orange", of(func(d store.Durations) time.Duration { return d.P90 })},
			{"half of them within (median)", "blue", of(func(d store.Durations) time.Duration { return d.Median })},
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

func (f *Figures) costChart() *chart {
	return f.inTime(chart{
		Title: "Cost of suggestions", Note: "in your currency", Empty: "Nothing was paid.", axis: decimals,
		Series: []series{{"cost", "blue", f.sums(func(day int) float64 { return f.costDays[day].Cost.InexactFloat64() })}},
	})
}

func (f *Figures) confidenceChart() *chart {
	c := &chart{
		Title: "Approval rate by the model's confidence", Empty: noSuggestion,
		Note: "edited, rejected and pending ones were not approved",
		kind: labelledBars, axis: axisPercent, most: 100,
	}
	if f.total.Made > 0 {
		c.Empty = "None was approved as drafted."
	}
	s := series{Name: "approved as drafted, of the drafted (their number)", Color: "green"}
	for _, b := range f.confidence {
		rate, _ := b.ApprovalRate()
		s.values = append(s.values, 100*rate)
		c.Labels = append(c.Labels, fmt.Sprintf("%s (%s)", bucket(b), number(b.Made)))
	}
	c.Series = []series{s}
	return c
}

func (f *Figures) rateChart() *chart {
	c := &chart{
		Title: "Response rate of leads by " + short(f.Category), Note: noteRate,
		Empty: "No conversation with a lead was begun, or none was answered.",
		kind:  labelledBars, axis: axisPercent, most: 100,
	}
	s := series{Name: "conversations in which the lead wrote, of the begun (their number)", Color: "blue"}
	for _, r := range f.rates[:min(len(f.rates), f.Top)] {
		rate, _ := r.Rate()
		s.values = append(s.values, 100*rate)
		c.Labels = append(c.Labels, fmt.Sprintf("%s (%s)", categoryName(r.Value), number(r.Started)))
	}
	c.Series = []series{s}
	return c
}

func axisPercent(v float64) string { return fmt.Sprintf("%.0f %%", v) }
