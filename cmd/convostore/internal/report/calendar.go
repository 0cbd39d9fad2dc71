package report

import (
	"context"
	"math"
	"time"

	"github.com/convostore/convostore/store"
)

// mostSpans is about how many places a chart has.
const mostSpans = 62

// span is a place of a chart: a day, or a week or a month where these would be too many.
type span struct {
	store.Period
	// from and to are where its days stand in a series, to excluded.
	from, to int
}

// spans cuts the days of a period, and says into what.
func spans(days []store.Daily, p store.Period) (unit string, all []span) {
	unit, begins := spanUnit(len(days))
	var last time.Time
	for i, d := range days {
		day, _ := time.Parse(time.DateOnly, d.Date) // as the library writes it
		if start := begins(day); i > 0 && start.Equal(last) {
			all[len(all)-1].to, all[len(all)-1].Before = i+1, p.Before
			continue
		} else if last = start; i > 0 {
			all[len(all)-1].Before = d.Start
		}
		all = append(all, span{store.Period{Since: d.Start, Before: p.Before, Zone: p.Zone}, i, i + 1})
	}
	return unit, all
}

func spanUnit(days int) (unit string, begins func(time.Time) time.Time) {
	switch {
	case days <= mostSpans:
		return "day", func(t time.Time) time.Time { return t }
	case days <= 7*mostSpans:
		return "week", func(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }
	}
	return "month", func(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.Day()) }
}

// responseSpans asks for each span by itself: the median of a week is not that of the
// medians of its days.
func (f *Figures) responseSpans(ctx context.Context, r store.Reports) ([]store.ResponseTimes, error) {
	all := make([]store.ResponseTimes, len(f.spans))
	for i, s := range f.spans {
		if f.unit == "day" {
			all[i] = f.responseDays[s.from].ResponseTimes
			continue
		}
		var err error
		if all[i], err = r.ResponseTimes(ctx, s.Period); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sums adds up the days of each span.
func (f *Figures) sums(of func(day int) float64) []float64 {
	all := make([]float64, len(f.spans))
	for i, s := range f.spans {
		for day := s.from; day < s.to; day++ {
			all[i] += of(day)
		}
	}
	return all
}

// dates names so many spans as there is room for, at equal distances; days by the week.
func (f *Figures) dates() []string {
	const room = 6
	labels := make([]string, len(f.spans))
	every := max(1, int(math.Ceil(float64(len(labels))/room)))
	if f.unit == "day" && every > 3 {
		every = (every + 6) / 7 * 7
	}
	format := "2 Jan"
	if f.unit != "day" {
		format = "Jan 2006"
	}
	for i := 0; i < len(labels); i += every {
		labels[i] = f.spans[i].Since.In(f.Zone).Format(format)
	}
	return labels
}
