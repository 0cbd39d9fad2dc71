package storetest

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func reportTests() subtests {
	return subtests{
		"ReportsEmpty":        testReportsEmpty,
		"ReportsDaysChosen":   testReportsDaysChosen,
		"ReportsOneMessage":   testReportsOneMessage,
		"ReportsDeleted":      testReportsDeleted,
		"ReportsTies":         testReportsTies,
		"ReportsDays":         testReportsDays,
		"ReportsSeries":       testReportsSeries,
		"ReportsConfidence":   testReportsConfidence,
		"ReportsCosts":        testReportsCosts,
		"ReportsRounding":     testReportsRounding,
		"ReportsFollowWrites": testReportsFollowWrites,
		"ReportsLeads":        testReportsLeads,
		"ReportsRefuse":       testReportsRefuse,
		"ReportsCursors":      testReportsCursors,
		"ReportsHours":        testReportsHours,
		"ReportsKinds":        testReportsKinds,
	}
}

// handMade is a small data set whose figures can be computed on paper.
type handMade struct {
	reportRows
	user uuid.UUID
	ids  uint16
}

func newHandMade(user uuid.UUID) *handMade {
	return &handMade{reportRows: reportRows{leads: map[leadKey]hostLead{}, now: worldNow}, user: user}
}

// id returns ids in no order, half of them with the highest bit set.
func (h *handMade) id() uuid.UUID {
	h.ids++
	n := h.ids * 0x9e37
	return uuid.UUID{byte(n >> 8), byte(n), 15: 1}
}

func minute(n int) time.Time { return worldBegin.Add(time.Duration(n) * time.Minute) }

// thread has a message for each letter, i, o or any other for none, and the minutes at
// which they were sent.
func (h *handMade) thread(lead, directions string, minutes ...int) *conversation.Conversation {
	c := &conversation.Conversation{
		ID: h.id(), UserID: h.user, LeadID: lead, Status: conversation.StatusActive,
		CreatedAt: minute(minutes[0]), UpdatedAt: minute(minutes[0]), LastMessageAt: minute(minutes[0]),
	}
	for i, letter := range directions {
		h.send(c, letter, minute(minutes[i]))
	}
	h.conversations = append(h.conversations, c)
	return c
}

func (h *handMade) send(c *conversation.Conversation, letter rune, at time.Time) {
	c.LastSeq++
	m := &message.Message{
		ID: h.id(), UserID: h.user, ConversationID: c.ID, Seq: c.LastSeq, Role: message.RoleTool,
		SentAt: at, CreatedAt: at, UpdatedAt: at,
	}
	switch letter {
	case 'i':
		m.Role, m.Direction = message.RoleUser, message.DirectionInbound
	case 'o':
		m.Role, m.Direction = message.RoleAssistant, message.DirectionOutbound
	}
	c.Status = c.Status.After(m.Direction)
	if at.After(c.LastMessageAt) {
		c.LastMessageAt = at
	}
	h.messages = append(h.messages, m)
}

// draft is made when the conversation began, and decided after a time unless it is
// pending.
func (h *handMade) draft(c *conversation.Conversation, s suggestion.Suggestion, after time.Duration) *suggestion.Suggestion {
	s.ID, s.UserID, s.ConversationID, s.CreatedAt, s.UpdatedAt = h.id(), h.user, c.ID, c.CreatedAt, c.CreatedAt
	if s.SuggestedContent == "" {
		s.SuggestedContent = "draft"
	}
	if s.Status != "" && s.Status != suggestion.StatusPending {
		s.ReviewedAt = new(c.CreatedAt.Add(after))
	}
	h.suggestions = append(h.suggestions, &s)
	return &s
}

// compareReports asks everything of the rows of a hand-made world, as their owner; of the
// first period also as everybody, and as a stranger, who must see what is seen of nothing.
func (w *world) compareReports(t *testing.T, h *handMade, periods ...store.Period) {
	t.Helper()
	w.compareAs(t, h, view{"the owner", w.st.ForUser(h.user), h.user}, periods...)
	stranger := uuid.New()
	w.compareAs(t, h, view{"everybody", w.st.AllUsers(), uuid.Nil}, periods[0])
	w.compareAs(t, h, view{"a stranger", w.st.ForUser(stranger), stranger}, periods[0])
}

