package inbox

import (
	"cmp"
	"context"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// reportsPage is the content of the reports.
type reportsPage struct {
	Days    int
	Choices []choice
	Hours   bool
	Tiles   []tile
	Charts  []*chart
	Tables  []table
}

// choice is a period that can be chosen.
type choice struct {
	Label   string
	Query   template.URL
	Current bool
}

// tile is one figure and what it is.
type tile struct{ Value, Label string }

// table is a ranking. The cells of a row after the first are numbers.
type table struct {
	Title string
	Head  []string
	Rows  [][]string
	// Names says that the first column has names of the schema, which are broken over lines after an underscore alone.
	Names bool
}

const defaultDays = 30

// periods are the numbers of days that can be chosen.
var periods = []int{7, defaultDays, 90, 365}

// reports shows the figures of a period that ends today.
func (r *request) reports() error {
	days, err := readDays(r.URL.Query())
	if err != nil {
		return err
	}
	p := r.period(days)
	body := &reportsPage{Days: days, Hours: r.in.options.Calendar != nil}
	for _, n := range periods {
		body.Choices = append(body.Choices, choice{strconv.Itoa(n) + " days", template.URL("days=" + strconv.Itoa(n)), n == days})
	}
	for _, part := range []func(context.Context, *reportsPage, store.Period) error{
		r.activity, r.responses, r.suggested, r.costs,
	} {
		if err := part(r.Context(), body, p); err != nil {
			return err
		}
	}
	f := r.frame("Reports")
	f.Tab, f.Body = "reports", body
	return r.render(http.StatusOK, "reports", f)
}

func readDays(q url.Values) (int, error) {
	const most = 366
	text := cmp.Or(q.Get("days"), strconv.Itoa(defaultDays))
	days, err := strconv.Atoi(text)
	if err != nil || days < 1 || days > most {
		return 0, rule.Invalid("days", "is not a number from 1 to 366")
	}
	return days, nil
}

// period is the last days by the operator's clock, with the present one.
func (r *request) period(days int) store.Period {
	local := r.now.In(r.op.Location)
	since := time.Date(local.Year(), local.Month(), local.Day()-days+1, 0, 0, 0, 0, r.op.Location)
	return store.Period{Since: since, Before: r.now, Zone: r.op.Location, Calendar: r.in.options.Calendar}
}

// activity has the messages and the conversations of each day.
func (r *request) activity(ctx context.Context, body *reportsPage, p store.Period) error {
	series, err := r.rows().Reports().DailySeries(ctx, store.Days{Period: p})
	if err != nil {
		return err
	}
	days := make([]string, len(series))
	in, out, begun := values{name: "in"}, values{name: "out"}, values{name: "begun"}
	var messages, conversations int64
	for i, d := range series {
		days[i] = d.Start.In(p.Zone).Format("2 Jan")
		in.of, out.of = append(in.of, float64(d.Inbound)), append(out.of, float64(d.Outbound))
		begun.of = append(begun.of, float64(d.NewConversations))
		messages, conversations = messages+d.Inbound+d.Outbound, conversations+d.NewConversations
	}
	body.Tiles = append(body.Tiles, tile{strconv.FormatInt(messages, 10), "messages in and out"}, tile{strconv.FormatInt(conversations, 10), "new conversations"})
	body.Charts = append(body.Charts,
		newChart("Messages by day", days, []values{in, out}, false, true, count),
		newChart("New conversations by day", days, []values{begun}, false, true, count))
	return nil
}

// responses says how long people wait.
func (r *request) responses(ctx context.Context, body *reportsPage, p store.Period) error {
	times, err := r.rows().Reports().ResponseTimes(ctx, p)
	if err != nil {
		return err
	}
	byDay, err := r.rows().Reports().ResponseTimesByDay(ctx, store.Days{Period: p})
	if err != nil {
		return err
	}
	body.Tiles = append(body.Tiles, tile{ifAny(times.Answered, duration(times.Median)), "median time to answer"},
		tile{ifAny(times.Answered, duration(times.P90)), "90 % are answered within"}, tile{strconv.FormatInt(times.Open, 10), "questions still open"})
	days := make([]string, len(byDay))
	median, p90 := values{name: "median"}, values{name: "90 %"}
	longest := time.Duration(0)
	for _, d := range byDay {
		longest = max(longest, d.Median, d.P90)
	}
	name, unit := timeScale(longest)
	for i, d := range byDay {
		days[i] = d.Start.In(p.Zone).Format("2 Jan")
		median.of, p90.of = append(median.of, lasting(d.Answered, d.Median, unit)), append(p90.of, lasting(d.Answered, d.P90, unit))
	}
	body.Charts = append(body.Charts, newChart(name+" to answer, by day of the question", days, []values{median, p90}, true, false, decimal))
	people, err := r.rows().Reports().ResponseTimesByAssignee(ctx, store.Top{Period: p, Limit: 10})
	if err != nil {
		return err
	}
	t := table{Title: "Time to answer, by assignee", Head: []string{"Assignee", "Answered", "Median", "90 %", "Open"}}
	for _, one := range people {
		t.Rows = append(t.Rows, []string{
			cmp.Or(oneLine(one.Assignee), "nobody"), strconv.FormatInt(one.Answered, 10),
			ifAny(one.Answered, duration(one.Median)), ifAny(one.Answered, duration(one.P90)), strconv.FormatInt(one.Open, 10),
		})
	}
	body.Tables = append(body.Tables, t)
	return nil
}

// suggested says what became of the drafts.
func (r *request) suggested(ctx context.Context, body *reportsPage, p store.Period) error {
	byDay, err := r.rows().Reports().SuggestionsByDay(ctx, store.Days{Period: p})
	if err != nil {
		return err
	}
	days := make([]string, len(byDay))
	as, edited, rejected := values{name: "as it was"}, values{name: "edited"}, values{name: "rejected"}
	var sum store.SuggestionStats
	for i, d := range byDay {
		days[i] = d.Start.In(p.Zone).Format("2 Jan")
		as.of, edited.of = append(as.of, float64(d.Approved)), append(edited.of, float64(d.Edited))
		rejected.of = append(rejected.of, float64(d.Rejected))
		sum.Made, sum.Approved, sum.Edited, sum.Rejected = sum.Made+d.Made, sum.Approved+d.Approved, sum.Edited+d.Edited, sum.Rejected+d.Rejected
	}
	body.Tiles = append(body.Tiles, tile{strconv.FormatInt(sum.Made, 10), "drafts made"})
	if share, decided := sum.AcceptanceRate(); decided {
		body.Tiles = append(body.Tiles, tile{percent(share), "of decisions were to send"})
	}
	body.Charts = append(body.Charts, newChart("Decisions, by day of the draft", days, []values{as, edited, rejected}, false, true, count))
	buckets, err := r.rows().Reports().SuggestionsByConfidence(ctx, p)
	if err != nil {
		return err
	}
	t := table{Title: "Drafts, by how sure the model was", Head: []string{"Confidence", "Made", "Approved", "Edited", "Rejected"}}
	for _, b := range buckets {
		t.Rows = append(t.Rows, append([]string{bucketLabel(b)}, statCells(b.SuggestionStats)...))
	}
	body.Tables = append(body.Tables, t)
	return nil
}

// costs says what the drafts cost.
func (r *request) costs(ctx context.Context, body *reportsPage, p store.Period) error {
	byDay, err := r.rows().Reports().CostsByDay(ctx, store.Days{Period: p})
	if err != nil {
		return err
	}
	days := make([]string, len(byDay))
	cost := values{name: "cost"}
	for i, d := range byDay {
		days[i] = d.Start.In(p.Zone).Format("2 Jan")
		cost.of = append(cost.of, d.Cost.InexactFloat64())
	}
	highest := 0.0
	for _, v := range cost.of {
		highest = max(highest, v)
	}
	unit, factor := scale(highest)
	for i := range cost.of {
		cost.of[i] *= factor
	}
	body.Charts = append(body.Charts, newChart("Cost of drafts by day"+unit, days, []values{cost}, false, false, decimal))
	models, err := r.rows().Reports().CostsByModel(ctx, store.Top{Period: p, Limit: 10})
	if err != nil {
		return err
	}
	t := table{Title: "Costs, by model", Head: []string{"Model", "Drafts", "Tokens", "Cost"}}
	for _, m := range models {
		t.Rows = append(t.Rows, []string{cmp.Or(oneLine(m.Model), "not named"), strconv.FormatInt(m.Suggestions, 10), strconv.FormatInt(m.Tokens, 10), m.Cost.String()})
	}
	body.Tables = append(body.Tables, t)
	return nil
}

func statCells(s store.SuggestionStats) []string {
	return []string{
		strconv.FormatInt(s.Made, 10), strconv.FormatInt(s.Approved, 10), strconv.FormatInt(s.Edited, 10), strconv.FormatInt(s.Rejected, 10),
	}
}

func bucketLabel(b store.ConfidenceSuggestions) string {
	switch {
	case b.AtLeast != nil && b.Below != nil:
		return percent(*b.AtLeast) + " to " + percent(*b.Below)
	case b.AtLeast != nil:
		return percent(*b.AtLeast) + " and more"
	case b.Below != nil:
		return "below " + percent(*b.Below)
	}
	return "not said"
}

// ifAny is a figure of what was counted, a dash if there was nothing to count.
func ifAny(n int64, figure string) string {
	if n == 0 {
		return "–"
	}
	return figure
}

// timeScale is the unit in which the marks of an axis of times are short.
func timeScale(longest time.Duration) (name string, unit time.Duration) {
	switch {
	case longest >= time.Hour || longest <= 0:
		return "Hours", time.Hour
	case longest >= time.Minute:
		return "Minutes", time.Minute
	case longest >= time.Second:
		return "Seconds", time.Second
	}
	return "Milliseconds", time.Millisecond
}

// lasting is a time of n answers in a unit, NaN if there are none.
func lasting(n int64, d, unit time.Duration) float64 {
	if n == 0 {
		return math.NaN()
	}
	return float64(d) / float64(unit)
}

func count(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }

// decimal writes a number with at most six digits that count, and without an exponent.
func decimal(v float64) string {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // what was written just now
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// scale is the unit in which the marks of an axis with small values are short. highest is the
// highest value.
func scale(highest float64) (unit string, factor float64) {
	switch {
	case highest <= 0 || highest >= 0.01:
		return "", 1
	case highest >= 0.000_01:
		return ", in thousandths", 1e3
	}
	return ", in millionths", 1e6
}
