package mailbox

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads the date of RFC 5322 in its new and old forms, and those of programs that
// never read it: asctime, RFC 3339, names of months in full, dots in times. Zones are read by
// their names, never by those of the machine; a name that says nothing is UTC, as the standard
// has it. Years before 1970 and after 9999 are no dates of mails.
func parseDate(value string) (time.Time, bool) {
	const longest = 500
	if len(value) > longest {
		return time.Time{}, false
	}
	value = strings.TrimSpace(withoutComments(value))
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		return plausible(t)
	}
	d := dateReader{day: -1, year: -1, hour: -1}
	for _, w := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		if !d.word(w) {
			return time.Time{}, false
		}
	}
	return d.time()
}

// withoutComments takes out what is in parentheses, which may be nested.
func withoutComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var out strings.Builder
	depth := 0
	for _, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')' && depth > 0:
			depth--
			out.WriteByte(' ')
		case depth == 0:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func plausible(t time.Time) (time.Time, bool) {
	year := t.UTC().Year()
	return t.UTC(), year >= 1970 && year <= 9999
}

// dateReader collects the words of a date, whatever their order.
type dateReader struct {
	day, year               int
	month                   time.Month
	hour, minute, second    int
	nanosecond              int
	zone                    int
	zoned, afternoon, noon2 bool // noon2: AM or PM was said
}

func (d *dateReader) word(w string) bool {
	upper := strings.ToUpper(strings.TrimSuffix(w, "."))
	switch {
	case w[0] >= '0' && w[0] <= '9' && strings.IndexByte(w, ':') > 0 && strings.IndexByte(w[:strings.IndexByte(w, ':')], '-') < 0:
		return d.clock(w)
	case w[0] == '+' || w[0] == '-':
		return d.offset(w)
	case w[0] >= '0' && w[0] <= '9':
		return d.number(w)
	case upper == "AM" || upper == "PM":
		d.noon2, d.afternoon = true, upper == "PM"
		return true
	}
	if m := monthOf(upper); m > 0 {
		d.month = m
		return true
	}
	return isWeekday(upper) || d.zoneName(upper)
}

// clock reads 08:00, 8:0:0, 08:00:00.5, and a zone that stands right behind it.
func (d *dateReader) clock(w string) bool {
	if d.hour >= 0 {
		return false
	}
	if cut := strings.IndexAny(w, "+-"); cut > 0 {
		if !d.offset(w[cut:]) {
			return false
		}
		w = w[:cut]
	}
	w, zulu := strings.CutSuffix(w, "Z")
	d.zoned = d.zoned || zulu
	parts := strings.Split(w, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return false
	}
	seconds := "0"
	if len(parts) == 3 {
		seconds = parts[2]
	}
	seconds, fraction, _ := strings.Cut(seconds, ".")
	if len(fraction) > 0 && len(fraction) <= 9 {
		if n, err := strconv.Atoi((fraction + "000000000")[:9]); err == nil {
			d.nanosecond = n
		}
	}
	return readNumber(parts[0], 0, 24, &d.hour) && readNumber(parts[1], 0, 59, &d.minute) && readNumber(seconds, 0, 60, &d.second)
}

func readNumber(s string, least, most int, to *int) bool {
	n, err := strconv.Atoi(s)
	*to = n
	return err == nil && n >= least && n <= most && len(s) <= 4
}

// number reads a day, a year, 26-Nov-2026, 2026-11-26, 2026/11/26 or a time with dots.
func (d *dateReader) number(w string) bool {
	if strings.ContainsAny(w, "-/") {
		return d.dashes(w)
	}
	if strings.Count(w, ".") == 2 && d.hour < 0 && d.day >= 0 {
		return d.clock(strings.ReplaceAll(w, ".", ":"))
	}
	n, err := strconv.Atoi(strings.TrimRight(strings.ToLower(w), ".sthndr"))
	digits := len(strings.TrimRight(strings.ToLower(w), ".sthndr"))
	switch {
	case err != nil:
		return false
	case digits <= 2 && d.day < 0:
		d.day = n
		return n >= 1 && n <= 31
	case d.year < 0 && digits <= 4:
		d.year = fullYear(n, digits)
		return true
	case digits == 4 && d.hour >= 0 && !d.zoned:
		return d.offset("+" + w)
	}
	return false
}