func (w *world) compareAs(t *testing.T, h *handMade, v view, periods ...store.Period) {
	t.Helper()
	rv := &reportView{view: v, oracle: newOracle(&h.reportRows, v.user), reports: v.scope.Reports()}
	for name, compare := range reportComparisons() {
		if name == "ResponseRate" && len(h.leads) == 0 {
			continue
		}
		for _, p := range periods {
			what := fmt.Sprintf("%s of %s, %v to %v", name, v.name, p.Since, p.Before)
			compare.run(t, comparison{rv, namedPeriod{what, p, true}, what})
		}
	}
}

// hour is one in which hand-made conversations happen, by default.
var hour = store.Period{Since: worldBegin, Before: worldBegin.Add(time.Hour)}

func testReportsEmpty(t *testing.T, w *world) {
	h := newHandMade(w.user)
	w.fill(t, &h.reportRows)
	w.compareReports(t, h, store.Period{}, hour)
	r := w.mine.Reports()
	daily, err := r.DailySeries(t.Context(), store.Days{})
	require.NoError(t, err)
	require.Len(t, daily, 30)
	require.Nil(t, daily[0].Suggestions.AverageConfidence)
	_, some := daily[0].Suggestions.ApprovalRate()
	require.False(t, some)
	edits, err := r.EditDistances(t.Context(), store.Period{})
	require.NoError(t, err)
	require.Zero(t, edits, "no NaN")
	_, some = edits.UnchangedShare()
	require.False(t, some)
	times, err := r.ResponseTimes(t.Context(), store.Period{})
	require.NoError(t, err)
	require.Zero(t, times)
	waited, err := r.DecisionTimes(t.Context(), store.Period{})
	require.NoError(t, err)
	require.Zero(t, waited)
}

func testReportsOneMessage(t *testing.T, w *world) {
	h := newHandMade(w.user)
	h.thread("", "i", 0)
	w.fill(t, &h.reportRows)
	us := time.Microsecond
	at := minute(0)
	w.compareReports(t, h, store.Period{}, hour,
		store.Period{Since: at, Before: at.Add(us)}, store.Period{Since: at.Add(-us), Before: at}, store.Period{Since: at.Add(us), Before: at.Add(2 * us)})
}

// testReportsDeleted deletes one row after the other, and restores a conversation.
func testReportsDeleted(t *testing.T, w *world) {
	ctx := t.Context()
	h := newHandMade(w.user)
	a, b := h.thread("1", "ioi", 0, 1, 2), h.thread("1", "io", 0, 5)
	h.messages[1].Attachments = message.Attachments{{Filename: "a"}}
	s := h.draft(a, suggestion.Suggestion{Status: suggestion.StatusEdited, EditedContent: "x", GenerationCost: decimal.New(5, -1)}, time.Minute)
	h.draft(b, suggestion.Suggestion{Status: suggestion.StatusApproved, ConfidenceScore: new(0.9)}, time.Minute)
	w.fill(t, &h.reportRows)
	check := func() {
		t.Helper()
		w.compareAs(t, h, view{"the owner", w.mine, w.user}, hour)
	}
	mark := gorm.DeletedAt{Time: h.now, Valid: true}
	must[*message.Message](t)(w.mine.Messages().Delete(ctx, h.messages[1].ID))
	h.messages[1].DeletedAt = mark
	check()
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Delete(ctx, s.ID))
	s.DeletedAt = mark
	check()
	for _, c := range []*conversation.Conversation{a, b} {
		w.delete(t, c)
		c.DeletedAt = mark
		check()
	}
	summary, err := w.mine.Reports().Summary(ctx, store.Period{})
	require.NoError(t, err)
	require.Equal(t, store.Summary{Deleted: store.StatusCounts{NeedsReply: 1, Waiting: 1}}, summary)
	must[*conversation.Conversation](t)(w.mine.Conversations().Restore(ctx, a.ID))
	a.DeletedAt = gorm.DeletedAt{}
	check()
}

