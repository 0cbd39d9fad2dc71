package store

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// A calendar counts in civil seconds, those of the clock on the wall: the seconds since 1970 began
// by that clock, as if it had never been changed.
const (
	daySeconds  int64 = 24 * 60 * 60
	weekSeconds       = 7 * daySeconds
)

// firstSecond and lastSecond are the beginning of the year 1 and the end of 9999, in UTC.
var (
	firstSecond = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	lastSecond  = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// second is a time as its second and what has passed of it.
type second struct {
	unix int64
	rest time.Duration
}

func secondOf(t time.Time) second {
	switch unix := t.Unix(); {
	case unix < firstSecond:
		return second{firstSecond, 0}
	case unix >= lastSecond:
		return second{lastSecond, 0}
	default:
		return second{unix, time.Duration(t.Nanosecond())}
	}
}

// in returns the time in a zone, and the zero time if it is not one.
func (s second) in(zone *time.Location, ok bool) (time.Time, bool) {
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(s.unix, int64(s.rest)).In(zone), true
}

// search returns the first of 0 to n for which f, which stays true, is true: sort.Search, where an
// int may have 32 bits.
func search(n int64, f func(int64) bool) int64 {
	low := int64(0)
	for low < n {
		if middle := low + (n-low)/2; f(middle) {
			n = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// stretch is open from begin until end, in seconds.
type stretch struct{ begin, end int64 }

// pattern is what is open of a day or of a week.
type pattern struct {
	// stretches are in order and have gaps between them. earlier of each is how long those before
	// it are, total how long all are.
	stretches []stretch
	earlier   []int64
	total     int64
}

// newPattern joins stretches that overlap or meet.
func newPattern(all []stretch) pattern {
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	var p pattern
	for _, s := range all {
		if n := len(p.stretches); n > 0 && s.begin <= p.stretches[n-1].end {
			p.stretches[n-1].end = max(p.stretches[n-1].end, s.end)
			continue
		}
		p.stretches = append(p.stretches, s)
	}
	for _, s := range p.stretches {
		p.earlier = append(p.earlier, p.total)
		p.total += s.end - s.begin
	}
	return p
}

// until returns how long the pattern is open until a second of it.
func (p *pattern) until(at int64) int64 {
	i := sort.Search(len(p.stretches), func(i int) bool { return p.stretches[i].begin >= at }) - 1
	if i < 0 {
		return 0
	}
	return p.earlier[i] + min(at, p.stretches[i].end) - p.stretches[i].begin
}

// civilDay is a date that is not as the week says. It begins at a civil second.
type civilDay struct {
	begin  int64
	open   pattern
	gained int64
}

// civil returns how many seconds were open until a civil second, counted from one long ago.
func (c *Calendar) civil(at int64) int64 {
	open := c.byWeek(at)
	i := sort.Search(len(c.holidays), func(i int) bool { return c.holidays[i].begin >= at }) - 1
	if i < 0 {
		return open
	}
	d := &c.holidays[i]
	until := min(at, d.begin+daySeconds)
	return open + d.gained + d.open.until(until-d.begin) - (c.byWeek(until) - c.byWeek(d.begin))
}

// byWeek is civil without holidays. 1970 began on a Thursday; weeks begin on Sundays.
func (c *Calendar) byWeek(at int64) int64 {
	const longAgo = 4_000 * 366 * 7 * daySeconds // whole weeks, more than there are before 1970
	at += longAgo + int64(time.Thursday)*daySeconds
	return at/weekSeconds*c.week.total + c.week.until(at%weekSeconds)
}
