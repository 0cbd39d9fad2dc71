package storetest

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// runReports compares every report on 20 users, 5,000 conversations, 100,000 messages and
// 20,000 suggestions (fewer unless the run is a full one) with a computation in plain Go from
// the same rows, to the last digit.
func runReports(t *testing.T, f Factory, n worldSize) {
	t.Helper()
	w := newReportWorld(t, f, n)
	views := w.reportViews(t)
	for name, compare := range reportComparisons() {
		t.Run(name, func(t *testing.T) {
			for _, v := range views {
				for _, p := range v.periods {
					// The zone says where days are cut, and most reports cut none.
					if (compare.byDay || !p.forDays) && (compare.waits || p.Calendar == nil) {
						compare.run(t, comparison{v, p, fmt.Sprintf("%s of %s, %s", name, v.name, p.name)})
					}
				}
			}
		})
	}
}

// reportView is what one scope may see, what it must see there, and the periods for which
// that is compared.
type reportView struct {
	view
	oracle  *oracle
	reports store.Reports
	periods []namedPeriod
}

type namedPeriod struct {
	name string
	store.Period
	forDays bool
}

// comparison is what a report is asked, and a name for it.
type comparison struct {
	*reportView
	period namedPeriod
	name   string
}

// reportViews are everybody, a user with much, one with little and one with nothing. The
// user with much gets all the periods.
func (w *reportWorld) reportViews(t testing.TB) []*reportView {
	t.Helper()
	first, last, stranger := w.rows.users[0], w.rows.users[len(w.rows.users)-1], uuid.New()
	periods := worldPeriods(t)
	views := []*reportView{
		{view: view{"everybody", w.st.AllUsers(), uuid.Nil}, periods: periods[:4]},
		{view: view{"the first user", w.st.ForUser(first), first}, periods: periods},
		{view: view{"the last user", w.st.ForUser(last), last}, periods: append(periods[:2:2], periods[3], periods[len(periods)-1])},
		{view: view{"a stranger", w.st.ForUser(stranger), stranger}, periods: periods[:2]},
	}
	for _, v := range views {
		v.oracle, v.reports = newOracle(w.rows, v.user), v.scope.Reports()
	}
	return views
}

func worldPeriods(t testing.TB) []namedPeriod {
	t.Helper()
	in := func(name string, since, before string) store.Period {
		z := zone(t, name)
		bound := func(s string) time.Time {
			if s == "" {
				return time.Time{}
			}
			at, err := time.ParseInLocation("2006-01-02 15:04:05.999999", s, z)
			require.NoError(t, err)
			return at
		}
		return store.Period{Since: bound(since), Before: bound(before), Zone: z}
	}
	return []namedPeriod{
		{"all time", store.Period{}, false},
		{"a quarter", in("UTC", "2025-01-01 00:00:00", "2025-04-01 00:00:00"), false},
		{"everything, in Berlin", in("Europe/Berlin", "2024-08-25 00:00:00", "2025-11-10 00:00:00"), true},
		{"everything, while Berlin is open", store.Period{Calendar: worldHours(t)["Berlin"]}, false},
		{"nights on Lord Howe", store.Period{
			Since: worldBegin.AddDate(0, 1, 0), Before: worldEnd, Zone: zone(t, "America/Santiago"), Calendar: worldHours(t)["Lord Howe"],
		}, false},
		{"a short day in Berlin", in("Europe/Berlin", "2025-03-30 00:00:00", "2025-03-31 00:00:00"), false},
		{"since, in Kathmandu", in("Asia/Kathmandu", "2025-10-01 00:00:00", ""), false},
		{"before, in New York", in("America/New_York", "", "2025-06-15 12:34:56.789012"), false},
		{"no time", in("UTC", "2025-05-01 00:00:00", "2025-05-01 00:00:00"), false},
		{"parts of days around a long one in Berlin", in("Europe/Berlin", "2025-10-24 12:00:00", "2025-10-28 03:00:00"), true},
		{"autumn in New York", in("America/New_York", "2024-11-01 00:00:00", "2024-11-06 23:59:59.999999"), true},
		{"spring in New York", in("America/New_York", "2025-03-07 00:00:00", "2025-03-11 00:00:00.000001"), true},
		{"Kathmandu", in("Asia/Kathmandu", "2025-02-28 00:00:00", "2025-03-15 00:00:00"), true},
		{"half an hour on Lord Howe", in("Australia/Lord_Howe", "2025-04-04 00:00:00", "2025-04-08 00:00:00"), true},
		{"no midnight in Santiago", in("America/Santiago", "2024-09-05 00:00:00", "2024-09-11 00:00:00"), true},
	}
}