// testReportsTies has every row several times, so that the tie-break decides the order: ids by
// their bytes, texts by their bytes in UTF-8, whatever the language of the server.
func testReportsTies(t *testing.T, w *world) {
	h := newHandMade(w.user)
	for _, lead := range []string{"b", "B", "é", "a", "Z", "10", "9"} {
		for range 2 {
			c := h.thread(lead, "oii o", 0, 0, 0, 0, 0) // at once: seq alone tells who answered
			h.thread(lead, "oi", 3, 3)
			h.thread(lead, "io", 4, 4)
			h.messages[len(h.messages)-1].Attachments = message.Attachments{{Filename: "a"}}
			s := suggestion.Suggestion{Status: suggestion.StatusApproved, ConfidenceScore: new(0.85), ModelUsed: lead}
			s.GenerationCost = decimal.New(15, -1)
			h.draft(c, s, 0)
			s.GenerationCost = decimal.New(1500, -3) // the same, with more digits
			h.draft(c, s, 0)
		}
	}
	h.send(h.conversations[0], 'o', minute(0)) // the latest by seq, and not by time
	h.send(h.conversations[1], 'i', minute(-1))
	w.fill(t, &h.reportRows)
	w.compareReports(t, h, hour, store.Period{Since: minute(0), Before: minute(1)})
	rows, err := w.mine.Reports().SuggestionsByModel(t.Context(), store.Period{})
	require.NoError(t, err)
	var models []string
	for _, r := range rows {
		models = append(models, r.Model)
	}
	require.Equal(t, []string{"10", "9", "B", "Z", "a", "b", "é"}, models)
}

// testReportsDays divides into days at unusual clock changes. Every hour of UTC has a message.
func testReportsDays(t *testing.T, w *world) {
	for _, tt := range []struct {
		zone   string
		dates  []string
		counts []int64
	}{
		{"Europe/Berlin", []string{"2025-03-29", "2025-03-30", "2025-03-31"}, []int64{24, 23, 24}},
		{"Europe/Berlin", []string{"2025-10-25", "2025-10-26", "2025-10-27"}, []int64{24, 25, 24}},
		{"America/Sao_Paulo", []string{"2018-11-03", "2018-11-04", "2018-11-05"}, []int64{24, 23, 24}}, // begins at 1:00
		{"America/Sao_Paulo", []string{"2018-02-16", "2018-02-17", "2018-02-18"}, []int64{24, 25, 24}}, // has 23:00 twice
		{"America/Havana", []string{"2024-11-02", "2024-11-03", "2024-11-04"}, []int64{24, 25, 24}},    // has 0:00 twice
		{"Australia/Lord_Howe", []string{"2025-04-05", "2025-04-06", "2025-04-07"}, []int64{24, 25, 24}},
		{"Pacific/Apia", []string{"2011-12-29", "2011-12-31", "2012-01-01"}, []int64{24, 24, 24}},
		{"Asia/Kathmandu", []string{"2025-02-28", "2025-03-01", "2025-03-02"}, []int64{24, 24, 24}},
	} {
		z := zone(t, tt.zone)
		p := store.Period{Since: dayStart(t, tt.dates[0], 0, z), Before: dayStart(t, tt.dates[2], 1, z), Zone: z}
		h := newHandMade(uuid.New())
		c := h.thread("", "", 0)
		c.CreatedAt = p.Since.Add(time.Hour)
		for i := range 24*3 + 6 { // of both sides of the bounds
			h.send(c, 'i', p.Since.Truncate(time.Hour).Add(time.Duration(i-2)*time.Hour))
		}
		h.draft(c, suggestion.Suggestion{}, 0)
		w.user, w.mine = h.user, w.st.ForUser(h.user)
		w.fill(t, &h.reportRows)
		w.compareDays(t, h, p)
		w.compareDays(t, h, store.Period{Since: p.Since.Add(11 * time.Hour), Before: p.Before.Add(-11 * time.Hour), Zone: z})

		days, err := w.mine.Reports().DailySeries(t.Context(), store.Days{Period: p})
		require.NoError(t, err)
		require.Equal(t, tt.dates, dates(days), tt.zone)
		for i, day := range days {
			alone, err := w.mine.Reports().Daily(t.Context(), day.Start.Add(time.Hour).In(z))
			require.NoError(t, err)
			require.Equal(t, day.Date, alone.Date)
			require.Equal(t, []int64{tt.counts[i], tt.counts[i]}, []int64{day.Messages, alone.Messages}, "%s in %s", day.Date, tt.zone)
		}
	}
}

