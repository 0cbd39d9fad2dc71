package store_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

const hour = time.Hour

// office is from 9 to 18 on workdays.
var office = store.Workdays(store.Span{From: 9 * hour, To: 18 * hour})

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	z, err := time.LoadLocation(name)
	require.NoError(tb, err)
	return z
}

func calendar(tb testing.TB, h store.BusinessHours) *store.Calendar {
	tb.Helper()
	c, err := store.NewCalendar(h)
	require.NoError(tb, err)
	return c
}

// isOpen is what BusinessHours say of the clock on the wall at t, read from their comments alone.
func isOpen(h store.BusinessHours, t time.Time) bool {
	z := h.Zone
	if z == nil {
		z = time.UTC
	}
	t = t.In(z)
	clock := time.Duration(t.Hour())*hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	for _, holiday := range h.Holidays {
		if holiday.Date == t.Format(time.DateOnly) {
			return slices.ContainsFunc(holiday.Open, func(s store.Span) bool { return s.From <= clock && clock < s.To })
		}
	}
	today, yesterday := h.Week[t.Weekday()], h.Week[(t.Weekday()+6)%7]
	return slices.ContainsFunc(today, func(s store.Span) bool { return s.From <= clock && (clock < s.To || s.To < s.From) }) ||
		slices.ContainsFunc(yesterday, func(s store.Span) bool { return s.To < s.From && clock < s.To })
}

// counted adds up the steps of a time that are open.
func counted(h store.BusinessHours, from, to time.Time, step time.Duration) (open time.Duration) {
	for t := from; t.Before(to); t = t.Add(step) {
		if isOpen(h, t) {
			open += step
		}
	}
	return open
}

