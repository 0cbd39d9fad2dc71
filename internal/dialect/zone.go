package dialect

import (
	"strings"
	"time"
)

// Offset is how many seconds a zone is ahead of UTC until a moment. The last offset of a zone
// has a zero Until: it has no end.
type Offset struct {
	Until   time.Time
	Seconds int
}

// Zone returns the offsets of a zone between two moments, the earliest first. They come from
// the time zone data of this process and not of the database, so that all databases divide
// time into the same days.
func Zone(zone *time.Location, since, before time.Time) []Offset {
	var offsets []Offset
	for t := since.In(zone); ; {
		_, seconds := t.Zone()
		end := zoneEnd(t)
		if end.IsZero() || !end.Before(before) {
			return append(offsets, Offset{Seconds: seconds})
		}
		offsets = append(offsets, Offset{Until: end, Seconds: seconds})
		t = end
	}
}

// zoneEnd returns until when the zone of t has its offset at least, the zero time if it has no
// end. After the last change in its tables Go gives each year 365 days, so that on the last day of
// a leap year its own bound is not after t. Until that year ends nothing changes.
func zoneEnd(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		return time.Date(t.UTC().Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC).In(t.Location())
	}
	return end
}

// byOffset is SQL for the offset that applies at a column's time.
func byOffset(column string, zone []Offset, value func(seconds int) string) string {
	last := value(zone[len(zone)-1].Seconds)
	if len(zone) == 1 {
		return last
	}
	var b strings.Builder
	b.WriteString("CASE")
	for _, o := range zone[:len(zone)-1] {
		// PostgreSQL reads this literal, and SQLite keeps times as texts of this form.
		b.WriteString(" WHEN " + column + " < '" + o.Until.UTC().Format("2006-01-02 15:04:05-07:00") + "' THEN " + value(o.Seconds))
	}
	return b.String() + " ELSE " + last + " END"
}