// dayStart is the first moment of a day, or of one that comes so many days later.
func dayStart(t testing.TB, date string, later int, z *time.Location) time.Time {
	t.Helper()
	day, err := time.Parse(time.DateOnly, date)
	require.NoError(t, err)
	start, exists := firstMoment(day.AddDate(0, 0, later), z)
	require.True(t, exists)
	return start
}

func dates(days []store.Daily) []string {
	var all []string
	for _, d := range days {
		all = append(all, d.Date)
	}
	return all
}

// compareDays asks the reports by day alone.
func (w *world) compareDays(t *testing.T, h *handMade, p store.Period) {
	t.Helper()
	v := &reportView{view: view{scope: w.mine}, oracle: newOracle(&h.reportRows, h.user), reports: w.mine.Reports()}
	for name, compare := range reportComparisons() {
		if compare.byDay {
			what := fmt.Sprintf("%s in %s, %v to %v", name, p.Zone, p.Since, p.Before)
			compare.run(t, comparison{v, namedPeriod{what, p, true}, what})
		}
	}
}

// testReportsSeries asks for series with one bound, with none, and with too many days.
func testReportsSeries(t *testing.T, w *world) {
	ctx, r := t.Context(), w.mine.Reports()
	h := newHandMade(w.user)
	h.now = worldNow.Add(-24 * time.Hour).Truncate(24 * time.Hour).Add(20 * time.Hour)
	c := h.thread("", "", 0)
	for day := range 40 {
		h.send(c, 'i', h.now.AddDate(0, 0, -day).Add(-time.Microsecond))
		h.send(c, 'o', h.now.AddDate(0, 0, day)) // now, and on days to come
	}
	w.fill(t, &h.reportRows)
	east := zone(t, "Asia/Kathmandu") // where the next day has begun
	for _, p := range []store.Period{
		{},
		{Zone: east},
		{Since: h.now.AddDate(0, 0, -3)},
		{Since: h.now.AddDate(0, 0, -3), Zone: east},
		{Before: h.now.AddDate(0, 0, -7)},
		{Since: h.now, Before: h.now},
		{Since: h.now, Before: h.now.Add(time.Microsecond)},
		{Since: time.Date(2040, 12, 30, 0, 0, 0, 0, time.UTC), Before: time.Date(2041, 1, 2, 0, 0, 0, 0, time.UTC), Zone: zone(t, "Europe/Berlin")},
	} {
		w.compareDays(t, h, p)
	}
	daily, err := r.DailySeries(ctx, store.Days{})
	require.NoError(t, err)
	require.Len(t, daily, 30)
	require.Equal(t, []string{"2025-09-28", "2025-10-27"}, []string{daily[0].Date, daily[29].Date})
	for _, d := range daily[:29] {
		require.Equal(t, int64(1), d.Messages, d.Date)
	}
	require.Equal(t, int64(2), daily[29].Messages, "the whole of the present day")

	most := store.Period{Since: worldBegin, Before: worldBegin.AddDate(0, 0, store.MaxDays)}
	costs, err := r.CostsByDay(ctx, store.Days{Period: most})
	require.NoError(t, err)
	require.Len(t, costs, store.MaxDays)
	most.Before = most.Before.Add(time.Microsecond)
	_, err = r.CostsByDay(ctx, store.Days{Period: most})
	require.ErrorIs(t, err, store.ErrInvalid)
	_, err = r.DailySeries(ctx, store.Days{Period: most})
	require.ErrorIs(t, err, store.ErrInvalid)
	_, err = r.SuggestionsByDay(ctx, store.Days{Period: most})
	require.ErrorIs(t, err, store.ErrInvalid)
	_, err = r.ResponseTimesByDay(ctx, store.Days{Period: most})
	require.ErrorIs(t, err, store.ErrInvalid)
}