// reportComparison compares a report with the oracle's.
type reportComparison struct {
	run   func(t *testing.T, c comparison)
	byDay bool
	// waits has one that counts durations, and so looks at a calendar.
	waits bool
}

func reportComparisons() map[string]reportComparison {
	return map[string]reportComparison{
		"Summary":                     figure(store.Reports.Summary, (*oracle).Summary),
		"Daily":                       {run: compareDaily, byDay: true},
		"DailySeries":                 series(store.Reports.DailySeries, (*oracle).DailySeries),
		"MostActive":                  ranking(store.Reports.MostActive, (*oracle).MostActive),
		"Unread":                      {run: compareUnread},
		"MessagesWithAttachments":     {run: compareAttached},
		"AttachmentCounts":            ranking(store.Reports.AttachmentCounts, (*oracle).AttachmentCounts),
		"ResponseTimes":               waits(figure(store.Reports.ResponseTimes, (*oracle).ResponseTimes)),
		"ResponseTimesByConversation": waits(ranking(store.Reports.ResponseTimesByConversation, (*oracle).ResponseTimesByConversation)),
		"ResponseTimesByLead":         waits(ranking(store.Reports.ResponseTimesByLead, (*oracle).ResponseTimesByLead)),
		"FirstResponseTimes":          waits(figure(store.Reports.FirstResponseTimes, (*oracle).FirstResponseTimes)),
		"ResponseTimesByAssignee":     waits(ranking(store.Reports.ResponseTimesByAssignee, (*oracle).ResponseTimesByAssignee)),
		"ResponseTimesByDay":          waits(series(store.Reports.ResponseTimesByDay, (*oracle).ResponseTimesByDay)),
		"ResponseRate":                {run: compareRate},
		"SuggestionsByDay":            series(store.Reports.SuggestionsByDay, (*oracle).SuggestionsByDay),
		"SuggestionsByConfidence":     {run: compareConfidence},
		"SuggestionsByModel":          rowsOfPeriod(store.Reports.SuggestionsByModel, (*oracle).SuggestionsByModel),
		"HighConfidenceApproved":      {run: compareApproved},
		"DecisionTimes":               waits(figure(store.Reports.DecisionTimes, (*oracle).DecisionTimes)),
		"EditDistances":               {run: compareEdits},
		"CostsByConversation":         ranking(store.Reports.CostsByConversation, (*oracle).CostsByConversation),
		"CostsByLead":                 ranking(store.Reports.CostsByLead, (*oracle).CostsByLead),
		"CostsByModel":                ranking(store.Reports.CostsByModel, (*oracle).CostsByModel),
		"CostsByDay":                  series(store.Reports.CostsByDay, (*oracle).CostsByDay),
	}
}

func waits(c reportComparison) reportComparison {
	c.waits = true
	return c
}

// figure is a report of one row.
func figure[T any](
	get func(store.Reports, context.Context, store.Period) (T, error), want func(*oracle, store.Period) T,
) reportComparison {
	return reportComparison{run: func(t *testing.T, c comparison) {
		got, err := get(c.reports, t.Context(), c.period.Period)
		sameRows(t, c.name, []T{want(c.oracle, c.period.Period)}, []T{got}, err)
	}}
}

// rowsOfPeriod is a report of all rows that there are.
func rowsOfPeriod[T any](
	get func(store.Reports, context.Context, store.Period) ([]T, error), want func(*oracle, store.Period) []T,
) reportComparison {
	return reportComparison{run: func(t *testing.T, c comparison) {
		got, err := get(c.reports, t.Context(), c.period.Period)
		sameRows(t, c.name, want(c.oracle, c.period.Period), got, err)
	}}
}

// ranking is a report of the first rows, of which all time shows different numbers.
func ranking[T any](
	get func(store.Reports, context.Context, store.Top) ([]T, error), want func(*oracle, store.Top) []T,
) reportComparison {
	return reportComparison{run: func(t *testing.T, c comparison) {
		limits := []int{store.MaxLimit}
		if c.period.Period == (store.Period{}) {
			limits = append(limits, 0, 7)
		}
		for _, limit := range limits {
			ask := store.Top{Period: c.period.Period, Limit: limit}
			got, err := get(c.reports, t.Context(), ask)
			sameRows(t, fmt.Sprint(c.name, ", limit ", limit), want(c.oracle, ask), got, err)
		}
	}}
}

func compareDaily(t *testing.T, c comparison) {
	p := c.oracle.series(c.period.Period)
	for _, at := range []time.Time{p.Since, p.Since.Add(25*time.Hour - time.Microsecond), p.Before} {
		at = at.In(zoneOf(p))
		got, err := c.reports.Daily(t.Context(), at)
		sameRows(t, fmt.Sprint(c.name, " at ", at), []store.Daily{c.oracle.Daily(at)}, []store.Daily{got}, err)
	}
}

