package main

import (
	"math"
	"time"
)

// mostDays is how many days a chart shows one by one.
const mostDays = 100

// byDay names the places of a chart that has a value for each day. Sums of many days are
// those of weeks or months; a median of medians is none, so that lines stay as they are.
func (f *figures) byDay(c chart) *chart {
	days := make([]time.Time, len(f.days))
	for i, d := range f.days {
		days[i], _ = time.Parse(time.DateOnly, d.Date) // as the library writes it
	}
	unit, begins := spanUnit(len(days))
	if c.kind == lines {
		unit, begins = "day", nil
	}
	if c.Title += ", per " + unit; begins != nil {
		days = c.sum(days, begins)
	}
	c.Labels = dateLabels(days)
	return &c
}

// spanUnit says by what sums are taken, and when such a thing begins.
func spanUnit(days int) (unit string, begins func(time.Time) time.Time) {
	switch {
	case days <= mostDays:
		return "day", nil
	case days <= 7*mostDays:
		return "week", func(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }
	}
	return "month", func(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.Day()) }
}

// sum adds values up and returns the days when the sums begin.
func (c *chart) sum(days []time.Time, begins func(time.Time) time.Time) []time.Time {
	var starts []time.Time
	place := make([]int, len(days))
	for i, d := range days {
		if start := begins(d); len(starts) == 0 || !start.Equal(starts[len(starts)-1]) {
			starts = append(starts, start)
		}
		place[i] = len(starts) - 1
	}
	for i, s := range c.Series {
		sums := make([]float64, len(starts))
		for j, v := range s.values {
			sums[place[j]] += v
		}
		c.Series[i].values = sums
	}
	return starts
}

// dateLabels names so many days as there is room for, at equal distances.
func dateLabels(days []time.Time) []string {
	const room = 6
	labels := make([]string, len(days))
	every := int(math.Ceil(float64(len(days)) / room))
	if every > 4 {
		every = (every + 6) / 7 * 7
	}
	format := "2 Jan"
	if len(days) > 0 && days[0].Year() != days[len(days)-1].Year() {
		format = "Jan 2006"
	}
	for i := 0; i < len(days); i += every {
		labels[i] = days[i].Format(format)
	}
	return labels
}