func testReportsConfidence(t *testing.T, w *world) {
	h := newHandMade(w.user)
	c := h.thread("", "i", 0)
	for range 3 {
		h.draft(c, suggestion.Suggestion{}, 0)
	}
	w.fill(t, &h.reportRows)
	w.compareReports(t, h, hour)
	got, err := w.mine.Reports().SuggestionsByModel(t.Context(), store.Period{})
	require.NoError(t, err)
	require.Nil(t, got[0].AverageConfidence, "three suggestions, none with a confidence")

	more := newHandMade(uuid.New())
	more.ids = h.ids
	c = more.thread("", "i", 0)
	below, above := math.Nextafter(0.85, 0), math.Nextafter(0.7, 1)
	for _, f := range []float64{0, 1, 0.85, 0.7, below, above, 0.1, 0.2, 0.3, 1e-9, 0.999999999, 1.0 / 3} {
		more.draft(c, suggestion.Suggestion{Status: suggestion.StatusApproved, ConfidenceScore: &f}, 0)
	}
	w.fill(t, &more.reportRows)
	more.suggestions, more.conversations = append(more.suggestions, h.suggestions...), append(more.conversations, h.conversations...)
	more.messages = append(more.messages, h.messages...)
	w.compareReports(t, more, hour)
	buckets, err := w.st.AllUsers().Reports().SuggestionsByConfidence(t.Context(), store.Period{})
	require.NoError(t, err)
	var made []int64
	for _, b := range buckets {
		made = append(made, b.Made)
	}
	require.Equal(t, []int64{3, 3, 6, 3}, made, "exactly on a bound is above it")
}

// testReportsCosts adds up what neither a float64 nor an int64 can hold.
func testReportsCosts(t *testing.T, w *world) {
	h := newHandMade(w.user)
	c := h.thread("1", "i", 0)
	for range 20 {
		h.draft(c, suggestion.Suggestion{GenerationCost: decimal.New(999_999_999_999_999_999, 0), TokensUsed: suggestion.MaxTokens}, 0)
	}
	for _, cost := range []string{"0.1", "0.2", "0.0000000001", "12345678.9012345678", "1e17", "7.50"} {
		h.draft(c, suggestion.Suggestion{GenerationCost: decimal.RequireFromString(cost)}, 0)
	}
	w.fill(t, &h.reportRows)
	w.compareReports(t, h, hour)
	got, err := w.mine.Reports().CostsByLead(t.Context(), store.Top{})
	require.NoError(t, err)
	require.Equal(t, "20100000000012345666.7012345679", got[0].Cost.String())
}

// testReportsRounding has durations whose mean or percentile lies between microseconds.
func testReportsRounding(t *testing.T, w *world) {
	h := newHandMade(w.user)
	const years = 1_000 * 24 * int64(time.Hour/time.Microsecond)
	for i, took := range [][]int64{{0, 1}, {0, 0, 1}, {0, 1, 1}, {1, 2, 3, 4, 5, 6}, {years, years + 1}, {3}, {0}} {
		c := h.thread(string(rune('a'+i)), "", i)
		at := c.CreatedAt
		for _, micros := range took {
			d := time.Duration(micros) * time.Microsecond
			h.send(c, 'i', at)
			at = at.Add(d)
			h.send(c, 'o', at)
			h.draft(c, suggestion.Suggestion{Status: suggestion.StatusRejected}, d)
		}
	}
	w.fill(t, &h.reportRows)
	w.compareReports(t, h, hour, store.Period{Since: minute(0), Before: minute(1)})
	got, err := w.mine.Reports().DecisionTimes(t.Context(), store.Period{Since: minute(0), Before: minute(1)})
	require.NoError(t, err)
	us := time.Microsecond
	require.Equal(t, store.Durations{Mean: us, Median: us, P90: us, P95: us}, got.Durations, "half a microsecond is rounded up")
}

