package reports

import (
	"slices"
	"time"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// defaultDays is the length of a series whose period has no beginning.
const defaultDays = 30

// checkPeriod returns a period with its times as the tables store them, and UTC for a missing
// zone. It is ErrInvalid if the period ends before it begins.
func checkPeriod(p store.Period) (store.Period, error) {
	p.Since, p.Before = message.Instant(p.Since), message.Instant(p.Before)
	if p.Zone == nil {
		p.Zone = time.UTC
	}
	if !p.Before.IsZero() && p.Since.After(p.Before) {
		return p, rule.Invalid("since", "is after before")
	}
	if p.Calendar != nil {
		if _, open := p.Calendar.NextOpen(time.Time{}); !open {
			return p, rule.Invalid("calendar", "is never open")
		}
	}
	return p, check.First(check.Time("since", p.Since), check.Time("before", p.Before))
}

// checkTop returns t with its defaults, and its period as checkPeriod does.
func checkTop(t store.Top) (store.Top, error) {
	var err error
	if t.Limit == 0 {
		t.Limit = store.DefaultTop
	}
	if t.Limit, err = scope.Limit("limit", t.Limit); err != nil {
		return t, err
	}
	t.Period, err = checkPeriod(t.Period)
	return t, err
}

// series is a period with both bounds, cut into days.
type series struct {
	store.Days
	days []store.Day
	// index is the position in days of the day with a number, see dialect.LocalDay.
	index map[int64]int
	zone  []dialect.Offset
}

// seriesOf cuts a period into days. It sets missing bounds in UTC, as all times in the tables
// are. More than store.MaxDays days are ErrInvalid.
func seriesOf(d store.Days, now time.Time) (*series, error) {
	p, err := checkPeriod(d.Period)
	if err != nil {
		return nil, err
	}
	if p.Before.IsZero() {
		p.Before = nextDay(now.In(p.Zone)).UTC()
	}
	if p.Since.IsZero() {
		last := p.Before.Add(-time.Microsecond).In(p.Zone)
		p.Since = dayStart(last.AddDate(0, 0, 1-defaultDays)).UTC()
	}
	d.Period = p
	s := &series{Days: d, index: map[int64]int{}, zone: dialect.Zone(p.Zone, p.Since, p.Before)}
	if !p.Since.Before(p.Before) {
		return s, nil
	}
	for start := dayStart(p.Since.In(p.Zone)); start.Before(p.Before); start = nextDay(start) {
		if len(s.days) == store.MaxDays {
			return nil, rule.Invalid("since", "is more than %d days before the end of the period", store.MaxDays)
		}
		s.index[dayNumber(start)] = len(s.days)
		s.days = append(s.days, store.Day{Date: start.Format(time.DateOnly), Start: start})
	}
	return s, nil
}

// chosen returns the rows of a series as it was asked for, which has one for each day, oldest
// first.
func chosen[T any](s *series, all []T, empty func(T) bool) []T {
	if s.OmitEmpty {
		all = slices.DeleteFunc(all, empty)
	}
	if s.NewestFirst {
		slices.Reverse(all)
	}
	return all
}

// dayNumber returns the number of days from 1970-01-01 to t's date in t's zone.
func dayNumber(t time.Time) int64 {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}

// dayStart returns the first moment of t's day in t's zone.
func dayStart(t time.Time) time.Time {
	y, m, d := t.Date()
	return firstOf(y, m, d, t.Location())
}

// nextDay returns the first moment of the day after t's, or of the day after that in a zone that
// skipped a day.
func nextDay(t time.Time) time.Time {
	y, m, d := t.Date()
	return firstOf(y, m, d+1, t.Location())
}

// firstOf returns the first moment of a date, or of the next date in a zone that skipped it.
// time.Date alone does not do: where clocks went back over midnight it returns either of the two
// midnights, and where they went forward a moment before or after the first one.
func firstOf(y int, m time.Month, d int, zone *time.Location) time.Time {
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	// No zone is further from UTC than a day.
	before, after := midnight.AddDate(0, 0, -1).In(zone), midnight.AddDate(0, 0, 1).In(zone)
	for _, near := range []time.Time{before, after} {
		_, seconds := near.Zone()
		t := midnight.Add(-time.Duration(seconds) * time.Second).In(zone)
		if t.Format(time.DateTime) == midnight.Format(time.DateTime) {
			return t
		}
	}
	_, forward := before.ZoneBounds()
	return forward
}