// fullYear reads the years of two and three digits as RFC 5322 says.
func fullYear(n, digits int) int {
	switch {
	case digits <= 2 && n < 50:
		return 2000 + n
	case digits <= 3:
		return 1900 + n
	}
	return n
}

func (d *dateReader) dashes(w string) bool {
	date, clock, both := strings.Cut(strings.ToUpper(w), "T")
	if both && strings.Contains(clock, ":") && !d.clock(clock) {
		return false
	}
	if !both || !strings.Contains(clock, ":") {
		date = strings.ToUpper(w) // the T of OCT
	}
	parts := strings.FieldsFunc(date, func(r rune) bool { return r == '-' || r == '/' })
	if len(parts) != 3 {
		return false
	}
	yearFirst := len(parts[0]) == 4
	if yearFirst {
		parts[0], parts[2] = parts[2], parts[0]
	}
	if m := monthOf(parts[1]); m > 0 {
		d.month = m
	} else {
		var n int
		if !readNumber(parts[1], 1, 12, &n) || !yearFirst {
			return false // whether 03/04 is in March or April nobody knows
		}
		d.month = time.Month(n)
	}
	var year int
	ok := readNumber(parts[0], 1, 31, &d.day) && readNumber(parts[2], 0, 9999, &year)
	d.year = fullYear(year, len(parts[2]))
	return ok
}

// offset reads +0100, +01:00, +100 and +1.
func (d *dateReader) offset(w string) bool {
	digits := strings.ReplaceAll(w[1:], ":", "")
	var n int
	if len(digits) == 0 || !readNumber(digits, 0, 9999, &n) {
		return false
	}
	if len(digits) <= 2 {
		n *= 100
	}
	if n%100 > 59 || n/100 > 24 {
		n = 0 // a zone that is none is UTC, like a name that is none
	}
	d.zone = (n/100*60 + n%100) * 60
	if w[0] == '-' {
		d.zone = -d.zone
	}
	d.zoned = true
	return true
}

// zones are those of RFC 5322, and names of others that have one meaning.
var zones = map[string]int{
	"UT": 0, "GMT": 0, "UTC": 0, "Z": 0,
	"EST": -500, "EDT": -400, "CST": -600, "CDT": -500, "MST": -700, "MDT": -600, "PST": -800, "PDT": -700,
	"AST": -400, "ADT": -300, "AKST": -900, "AKDT": -800, "HST": -1000,
	"WET": 0, "WEST": 100, "CET": 100, "CEST": 200, "MET": 100, "MEST": 200, "MEZ": 100, "MESZ": 200,
	"EET": 200, "EEST": 300, "MSK": 300, "MSD": 400, "JST": 900, "KST": 900, "AEST": 1000, "AEDT": 1100, "NZST": 1200, "NZDT": 1300,
}

// zoneName reads a zone. GMT+0100 is what it says.
func (d *dateReader) zoneName(upper string) bool {
	if d.zoned {
		return true // a name beside an offset, which goes before
	}
	if cut := strings.IndexAny(upper, "+-"); cut > 0 {
		return d.offset(upper[cut:])
	}
	if d.hour < 0 {
		return d.day < 0 // a day of the week in another language; a zone comes after the time
	}
	hours := zones[upper] // 0 for the letters of the army, of which the standard says so
	d.zone = (hours/100*60 + hours%100) * 60
	return true
}

func (d *dateReader) time() (time.Time, bool) {
	if d.day < 0 || d.month == 0 || d.year < 0 {
		return time.Time{}, false
	}
	if d.noon2 && d.hour >= 0 {
		d.hour %= 12
		if d.afternoon {
			d.hour += 12
		}
	}
	t := time.Date(d.year, d.month, d.day, max(d.hour, 0), d.minute, d.second, d.nanosecond, time.UTC)
	if t.Day() != d.day && d.hour < 24 && d.second < 60 {
		return time.Time{}, false // February 30
	}
	return plausible(t.Add(-time.Duration(d.zone) * time.Second))
}

var months = []string{"JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"}

// monthOf reads a name of three letters or more.
func monthOf(upper string) time.Month {
	for i, name := range months {
		if len(upper) >= 3 && strings.HasPrefix(name, upper) || upper == "SEPT" && i == 8 {
			return time.Month(i + 1)
		}
	}
	return 0
}

func isWeekday(upper string) bool {
	for _, name := range []string{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"} {
		if len(upper) >= 3 && strings.HasPrefix(name, upper) {
			return true
		}
	}
	return false
}