// testReportsFollowWrites goes by the methods of the library, not by rows of its own.
func testReportsFollowWrites(t *testing.T, w *world) {
	ctx, r := t.Context(), w.mine.Reports()
	c := w.create(t, &conversation.Conversation{LeadID: "1", Title: "title", Subject: "subject"})
	asked := w.inbound(t, c)
	s := w.suggest(t, c, asked)
	unread, err := r.Unread(ctx, time.Time{}, page)
	require.NoError(t, err)
	require.Len(t, unread.Items, 1)
	require.Equal(t, int64(1), unread.Items[0].Unanswered)
	require.Equal(t, "title", unread.Items[0].Title)

	later := w.tick()
	must[*suggestion.Suggestion](t)(w.mine.Suggestions().Edit(ctx, s.ID, "drafts", suggestion.Review{At: later}))
	must[bool](t)(w.mine.Suggestions().Send(ctx, s.ID, &message.Message{}, store.SendOptions{}))
	unread, err = r.Unread(ctx, time.Time{}, page)
	require.NoError(t, err)
	require.Empty(t, unread.Items)
	times, err := r.ResponseTimes(ctx, store.Period{})
	require.NoError(t, err)
	m := time.Minute
	require.Equal(t, store.ResponseTimes{Answered: 1, Durations: store.Durations{Mean: m, Median: m, P90: m, P95: m}}, times)
	day, err := r.Daily(ctx, epoch)
	require.NoError(t, err)
	require.Equal(t, store.Day{Date: "2024-02-28", Start: time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC)}, store.Day{Date: day.Date, Start: day.Start.UTC()})
	require.Equal(t, []int64{1, 0, 1, 1, 0, 1, 1},
		[]int64{day.NewConversations, day.NeedsReply, day.Messages, day.Inbound, day.Outbound, day.Suggestions.Made, day.Suggestions.Edited},
		"the answer was sent after midnight")
	edits, err := r.EditDistances(ctx, store.Period{})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 0, 1}, []int64{edits.Decided, edits.Unchanged, edits.Compared})
	require.Equal(t, []float64{1, 1, 1}, []float64{*edits.Mean, *edits.Median, *edits.P90})
	require.InDelta(t, 1.0/6, *edits.MeanShare, 1e-12)
}

// testReportsLeads uses host tables that lack rows, values or columns.
func testReportsLeads(t *testing.T, w *world) {
	h := newHandMade(w.user)
	h.thread("1", "io", 0, 1)
	h.thread("2", "o", 0)
	h.thread("3", "i", 0) // has no title
	h.thread("4", "i", 0) // is another user's
	h.thread("", "i", 0)
	gone := h.thread("1", "i", 0)
	gone.DeletedAt = gorm.DeletedAt{Time: h.now, Valid: true}
	h.thread("2", "i", 90)
	h.draft(h.conversations[0], suggestion.Suggestion{}, 0)
	h.leads = map[leadKey]hostLead{
		{h.user, "1"}: {title: new("One"), category: new("a"), tier: new(10)}, {h.user, "2"}: {title: new(""), category: new(""), tier: new(9)},
		{h.user, "3"}: {}, {h.user, "5"}: {category: new("b")}, {uuid.New(), "4"}: {title: new("Another's"), category: new("c"), tier: new(1)},
	}
	leads := newWorld(t, w.factory, withLeads())
	makeLeadsTable(t, leads.st, h.leads)
	leads.fill(t, &h.reportRows)
	leads.compareReports(t, h, store.Period{}, hour)
	got, err := leads.st.ForUser(h.user).Reports().ResponseRate(t.Context(), "tier", hour)
	require.NoError(t, err)
	require.Equal(t, []store.ResponseRate{{Value: "", Started: 1, Answered: 1}, {Value: "10", Started: 1, Answered: 1}, {Value: "9", Started: 1}}, got)

	untitled, err := convostore.New(t.Context(), leads.st.DB(t.Context()), convostore.WithLeads(store.HostTable{
		Name: leadsTable, Key: "id", Owner: "owner", Columns: []string{"tier"},
	}))
	require.NoError(t, err)
	costs, err := untitled.ForUser(h.user).Reports().CostsByLead(t.Context(), store.Top{})
	require.NoError(t, err)
	require.Len(t, costs, 1)
	require.Equal(t, store.LeadRef{LeadID: "1"}, costs[0].LeadRef, "no column has a title")
	for _, column := range []string{"title", "id", "", `category"`, "Category", "nothing"} {
		_, err := leads.st.AllUsers().Reports().ResponseRate(t.Context(), column, store.Period{})
		require.ErrorIs(t, err, store.ErrInvalid, column)
	}
	_, err = untitled.AllUsers().Reports().ResponseRate(t.Context(), "category", store.Period{})
	require.ErrorIs(t, err, store.ErrInvalid, "a column that was not named")
	_, err = w.mine.Reports().ResponseRate(t.Context(), "category", store.Period{})
	require.ErrorIs(t, err, store.ErrInvalid, "no table was named")
}

