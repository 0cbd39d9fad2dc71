package inbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// stamp is a time as a page shows it.
type stamp struct {
	// ISO is for machines, Full for people in the operator's zone, and Age is how long ago it is.
	ISO, Full, Age string
}

func (r *request) stamp(t time.Time) stamp {
	if t.IsZero() {
		return stamp{}
	}
	zone := r.op.Location
	if zone == nil {
		zone = time.UTC
	}
	local := t.In(zone)
	return stamp{ISO: t.UTC().Format(time.RFC3339), Full: local.Format("Mon 2 Jan 2006, 15:04 MST"), Age: age(r.now.Sub(t))}
}

// at is stamp for a time that may be absent.
func (r *request) at(t *time.Time) stamp {
	if t == nil {
		return stamp{}
	}
	return r.stamp(*t)
}

// secondsTo is how many seconds are left, rounded up, 0 if the time has come.
func (r *request) secondsTo(t time.Time) int {
	return max(0, int((t.Sub(r.now)+time.Second-1)/time.Second))
}

// age says how long ago something was, or in what time it will be.
func age(d time.Duration) string {
	if d < 0 {
		return "in " + span(-d)
	}
	return span(d)
}

// span is a duration in its largest unit, rounded down.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < day:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	case d < 60*day:
		return strconv.Itoa(int(d/day)) + " d"
	case d < 2*365*day:
		return strconv.Itoa(int(d/(30*day))) + " months"
	}
	return strconv.Itoa(int(d/(365*day))) + " years"
}

// duration is one of a report, in two units.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// percent is a share from 0 to 1.
func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 0, 64) + " %" }

// size is a number of bytes.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, units := float64(n)/unit, "KMGTPE"
	for f >= unit && len(units) > 1 {
		f, units = f/unit, units[1:]
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[:1] + "iB"
}

// newlines makes one line break of each kind that there is: a browser sends a carriage return with
// each.
func newlines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// printable replaces what would be invisible, or would break a line where there is none.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case c == '\u2028' || c == '\u2029':
			return '\n'
		case unicode.IsControl(c):
			return '\uFFFD'
		}
		return c
	}, newlines(text))
}

// mostLine is how many characters of a name or a heading are shown.
const mostLine = 200

// oneLine is a text for one line: a name, a subject, the beginning of a message.
func oneLine(text string) string {
	text, more := cut(text, 4*mostLine)
	text, cutAgain := cut(strings.Join(strings.Fields(printable(text)), " "), mostLine)
	if more || cutAgain {
		return text + "…"
	}
	return text
}

// cut returns the first characters of a text, and whether there are more.
func cut(text string, most int) (string, bool) {
	if len(text) <= most {
		return text, false
	}
	n := 0
	for i := range text {
		if n == most {
			return text[:i], true
		}
		n++
	}
	return text, false
}