func TestCalendarOpen(t *testing.T) {
	t.Parallel()
	night := store.Span{From: 22 * hour, To: 6 * hour}
	always := store.Week{}
	for i := range always {
		always[i] = []store.Span{{To: 24 * hour}}
	}
	at := func(c store.Span, days ...time.Weekday) (w store.Week) {
		for _, d := range days {
			w[d] = append(w[d], c)
		}
		return w
	}
	for name, tt := range map[string]struct {
		zone     string
		week     store.Week
		holidays []store.Holiday
		from, to string
		want     time.Duration
	}{
		"over a weekend":                    {"Europe/Berlin", office, nil, "2026-11-27 17:55", "2026-11-30 09:05", 10 * time.Minute},
		"over a weekend and a holiday":      {"Europe/Berlin", office, []store.Holiday{{Date: "2026-11-30"}}, "2026-11-27 17:55", "2026-12-01 09:05", 10 * time.Minute},
		"half of Christmas Eve":             {"Europe/Berlin", office, []store.Holiday{{Date: "2026-12-24", Open: []store.Span{{9 * hour, 12 * hour}}}}, "2026-12-23 17:00", "2026-12-25 09:00", 4 * hour},
		"a Sunday that is open":             {"Europe/Berlin", office, []store.Holiday{{Date: "2026-12-20", Open: []store.Span{{13 * hour, 18 * hour}}}}, "2026-12-18 18:00", "2026-12-21 09:00", 5 * hour},
		"a holiday on a weekend":            {"Europe/Berlin", office, []store.Holiday{{Date: "2026-12-26"}}, "2026-12-25 17:00", "2026-12-28 10:00", 2 * hour},
		"begins and ends while closed":      {"Europe/Berlin", office, nil, "2026-11-27 20:00", "2026-11-30 08:00", 0},
		"in no time":                        {"Europe/Berlin", office, nil, "2026-11-27 10:00", "2026-11-27 10:00", 0},
		"a week":                            {"Europe/Berlin", office, nil, "2026-11-27 12:34", "2026-12-04 12:34", 45 * hour},
		"a lunch break":                     {"UTC", store.Workdays(store.Span{14 * hour, 18 * hour}, store.Span{9 * hour, 12 * hour}), nil, "2026-11-27 11:30", "2026-11-27 14:30", hour},
		"spans that overlap":                {"UTC", store.Workdays(store.Span{9 * hour, 12 * hour}, store.Span{11 * hour, 13 * hour}, store.Span{12 * hour, 13 * hour}), nil, "2026-11-27 00:00", "2026-11-28 00:00", 4 * hour},
		"a night":                           {"UTC", at(night, time.Friday), nil, "2026-11-27 00:00", "2026-11-29 00:00", 8 * hour},
		"the night to Sunday":               {"UTC", at(night, time.Saturday), nil, "2026-11-28 23:00", "2026-11-30 00:00", 7 * hour},
		"until midnight":                    {"UTC", at(store.Span{20 * hour, 0}, time.Friday), nil, "2026-11-27 00:00", "2026-11-29 00:00", 4 * hour},
		"a holiday cuts off the night":      {"UTC", at(night, time.Friday), []store.Holiday{{Date: "2026-11-28"}}, "2026-11-27 00:00", "2026-11-29 00:00", 2 * hour},
		"a night that begins on a holiday":  {"UTC", at(night, time.Friday), []store.Holiday{{Date: "2026-11-27"}}, "2026-11-27 00:00", "2026-11-29 00:00", 6 * hour},
		"always":                            {"Europe/Berlin", always, nil, "2026-03-28 00:00", "2026-04-01 00:00", 95 * hour},
		"clocks forward":                    {"Europe/Berlin", at(store.Span{1 * hour, 4 * hour}, time.Sunday), nil, "2026-03-28 12:00", "2026-03-29 12:00", 2 * hour},
		"clocks forward, in the gap":        {"Europe/Berlin", at(store.Span{2 * hour, 3 * hour}, time.Sunday), nil, "2026-03-28 12:00", "2026-03-29 12:00", 0},
		"clocks back":                       {"Europe/Berlin", at(store.Span{1 * hour, 4 * hour}, time.Sunday), nil, "2026-10-24 12:00", "2026-10-25 12:00", 4 * hour},
		"clocks back, the hour twice":       {"Europe/Berlin", at(store.Span{2 * hour, 3 * hour}, time.Sunday), nil, "2026-10-24 12:00", "2026-10-25 12:00", 2 * hour},
		"a day off work of 23 hours":        {"Europe/Berlin", office, nil, "2026-03-27 17:00", "2026-03-30 10:00", 2 * hour},
		"half an hour on Lord Howe":         {"Australia/Lord_Howe", always, nil, "2025-04-06 00:00", "2025-04-07 00:00", 24*hour + 30*time.Minute},
		"half an hour forward on Lord Howe": {"Australia/Lord_Howe", at(store.Span{1 * hour, 3 * hour}, time.Sunday), nil, "2025-10-05 00:00", "2025-10-06 00:00", 90 * time.Minute},
		"no midnight in Santiago":           {"America/Santiago", at(store.Span{0, 2 * hour}, time.Sunday), nil, "2024-09-07 12:00", "2024-09-08 12:00", hour},
		"midnight twice in Havana":          {"America/Havana", at(store.Span{0, 2 * hour}, time.Sunday), nil, "2024-11-02 12:00", "2024-11-03 12:00", 3 * hour},
		"Kiritimati":                        {"Pacific/Kiritimati", office, nil, "2026-11-27 17:55", "2026-11-30 09:05", 10 * time.Minute},
		"Kiritimati without New Year's Eve": {"Pacific/Kiritimati", always, nil, "1994-12-30 00:00", "1995-01-02 00:00", 48 * hour},
		"Apia without a Friday":             {"Pacific/Apia", office, nil, "2011-12-29 17:00", "2012-01-02 10:00", 2 * hour},
		"a holiday that did not happen":     {"Pacific/Apia", office, []store.Holiday{{Date: "2011-12-30"}}, "2011-12-29 17:00", "2012-01-02 10:00", 2 * hour},
		"the last day of a leap year":       {"Europe/Berlin", always, nil, "2040-12-30 00:00", "2041-01-02 00:00", 72 * hour},
		"years of 365 days":                 {"Australia/Lord_Howe", always, nil, "2043-06-01 00:00", "2045-06-01 00:00", 731 * 24 * hour},
		"a leap day":                        {"Asia/Kathmandu", office, nil, "2028-02-28 17:00", "2028-03-01 10:00", 11 * hour},
		"a leap day off":                    {"Asia/Kathmandu", office, []store.Holiday{{Date: "2028-02-29"}}, "2028-02-28 17:00", "2028-03-01 10:00", 2 * hour},
		"1900 had no leap day":              {"UTC", always, nil, "1900-02-28 00:00", "1900-03-01 00:00", 24 * hour},
		"an empty week with one day":        {"UTC", store.Week{}, []store.Holiday{{Date: "2026-05-01", Open: []store.Span{{0, 24 * hour}}}}, "2020-01-01 00:00", "2030-01-01 00:00", 24 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := store.BusinessHours{Zone: zone(t, tt.zone), Week: tt.week, Holidays: tt.holidays}
			moment := func(s string) time.Time {
				at, err := time.ParseInLocation("2006-01-02 15:04", s, h.Zone)
				require.NoError(t, err)
				return at
			}
			c, from, to := calendar(t, h), moment(tt.from), moment(tt.to)
			require.Equal(t, tt.want, c.Open(from, to))
			require.Equal(t, -tt.want, c.Open(to, from))
			if to.Sub(from) < 1000*hour {
				require.Equal(t, tt.want, counted(h, from, to, time.Minute))
			}
		})
	}
}