// askEverything returns the errors of all reports. Those that are one day have no period.
func askEverything(ctx context.Context, r store.Reports, top store.Top, p store.PageRequest) map[string]error {
	errs := map[string]error{}
	_, errs["Summary"] = r.Summary(ctx, top.Period)
	_, errs["DailySeries"] = r.DailySeries(ctx, store.Days{Period: top.Period})
	_, errs["MostActive"] = r.MostActive(ctx, top)
	_, errs["MessagesWithAttachments"] = r.MessagesWithAttachments(ctx, top.Period, p)
	_, errs["AttachmentCounts"] = r.AttachmentCounts(ctx, top)
	_, errs["ResponseTimes"] = r.ResponseTimes(ctx, top.Period)
	_, errs["ResponseTimesByConversation"] = r.ResponseTimesByConversation(ctx, top)
	_, errs["ResponseTimesByLead"] = r.ResponseTimesByLead(ctx, top)
	_, errs["FirstResponseTimes"] = r.FirstResponseTimes(ctx, top.Period)
	_, errs["ResponseTimesByAssignee"] = r.ResponseTimesByAssignee(ctx, top)
	_, errs["ResponseTimesByDay"] = r.ResponseTimesByDay(ctx, store.Days{Period: top.Period})
	_, errs["ResponseRate"] = r.ResponseRate(ctx, "category", top.Period)
	_, errs["SuggestionsByDay"] = r.SuggestionsByDay(ctx, store.Days{Period: top.Period})
	_, errs["SuggestionsByConfidence"] = r.SuggestionsByConfidence(ctx, top.Period)
	_, errs["SuggestionsByModel"] = r.SuggestionsByModel(ctx, top.Period)
	_, errs["HighConfidenceApproved"] = r.HighConfidenceApproved(ctx, 0.5, top.Period, p)
	_, errs["DecisionTimes"] = r.DecisionTimes(ctx, top.Period)
	_, errs["EditDistances"] = r.EditDistances(ctx, top.Period)
	_, errs["CostsByConversation"] = r.CostsByConversation(ctx, top)
	_, errs["CostsByLead"] = r.CostsByLead(ctx, top)
	_, errs["CostsByModel"] = r.CostsByModel(ctx, top)
	_, errs["CostsByDay"] = r.CostsByDay(ctx, store.Days{Period: top.Period})
	return errs
}

