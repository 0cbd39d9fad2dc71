package store

import (
	"math"
	"time"

	"github.com/convostore/convostore/rule"
)

// Calendar counts the time in which a business is open. In a Period it makes a report count that
// time instead of all; hosts use it for what is due: Add a target to the time of a question, or
// take the target from now, and whatever has waited since before that is late.
//
// It is immutable, so that any number of goroutines can use it. The zero value is never open. Its
// times are those of the years 1 to 9999; one outside counts as the end of them. A method takes
// the same time whatever lies between its times, but for changes of the zone's clocks.
type Calendar struct {
	zone *time.Location
	week pattern
	// holidays are in order. gained of each is how many open seconds all before it have more than
	// the week says.
	holidays []civilDay
}

// NewCalendar returns a calendar of business hours. Spans and dates that are not valid, too many
// of them, and hours that are never open are ErrInvalid: week and holidays are the fields.
func NewCalendar(h BusinessHours) (*Calendar, error) {
	week, err := h.Week.stretches()
	if err != nil {
		return nil, err
	}
	c := &Calendar{zone: h.Zone, week: newPattern(week)}
	if c.holidays, err = h.holidays(); err != nil {
		return nil, err
	}
	var gained int64
	for i := range c.holidays {
		d := &c.holidays[i]
		d.gained = gained
		gained += d.open.total - (c.byWeek(d.begin+daySeconds) - c.byWeek(d.begin))
	}
	if c.neverOpen() {
		return nil, rule.Invalid("week", "is never open")
	}
	return c, nil
}

func (c *Calendar) neverOpen() bool {
	for i := range c.holidays {
		if c.holidays[i].open.total > 0 {
			return false
		}
	}
	return c.week.total == 0
}

// IsOpen tells whether the business is open at t.
func (c *Calendar) IsOpen(t time.Time) bool { return c.isOpen(secondOf(t)) }

// Open returns how long the business is open from one time to another, less than 0 if the second
// is the earlier one. As with time.Time.Sub, more than a Duration can hold is the longest one.
func (c *Calendar) Open(from, to time.Time) time.Duration {
	if to.Before(from) {
		return -c.Open(to, from)
	}
	begin, end := secondOf(from), secondOf(to)
	whole := c.between(begin.unix, end.unix)
	rest := c.passed(end) - c.passed(begin)
	if whole >= math.MaxInt64/int64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(whole)*time.Second + rest
}

// Add returns the time at which the business will have been open for d since from: the earliest,
// so that what is due at the end of the day is due then and not in the morning after. With a
// negative d it returns the latest time from which the business was open for that long until from. It
// returns false if there is no such time.
func (c *Calendar) Add(from time.Time, d time.Duration) (time.Time, bool) {
	at := secondOf(from)
	var found second
	var ok bool
	switch {
	case d == 0:
		return from, true
	case d > 0:
		found, ok = c.ahead(at, d)
	default:
		found, ok = c.back(at, d)
	}
	return found.in(from.Location(), ok)
}

// NextOpen returns t if the business is open then, and otherwise when it opens. It returns false
// if it never does.
func (c *Calendar) NextOpen(t time.Time) (time.Time, bool) {
	at := secondOf(t)
	if c.isOpen(at) {
		return t, true
	}
	end, ok := c.after(at.unix, 1)
	return second{end - 1, 0}.in(t.Location(), ok)
}

// ahead is Add for what is above 0. The business opens and closes on whole seconds.
func (c *Calendar) ahead(at second, d time.Duration) (second, bool) {
	whole, rest := int64(d/time.Second), d%time.Second+c.passed(at)
	whole, rest = whole+int64(rest/time.Second), rest%time.Second
	if rest == 0 {
		end, ok := c.after(at.unix, whole)
		return second{end, 0}, ok
	}
	end, ok := c.after(at.unix, whole+1) // the end of the second in which the rest passes
	return second{end - 1, rest}, ok
}

// back is Add for what is below 0.
func (c *Calendar) back(at second, d time.Duration) (second, bool) {
	whole, rest := -int64(d/time.Second), -(d % time.Second)
	if at.rest > 0 {
		if c.isOpen(at) {
			rest += time.Second - at.rest
		}
		at.unix++
	}
	whole, rest = whole+int64(rest/time.Second), rest%time.Second
	if rest == 0 {
		begin, ok := c.before(at.unix, whole)
		return second{begin, 0}, ok
	}
	begin, ok := c.before(at.unix, whole+1)
	return second{begin, time.Second - rest}, ok
}

// after returns the first second at which n seconds, at least one, were open since begin.
func (c *Calendar) after(begin, n int64) (int64, bool) {
	if c.neverOpen() {
		return 0, false
	}
	for begin < lastSecond {
		offset, _, end := c.offset(begin)
		since := c.civil(begin + offset)
		if open := c.civil(end+offset) - since; open < n {
			begin, n = end, n-open
			continue
		}
		ahead := search(end-begin, func(i int64) bool { return c.civil(begin+i+offset)-since >= n })
		return begin + ahead, true
	}
	return 0, false
}

// before returns the last second from which n seconds, at least one, are open until end.
func (c *Calendar) before(end, n int64) (int64, bool) {
	if c.neverOpen() {
		return 0, false
	}
	for end > firstSecond {
		offset, begin, _ := c.offset(end - 1)
		until := c.civil(end + offset)
		if open := until - c.civil(begin+offset); open < n {
			end, n = begin, n-open
			continue
		}
		back := search(end-begin, func(i int64) bool { return until-c.civil(end-i+offset) >= n })
		return end - back, true
	}
	return 0, false
}

// between returns how many seconds are open from begin to end.
func (c *Calendar) between(begin, end int64) int64 {
	var open int64
	for begin < end {
		offset, _, until := c.offset(begin)
		until = min(until, end)
		open += c.civil(until+offset) - c.civil(begin+offset)
		begin = until
	}
	return open
}

// offset returns how many seconds the zone is ahead of UTC at a second, since and until when.
func (c *Calendar) offset(unix int64) (offset, begin, end int64) {
	zone := c.zone
	if zone == nil {
		zone = time.UTC
	}
	t := time.Unix(unix, 0).In(zone)
	_, seconds := t.Zone()
	since, until := t.ZoneBounds()
	begin, end = firstSecond, lastSecond
	if !since.IsZero() {
		begin = max(begin, since.Unix())
	}
	if !until.IsZero() {
		end = min(end, until.Unix())
	}
	if end <= unix {
		// After the last change in its tables Go gives each year 365 days here, so that on the last
		// day of a leap year the bound is not after t. Until that year ends nothing changes.
		end = time.Date(t.UTC().Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()
	}
	return int64(seconds), begin, end
}

// isOpen tells whether the second is open: the business opens and closes on whole ones.
func (c *Calendar) isOpen(s second) bool {
	offset, _, _ := c.offset(s.unix)
	return c.civil(s.unix+offset+1) > c.civil(s.unix+offset)
}

// passed returns how much of the second at s has passed, if it is open.
func (c *Calendar) passed(s second) time.Duration {
	if s.rest == 0 || !c.isOpen(s) {
		return 0
	}
	return s.rest
}