// checkPair compares what a calendar says of two times with a count of all steps between them.
func checkPair(t *testing.T, h store.BusinessHours, from, to time.Time, step time.Duration) {
	t.Helper()
	c := calendar(t, h)
	open := counted(h, from, to, step)
	what := fmt.Sprintf("%+v: %s to %s", h, from, to)
	require.Equal(t, open, c.Open(from, to), what)
	require.Equal(t, isOpen(h, from), c.IsOpen(from), what)
	checkAdd(t, c, from, open, what)
	checkNext(t, h, c, from, to, step, what)
}

// checkAdd requires the earliest and the latest time that are d apart.
func checkAdd(t *testing.T, c *store.Calendar, from time.Time, d time.Duration, what string) {
	t.Helper()
	for _, d := range []time.Duration{d, d + time.Second, d + 1234567891} {
		if due, ok := c.Add(from, d); ok {
			require.False(t, due.Before(from), what)
			require.Equal(t, d, c.Open(from, due), "%s: %s later", what, d)
			require.True(t, d == 0 || c.Open(from, due.Add(-1)) == d-1, "%s: %s later", what, d)
		}
		if since, ok := c.Add(from, -d); ok {
			require.False(t, since.After(from), what)
			require.Equal(t, d, c.Open(since, from), "%s: %s earlier", what, d)
			require.True(t, d == 0 || c.Open(since.Add(1), from) == d-1, "%s: %s earlier", what, d)
		}
	}
}

func checkNext(t *testing.T, h store.BusinessHours, c *store.Calendar, from, to time.Time, step time.Duration, what string) {
	t.Helper()
	next, ok := c.NextOpen(from)
	for at := from; at.Before(to); at = at.Add(step) {
		if isOpen(h, at) {
			require.True(t, ok && !next.After(at) && isOpen(h, next), "%s: %s and not %s", what, at, next)
			return
		}
	}
	require.True(t, !ok || next.After(to.Add(-step)), what)
}

var testZones = []string{
	"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Santiago", "Australia/Lord_Howe", "America/Havana", "Pacific/Kiritimati",
	"Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo", "Europe/Dublin", "Antarctica/Troll",
}

// oddTimes are close to what a zone did.
var oddTimes = []time.Time{
	time.Date(1994, 12, 31, 10, 0, 0, 0, time.UTC), time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC), time.Date(2018, 11, 4, 3, 0, 0, 0, time.UTC),
	time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
	time.Date(2025, 4, 5, 15, 0, 0, 0, time.UTC), time.Date(2025, 10, 4, 15, 30, 0, 0, time.UTC), time.Date(2024, 9, 8, 4, 0, 0, 0, time.UTC),
	time.Date(2026, 2, 15, 2, 0, 0, 0, time.UTC), time.Date(2100, 2, 28, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC),
}

// randomHours have up to three spans a day, some empty days, and holidays around a time.
func randomHours(dice *rand.Rand, zone *time.Location, around time.Time) store.BusinessHours {
	minutes := func() time.Duration {
		return time.Duration([]int{dice.IntN(24 * 60), dice.IntN(24) * 60, 0}[dice.IntN(3)]) * time.Minute
	}
	spans := func(nights bool) (all []store.Span) {
		for range dice.IntN(4) {
			s := store.Span{From: minutes(), To: minutes()}
			switch {
			case s.From == s.To:
				s.To = 24 * hour
			case s.To < s.From && !nights:
				s.From, s.To = s.To, s.From
			}
			all = append(all, s)
		}
		return all
	}
	h := store.BusinessHours{Zone: zone}
	for i := range h.Week {
		h.Week[i] = spans(true)
	}
	h.Week[dice.IntN(7)] = []store.Span{{9 * hour, 18 * hour}} // not never
	for i := range dice.IntN(4) {
		date := around.AddDate(0, 0, 4*i+dice.IntN(4)-6).Format(time.DateOnly)
		h.Holidays = append(h.Holidays, store.Holiday{Date: date, Open: spans(false)})
	}
	dice.Shuffle(len(h.Holidays), func(i, j int) { h.Holidays[i], h.Holidays[j] = h.Holidays[j], h.Holidays[i] })
	return h
}