func testReportsRefuse(t *testing.T, w *world) {
	ctx, r := t.Context(), w.mine.Reports()
	backwards := store.Top{Period: store.Period{Since: epoch, Before: epoch.Add(-time.Microsecond)}}
	for name, err := range askEverything(ctx, r, backwards, page) {
		require.ErrorIs(t, err, store.ErrInvalid, name)
	}
	for name, err := range askEverything(ctx, r, store.Top{Period: store.Period{Calendar: new(store.Calendar)}}, page) {
		if name != "ResponseRate" { // which has no leads
			invalid(t, err, "calendar")
		}
	}
	for _, limit := range []int{-1, store.MaxLimit + 1} {
		errs := askEverything(ctx, r, store.Top{Period: hour, Limit: limit}, store.PageRequest{Limit: limit})
		_, errs["Unread"] = r.Unread(ctx, time.Time{}, store.PageRequest{Limit: limit})
		for _, name := range []string{
			"MostActive", "Unread", "MessagesWithAttachments", "AttachmentCounts", "ResponseTimesByConversation", "ResponseTimesByLead", "ResponseTimesByAssignee",
			"HighConfidenceApproved", "CostsByConversation", "CostsByLead", "CostsByModel",
		} {
			require.ErrorIs(t, errs[name], store.ErrInvalid, name)
			invalid(t, errs[name], "limit")
		}
	}
	nan := math.NaN()
	for _, bounds := range [][]float64{{0.5, 0.5}, {0.5, 0.7}, {1.1}, {0.5, -0.1}, {nan}, {0.5, nan}, {math.Inf(1)}, {1, 0.9, 0.9}} {
		_, err := r.SuggestionsByConfidence(ctx, hour, bounds...)
		require.ErrorIs(t, err, store.ErrInvalid, "%v", bounds)
	}
	for _, atLeast := range []float64{-0.1, math.Nextafter(1, 2), nan, math.Inf(-1)} {
		_, err := r.HighConfidenceApproved(ctx, atLeast, hour, page)
		require.ErrorIs(t, err, store.ErrInvalid, "%v", atLeast)
	}
}

// testReportsCursors: a cursor belongs to the scope, the method and the filter.
func testReportsCursors(t *testing.T, w *world) {
	ctx, r, all := t.Context(), w.mine.Reports(), w.st.AllUsers().Reports()
	h := newHandMade(w.user)
	for range 2 {
		c := h.thread("", "i", 0)
		h.messages[len(h.messages)-1].Attachments = message.Attachments{{Filename: "a"}}
		h.draft(c, suggestion.Suggestion{Status: suggestion.StatusApproved, ConfidenceScore: new(0.9)}, 0)
	}
	w.fill(t, &h.reportRows)
	one := store.PageRequest{Limit: 1}
	unread := nextOf[*store.UnreadConversation](t)(r.Unread(ctx, minute(0), one))
	attached := nextOf[*store.AttachedMessage](t)(r.MessagesWithAttachments(ctx, hour, one))
	approved := nextOf[*suggestion.Suggestion](t)(r.HighConfidenceApproved(ctx, 0.5, hour, one))
	refused := func(_ any, err error) {
		t.Helper()
		invalid(t, err, "cursor")
	}
	after := func(c store.Cursor) store.PageRequest { return store.PageRequest{After: c} }
	for _, c := range []store.Cursor{attached, approved, "x"} {
		refused(r.Unread(ctx, minute(0), after(c)))
	}
	refused(r.Unread(ctx, minute(-1), after(unread)))
	refused(all.Unread(ctx, minute(0), after(unread)))
	for _, c := range []store.Cursor{unread, approved, "x"} {
		refused(r.MessagesWithAttachments(ctx, hour, after(c)))
	}
	refused(r.MessagesWithAttachments(ctx, store.Period{}, after(attached)))
	refused(all.MessagesWithAttachments(ctx, hour, after(attached)))
	for _, c := range []store.Cursor{unread, attached, "x"} {
		refused(r.HighConfidenceApproved(ctx, 0.5, hour, after(c)))
	}
	refused(r.HighConfidenceApproved(ctx, 0.6, hour, after(approved)))
	refused(r.HighConfidenceApproved(ctx, 0.5, store.Period{}, after(approved)))
	refused(w.other().Reports().HighConfidenceApproved(ctx, 0.5, hour, after(approved)))
}
