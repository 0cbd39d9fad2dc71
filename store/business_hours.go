package store

import (
	"slices"
	"time"

	"github.com/convostore/convostore/rule"
)

// Bounds of BusinessHours.
const (
	// MaxSpans is the largest number of spans of a day.
	MaxSpans = 48
	// MaxHolidays is the largest number of holidays.
	MaxHolidays = 10_000
)

// BusinessHours say when a business is open, by the clock on its wall. NewCalendar makes a
// Calendar of them, which counts.
type BusinessHours struct {
	// Zone is where the clock hangs; nil is UTC. Its rules are those of this process, on every
	// database.
	Zone *time.Location
	// Week has the spans of each day of the week.
	Week Week
	// Holidays are dates that are not as their day of the week says, in any order. A date may be
	// given twice only if both say the same.
	Holidays []Holiday
}

// Week has the spans of each day, by time.Weekday: Sunday is the first. Spans may overlap and
// stand in any order; a moment in two of them counts once. A day has at most MaxSpans.
type Week [7][]Span

// Workdays returns a week that is open in these spans from Monday to Friday.
func Workdays(spans ...Span) Week {
	var w Week
	for day := time.Monday; day <= time.Friday; day++ {
		w[day] = spans
	}
	return w
}

// Span is a part of a day, From ≤ clock < To, as times since midnight in whole minutes: {9 *
// time.Hour, 18 * time.Hour} is 9:00 to 18:00. From is less than 24 hours and To is at most that.
// A To before From is a time of the next day: {22 * time.Hour, 6 * time.Hour} is a night.
//
// The clock on the wall decides, not the time that passes: where clocks are put forward from 2:00
// to 3:00, a span from 1:00 to 4:00 lasts two hours, and where they are put back, four.
type Span struct{ From, To time.Duration }

// Holiday is a date with hours of its own, from midnight to midnight: it also cuts off the night
// that began on the evening before. The date after it is as its day of the week says, with the
// end of the night that would have begun on the holiday.
type Holiday struct {
	// Date is the day, such as "2026-12-25".
	Date string
	// Open are the spans in which the business is open on that date, none if it is closed. They
	// end on the same day.
	Open []Span
}

const day = 24 * time.Hour

// check refuses a span of which this type does not know what it means.
func (s Span) check(field string) error {
	switch {
	case s.From < 0 || s.From >= day || s.To < 0 || s.To > day:
		return rule.Invalid(field, "has a time outside of the day")
	case s.From%time.Minute != 0 || s.To%time.Minute != 0:
		return rule.Invalid(field, "has a time that is not a whole minute")
	case s.From == s.To:
		return rule.Invalid(field, "has a span that ends when it begins; a whole day is 0 to 24 hours")
	}
	return nil
}

func checkSpans(field string, spans []Span) error {
	if len(spans) > MaxSpans {
		return rule.Invalid(field, "has %d spans, the most is %d", len(spans), MaxSpans)
	}
	for _, s := range spans {
		if err := s.check(field); err != nil {
			return err
		}
	}
	return nil
}

// stretches returns the spans of the week as seconds since its Sunday began.
func (w Week) stretches() ([]stretch, error) {
	var all []stretch
	for weekday, spans := range w {
		if err := checkSpans("week", spans); err != nil {
			return nil, err
		}
		for _, s := range spans {
			from, to := seconds(s.From), seconds(s.To)
			if to < from {
				to += daySeconds
			}
			begin := int64(weekday) * daySeconds
			all = append(all, stretch{begin + from, min(begin+to, weekSeconds)})
			if over := begin + to - weekSeconds; over > 0 { // Saturday night ends on the first day
				all = append(all, stretch{0, over})
			}
		}
	}
	return all, nil
}

// stretches returns the number of the holiday's day and its spans as seconds since midnight.
func (h Holiday) stretches() (number int64, all []stretch, err error) {
	date, err := time.Parse(time.DateOnly, h.Date)
	if err != nil || date.Year() < 1 {
		return 0, nil, rule.Invalid("holidays", "has a date that is not one, or not written as 2026-12-25")
	}
	if err := checkSpans("holidays", h.Open); err != nil {
		return 0, nil, err
	}
	for _, s := range h.Open {
		if s.To < s.From {
			return 0, nil, rule.Invalid("holidays", "has a span over midnight")
		}
		all = append(all, stretch{seconds(s.From), seconds(s.To)})
	}
	return date.Unix() / daySeconds, all, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// holidays returns the days that are not as the week says, in order.
func (h BusinessHours) holidays() ([]civilDay, error) {
	if len(h.Holidays) > MaxHolidays {
		return nil, rule.Invalid("holidays", "are %d, the most is %d", len(h.Holidays), MaxHolidays)
	}
	all := make([]civilDay, 0, len(h.Holidays))
	for _, holiday := range h.Holidays {
		number, open, err := holiday.stretches()
		if err != nil {
			return nil, err
		}
		all = append(all, civilDay{begin: number * daySeconds, open: newPattern(open)})
	}
	slices.SortFunc(all, func(a, b civilDay) int { return int((a.begin - b.begin) / daySeconds) })
	for i := 1; i < len(all); i++ {
		if all[i].begin == all[i-1].begin && !slices.Equal(all[i].open.stretches, all[i-1].open.stretches) {
			return nil, rule.Invalid("holidays", "has a date twice, with different hours")
		}
	}
	return slices.CompactFunc(all, func(a, b civilDay) bool { return a.begin == b.begin }), nil
}