func TestCalendarCounts(t *testing.T) {
	t.Parallel()
	for _, name := range testZones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z, dice := zone(t, name), rand.New(rand.NewPCG(1, uint64(len(name))))
			for range 40 {
				around := oddTimes[dice.IntN(len(oddTimes))]
				from := around.Add(time.Duration(dice.IntN(4*24*60)-2*24*60) * time.Minute).In(z)
				checkPair(t, randomHours(dice, z, around), from, from.Add(time.Duration(dice.IntN(4*24*60))*time.Minute), time.Minute)
			}
		})
	}
}

// The clocks of cities had seconds of their own before there were zones.
func TestCalendarCountsSeconds(t *testing.T) {
	t.Parallel()
	z := zone(t, "Europe/Amsterdam")
	from := time.Date(1937, 6, 30, 20, 0, 7, 0, time.UTC)
	checkPair(t, store.BusinessHours{Zone: z, Week: store.Week{3: {{20 * hour, 22 * hour}}, 4: {{0, 3 * hour}}}}, from, from.Add(9*hour), time.Second)
}

func FuzzCalendar(f *testing.F) {
	for i := range testZones {
		f.Add(uint64(i), uint16(i), uint32(i*777), uint16(5000))
	}
	f.Fuzz(func(t *testing.T, seed uint64, place uint16, start uint32, length uint16) {
		z, dice := zone(t, testZones[int(place)%len(testZones)]), rand.New(rand.NewPCG(seed, 1))
		from := time.Unix(int64(start)*60%(150*365*24*3600), 0).In(z) // since 1970 all clocks show whole minutes
		checkPair(t, randomHours(dice, z, from), from, from.Add(time.Duration(length%10_000)*time.Minute), time.Minute)
	})
}

// What lies between two times adds up, to the nanosecond.
func TestCalendarAddsUp(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(7, 7))
	for range 500 {
		around := oddTimes[dice.IntN(len(oddTimes))]
		c := calendar(t, randomHours(dice, zone(t, testZones[dice.IntN(len(testZones))]), around))
		var at [3]time.Time
		for i := range at {
			at[i] = around.Add(time.Duration(dice.Int64N(int64(20000*hour))) - 10000*hour)
		}
		require.Equal(t, c.Open(at[0], at[2]), c.Open(at[0], at[1])+c.Open(at[1], at[2]))
		checkAdd(t, c, at[0], time.Duration(dice.Int64N(int64(1000*hour))), "anywhere")
	}
}

func TestCalendarSLA(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	c := calendar(t, store.BusinessHours{Zone: berlin, Week: office, Holidays: []store.Holiday{{Date: "2026-12-25"}}})
	at := func(s string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04:05", s, berlin)
		require.NoError(t, err)
		return at
	}
	for _, tt := range []struct {
		from string
		d    time.Duration
		want string
	}{
		{"2026-11-27 17:55:00", 10 * time.Minute, "2026-11-30 09:05:00"},
		{"2026-11-27 17:55:00", 5 * time.Minute, "2026-11-27 18:00:00"}, // and not Monday at 9
		{"2026-11-28 12:00:00", 0, "2026-11-28 12:00:00"},
		{"2026-11-28 12:00:00", time.Second, "2026-11-30 09:00:01"},
		{"2026-12-24 17:00:00", 4 * hour, "2026-12-28 12:00:00"},
		{"2026-11-30 09:05:00", -10 * time.Minute, "2026-11-27 17:55:00"},
		{"2026-11-30 09:05:00", -5 * time.Minute, "2026-11-30 09:00:00"},
		{"2026-11-28 12:00:00", -time.Second, "2026-11-27 17:59:59"},
	} {
		got, ok := c.Add(at(tt.from), tt.d)
		require.True(t, ok)
		require.Equal(t, at(tt.want), got, "%s and %s", tt.from, tt.d)
	}
	next, ok := c.NextOpen(at("2026-12-24 18:00:00").UTC())
	require.True(t, ok)
	require.Equal(t, at("2026-12-28 09:00:00").UTC(), next, "in the zone that was asked in")
	next, ok = c.NextOpen(at("2026-12-24 17:59:59"))
	require.True(t, ok)
	require.Equal(t, at("2026-12-24 17:59:59"), next)
}