// comparePages compares a list of pages whose size is odd, and divides the list into a few.
func comparePages[T any](t *testing.T, name string, want []*T, read func(store.PageRequest) (store.Page[*T], error)) {
	t.Helper()
	size := min(store.MaxLimit-1, len(want)/7) | 1
	got, err := list(size, read)
	sameRows(t, fmt.Sprint(name, ", pages of ", size), want, got, err)
}

func compareUnread(t *testing.T, c comparison) {
	since := c.period.Since
	comparePages(t, c.name, c.oracle.Unread(since), func(p store.PageRequest) (store.Page[*store.UnreadConversation], error) {
		return c.reports.Unread(t.Context(), since, p)
	})
}

func compareAttached(t *testing.T, c comparison) {
	comparePages(t, c.name, c.oracle.MessagesWithAttachments(c.period.Period), func(p store.PageRequest) (store.Page[*store.AttachedMessage], error) {
		return c.reports.MessagesWithAttachments(t.Context(), c.period.Period, p)
	})
}

func compareApproved(t *testing.T, c comparison) {
	for _, atLeast := range []float64{0, 0.85, 1} {
		want := c.oracle.HighConfidenceApproved(atLeast, c.period.Period)
		comparePages(t, fmt.Sprint(c.name, ", at least ", atLeast), want, func(p store.PageRequest) (store.Page[*suggestion.Suggestion], error) {
			return c.reports.HighConfidenceApproved(t.Context(), atLeast, c.period.Period, p)
		})
	}
}

func compareRate(t *testing.T, c comparison) {
	for _, column := range []string{"category", "tier"} {
		got, err := c.reports.ResponseRate(t.Context(), column, c.period.Period)
		sameRows(t, c.name+" by "+column, c.oracle.ResponseRate(column, c.period.Period), got, err)
	}
}

func compareConfidence(t *testing.T, c comparison) {
	for _, bounds := range [][]float64{nil, {1, 0.849999999, 0.7, 0}, {0.5}} {
		got, err := c.reports.SuggestionsByConfidence(t.Context(), c.period.Period, bounds...)
		sameRows(t, fmt.Sprint(c.name, " by ", bounds), c.oracle.SuggestionsByConfidence(c.period.Period, bounds...), got, err)
	}
}

// compareEdits allows the mean of shares, the sum of thousands of fractions, to be off in
// the digits that depend on the order in which they are added.
func compareEdits(t *testing.T, c comparison) {
	got, err := c.reports.EditDistances(t.Context(), c.period.Period)
	want := c.oracle.EditDistances(c.period.Period)
	if want.MeanShare != nil && got.MeanShare != nil {
		require.InDelta(t, *want.MeanShare, *got.MeanShare, 1e-12, c.name)
		got.MeanShare = want.MeanShare
	}
	sameRows(t, c.name, []store.EditDistances{want}, []store.EditDistances{got}, err)
}

// sameRows names the first row that differs: nobody reads thousands.
func sameRows[T any](t testing.TB, name string, want, got []T, err error) {
	t.Helper()
	require.NoError(t, err, name)
	for i := range min(len(want), len(got)) {
		if w, g := describe(want[i]), describe(got[i]); w != g {
			require.Equal(t, w, g, "%s: row %d of %d", name, i, len(want))
		}
	}
	if n := len(got); n < len(want) {
		t.Fatalf("%s: %d of %d rows; the next should be\n%s", name, n, len(want), describe(want[n]))
	}
	if n := len(want); n < len(got) {
		t.Fatalf("%s: %d rows too many after %d; the first of them is\n%s", name, len(got)-n, n, describe(got[n]))
	}
}

// describe writes out what a row says, a field a line: instants in UTC, numbers by their
// value, documents whatever the order of their keys.
func describe(row any) string {
	var b strings.Builder
	write(&b, "", reflect.ValueOf(row))
	return b.String()
}

func write(b *strings.Builder, path string, v reflect.Value) {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		write(b, path, v.Elem())
		return
	}
	switch value := v.Interface().(type) {
	case time.Time:
		fmt.Fprintf(b, "%s: %s\n", path, value.UTC().Format(time.RFC3339Nano))
		return
	case decimal.Decimal, uuid.UUID:
		fmt.Fprintf(b, "%s: %s\n", path, value)
		return
	case message.JSON:
		var doc any
		if err := value.Decode(&doc); err != nil {
			doc = err
		}
		fmt.Fprintf(b, "%s: %v\n", path, doc)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			write(b, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			write(b, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	default:
		fmt.Fprintf(b, "%s: %v\n", path, v.Interface())
	}
}