// Times and durations at the ends of what there is.
func TestCalendarEnds(t *testing.T) {
	t.Parallel()
	c := calendar(t, store.BusinessHours{Zone: zone(t, "Europe/Berlin"), Week: office})
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, time.Duration(math.MaxInt64), c.Open(first, last))
	require.Equal(t, -time.Duration(math.MaxInt64), c.Open(last, first))
	require.Zero(t, c.Open(last, last.AddDate(100_000_000, 0, 0)))
	require.Zero(t, c.Open(time.Unix(math.MinInt64/2, 0), first))
	for _, d := range []time.Duration{math.MaxInt64, math.MinInt64} {
		_, ok := c.Add(first.AddDate(5000, 0, 0), d)
		require.True(t, ok)
	}
	due, ok := c.Add(last.AddDate(0, 0, -3), 1000*hour)
	require.False(t, ok)
	require.Zero(t, due)
	_, ok = c.Add(first.AddDate(0, 0, 3), -1000*hour)
	require.False(t, ok)
	_, ok = c.NextOpen(last)
	require.False(t, ok)

	once := calendar(t, store.BusinessHours{Holidays: []store.Holiday{{Date: "2026-05-01", Open: []store.Span{{0, hour}}}}})
	_, ok = once.NextOpen(time.Date(2026, 5, 1, 1, 0, 0, 0, time.UTC))
	require.False(t, ok, "never again")

	var zero store.Calendar
	require.False(t, zero.IsOpen(first))
	require.Zero(t, zero.Open(first, last))
	for _, d := range []time.Duration{1, -1} {
		_, ok = zero.Add(oddTimes[0], d)
		require.False(t, ok)
	}
}

func TestBusinessHoursRefused(t *testing.T) {
	t.Parallel()
	many := make([]store.Span, store.MaxSpans+1)
	for i := range many {
		many[i] = store.Span{0, hour}
	}
	week := func(s ...store.Span) store.BusinessHours { return store.BusinessHours{Week: store.Week{6: s}} }
	on := func(hs ...store.Holiday) store.BusinessHours { return store.BusinessHours{Week: office, Holidays: hs} }
	for name, tt := range map[string]struct {
		h     store.BusinessHours
		field string
	}{
		"never":                    {store.BusinessHours{}, "week"},
		"only closed holidays":     {store.BusinessHours{Holidays: []store.Holiday{{Date: "2026-12-25"}}}, "week"},
		"before the day":           {week(store.Span{-hour, hour}), "week"},
		"after the day":            {week(store.Span{hour, 25 * hour}), "week"},
		"begins at its end":        {week(store.Span{24 * hour, hour}), "week"},
		"no time":                  {week(store.Span{9 * hour, 9 * hour}), "week"},
		"the zero span":            {week(store.Span{}), "week"},
		"half a minute":            {week(store.Span{9 * hour, 9*hour + 30*time.Second}), "week"},
		"hours for durations":      {week(store.Span{9, 18}), "week"},
		"many spans":               {week(many...), "week"},
		"no date":                  {on(store.Holiday{}), "holidays"},
		"not a date":               {on(store.Holiday{Date: "2026-02-29"}), "holidays"},
		"another form":             {on(store.Holiday{Date: "25.12.2026"}), "holidays"},
		"the year 0":               {on(store.Holiday{Date: "0000-12-25"}), "holidays"},
		"a night":                  {on(store.Holiday{Date: "2026-12-25", Open: []store.Span{{22 * hour, 6 * hour}}}), "holidays"},
		"a span of a holiday":      {on(store.Holiday{Date: "2026-12-25", Open: []store.Span{{9, 12}}}), "holidays"},
		"many spans of a holiday":  {on(store.Holiday{Date: "2026-12-25", Open: many}), "holidays"},
		"many holidays":            {on(make([]store.Holiday, store.MaxHolidays+1)...), "holidays"},
		"a date twice, as it were": {on(store.Holiday{Date: "2026-12-25"}, store.Holiday{Date: "2026-12-25", Open: []store.Span{{0, hour}}}), "holidays"},
	} {
		c, err := store.NewCalendar(tt.h)
		require.ErrorIs(t, err, store.ErrInvalid, name)
		var invalid *store.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, tt.field, invalid.Field, name)
		require.Nil(t, c, name)
	}
	_, err := store.NewCalendar(on(store.Holiday{Date: "2026-12-25"}, store.Holiday{Date: "2026-12-25"}))
	require.NoError(t, err, "of two lists of holidays")
}
