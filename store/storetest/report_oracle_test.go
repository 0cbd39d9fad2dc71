package storetest

import (
	"math/big"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func TestOracleDays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		zone, day, start string
		hours            float64
	}{
		{"UTC", "2025-03-30", "2025-03-30T00:00:00Z", 24},
		{"Europe/Berlin", "2025-03-30", "2025-03-29T23:00:00Z", 23},
		{"Europe/Berlin", "2025-10-26", "2025-10-25T22:00:00Z", 25},
		{"Asia/Kathmandu", "2025-10-26", "2025-10-25T18:15:00Z", 24},
		{"Australia/Lord_Howe", "2025-04-06", "2025-04-05T13:00:00Z", 24.5},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23}, // begins at 1:00
		{"America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25}, // has 23:00 twice
		{"America/Havana", "2024-11-03", "2024-11-03T04:00:00Z", 25},    // has 0:00 twice
	} {
		z := zone(t, tt.zone)
		day, err := time.Parse(time.DateOnly, tt.day)
		require.NoError(t, err)
		start, exists := firstMoment(day, z)
		require.True(t, exists)
		next, _ := firstMoment(day.AddDate(0, 0, 1), z)
		require.Equal(t, tt.start, start.Format(time.RFC3339), "%s in %s", tt.day, tt.zone)
		require.InDelta(t, tt.hours, next.Sub(start).Hours(), 0, "%s in %s", tt.day, tt.zone)
	}
	apia := zone(t, "Pacific/Apia")
	p := store.Period{Since: time.Date(2011, 12, 29, 12, 0, 0, 0, apia), Before: time.Date(2012, 1, 1, 0, 0, 0, 0, apia), Zone: apia}
	var dates []string
	for _, d := range days(p) {
		dates = append(dates, d.Date)
	}
	require.Equal(t, []string{"2011-12-29", "2011-12-31"}, dates)
	require.Empty(t, days(store.Period{Since: worldNow, Before: worldNow}))
	require.Len(t, days(newOracle(&newHandMade(uuid.New()).reportRows, uuid.Nil).series(store.Period{})), 30)
}

func TestOracleFigures(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int64{0, 1, 1, 2, 3}, []int64{
		halfUp(big.NewRat(1, 3)), halfUp(big.NewRat(1, 2)), halfUp(big.NewRat(4, 3)), halfUp(big.NewRat(2, 1)), halfUp(big.NewRat(5, 2)),
	})
	require.Equal(t, big.NewRat(5, 2), percentile([]int64{4, 1, 3, 2}, 50))
	require.Equal(t, big.NewRat(37, 10), percentile([]int64{4, 1, 3, 2}, 90))
	require.Equal(t, big.NewRat(7, 1), percentile([]int64{7}, 95))
	require.Equal(t, big.NewRat(10, 4), mean([]int64{1, 2, 3, 4}))
	for _, tt := range []struct {
		from, to string
		want     int
	}{
		{"", "", 0},
		{"a", "", 1},
		{"", "abc", 3},
		{"kitten", "sitting", 3},
		{"saturday", "sunday", 3},
		{"flaw", "lawn", 2},
		{"é😀", "e😀", 1},
		{"漢字かな", "かな漢字", 4},
		{"abc", "abc", 0},
	} {
		require.Equal(t, tt.want, editDistance([]rune(tt.from), []rune(tt.to)), "%s, %s", tt.from, tt.to)
		require.Equal(t, tt.want, editDistance([]rune(tt.to), []rune(tt.from)), "%s, %s", tt.to, tt.from)
	}
}

func TestOracleResponses(t *testing.T) {
	t.Parallel()
	h := newHandMade(uuid.New())
	h.leads[leadKey{h.user, "1"}] = hostLead{title: new("One"), category: new("x")}
	h.leads[leadKey{h.user, "2"}] = hostLead{}
	h.leads[leadKey{uuid.New(), "3"}] = hostLead{title: new("Another's"), category: new("y")}
	a := h.thread("1", "oi io ii", 0, 1, 2, 3, 11, 12, 13, 14) // a question of 10 minutes, and an open one
	b := h.thread("2", "io", 5, 5)                             // answered at the same moment
	c := h.thread("", "oi", 7, 7)                              // open: the answer came before
	d := h.thread("3", "io", 9, 8)                             // open: sent before it was asked
	e := h.thread("1", "oo", 20, 21)
	h.thread("1", "io", 0, 1).DeletedAt = gorm.DeletedAt{Valid: true}
	o := newOracle(&h.reportRows, h.user)
	require.Equal(t, store.ResponseTimes{
		Answered: 2, Durations: store.Durations{
			Mean: 5 * time.Minute, Median: 5 * time.Minute, P90: 9 * time.Minute, P95: 9*time.Minute + 30*time.Second,
		}, Open: 3, OldestOpen: new(minute(7)),
	}, o.ResponseTimes(store.Period{}))
	require.Equal(t, int64(1), o.ResponseTimes(store.Period{Since: minute(1), Before: minute(2)}).Answered, "answered later")
	require.Zero(t, o.ResponseTimes(store.Period{Since: minute(2), Before: minute(5)}), "asked before")

	rows := o.ResponseTimesByConversation(store.Top{})
	require.Equal(t, a.ID, rows[0].ConversationID)
	require.Equal(t, b.ID, rows[1].ConversationID)
	require.ElementsMatch(t, []uuid.UUID{c.ID, d.ID}, []uuid.UUID{rows[2].ConversationID, rows[3].ConversationID})
	require.Negative(t, byID(rows[2].ConversationID, rows[3].ConversationID))
	leads := o.ResponseTimesByLead(store.Top{Limit: 2})
	require.Equal(t, []store.LeadRef{{LeadID: "1", LeadTitle: "One"}, {LeadID: "2"}}, []store.LeadRef{leads[0].LeadRef, leads[1].LeadRef})
	require.Equal(t, []store.ResponseRate{{Value: "", Started: 1, Answered: 1}, {Value: "x", Started: 2, Answered: 1}},
		o.ResponseRate("category", store.Period{}))

	require.Empty(t, newOracle(&h.reportRows, uuid.New()).ResponseTimesByLead(store.Top{}))
	require.Equal(t, o.ResponseTimes(store.Period{}), newOracle(&h.reportRows, uuid.Nil).ResponseTimes(store.Period{}))
	byDay := o.ResponseTimesByDay(store.Period{Before: minute(30)})
	require.Len(t, byDay, 30)
	require.Equal(t, int64(2), byDay[29].Answered)
	require.Equal(t, e.CreatedAt.Format(time.DateOnly), byDay[29].Date)
}

func TestOracleActivity(t *testing.T) {
	t.Parallel()
	h := newHandMade(uuid.New())
	a := h.thread("1", "oi i", 0, 1, 2, 3)
	b := h.thread("", "io", 0, 1)
	a.LastMessageAt = minute(3)
	h.messages[1].Attachments = message.Attachments{{}, {}}
	h.messages[3].Attachments = message.Attachments{{}}
	h.messages[3].CreatedAt = minute(100)
	b.DeletedAt = gorm.DeletedAt{Valid: true}
	o := newOracle(&h.reportRows, h.user)
	require.Equal(t, store.Summary{Live: store.StatusCounts{NeedsReply: 1}, Deleted: store.StatusCounts{Waiting: 1}}, o.Summary(store.Period{}))
	ref := store.ConversationRef{ConversationID: a.ID, UserID: h.user, LeadRef: store.LeadRef{LeadID: "1"}}
	require.Equal(t, []store.ConversationActivity{{ConversationRef: ref, Messages: 2, Inbound: 1, FirstAt: minute(1), LastAt: minute(2)}},
		o.MostActive(store.Top{Period: store.Period{Since: minute(1), Before: minute(3)}}))
	require.Equal(t, []*store.UnreadConversation{{ConversationRef: ref, LastMessageAt: minute(3), Unanswered: 2, WaitingSince: new(minute(1))}}, o.Unread(minute(3)))
	require.Empty(t, o.Unread(minute(4)))
	require.Len(t, o.MessagesWithAttachments(store.Period{Since: minute(3)}), 1)
	require.Equal(t, []store.ConversationAttachments{{ConversationRef: ref, Messages: 2, Attachments: 3}}, o.AttachmentCounts(store.Top{}))
	day := o.Daily(minute(5))
	require.Equal(t, store.Daily{
		Day: store.Day{Date: "2024-09-01", Start: worldBegin}, NewConversations: 1, NeedsReply: 1, Messages: 4, Inbound: 2, Outbound: 1,
	}, day)
}

func TestOracleSuggestions(t *testing.T) {
	t.Parallel()
	h := newHandMade(uuid.New())
	c := h.thread("1", "i", 0)
	h.draft(c, suggestion.Suggestion{Status: suggestion.StatusPending, ConfidenceScore: new(0.85), GenerationCost: decimal.New(1, -10), TokensUsed: 3}, 0)
	h.draft(c, suggestion.Suggestion{Status: suggestion.StatusApproved, ConfidenceScore: new(0.7), SuggestedContent: "a", ModelUsed: "m"}, 3*time.Minute)
	h.draft(c, suggestion.Suggestion{Status: suggestion.StatusEdited, ConfidenceScore: new(0.1), SuggestedContent: "ab", EditedContent: "abcd"}, 1*time.Minute)
	h.draft(c, suggestion.Suggestion{Status: suggestion.StatusEdited, SuggestedContent: "same", EditedContent: "same"}, 0*time.Minute)
	h.draft(c, suggestion.Suggestion{Status: suggestion.StatusRejected, GenerationCost: decimal.New(999_999_999_999_999_999, 0)}, 0*time.Minute)
	h.draft(c, suggestion.Suggestion{Status: suggestion.StatusRejected, DeletedAt: gorm.DeletedAt{Valid: true}}, 0)
	o := newOracle(&h.reportRows, h.user)
	buckets := o.SuggestionsByConfidence(store.Period{})
	require.Equal(t, []int64{1, 1, 1, 2}, []int64{buckets[0].Made, buckets[1].Made, buckets[2].Made, buckets[3].Made})
	require.Equal(t, []*float64{new(0.85), new(0.7), nil, nil}, []*float64{buckets[0].AtLeast, buckets[1].AtLeast, buckets[2].AtLeast, buckets[3].AtLeast})
	require.Equal(t, []*float64{nil, new(0.85), new(0.7), nil}, []*float64{buckets[0].Below, buckets[1].Below, buckets[2].Below, buckets[3].Below})
	models := o.SuggestionsByModel(store.Period{})
	require.Equal(t, []string{"", "m"}, []string{models[0].Model, models[1].Model})
	require.Equal(t, "999999999999999999.0000000001", models[0].Cost.String())
	require.Equal(t, new(0.475), models[0].AverageConfidence)
	require.Equal(t, store.DecisionTimes{
		Decided: 4, Durations: store.Durations{Mean: time.Minute, Median: 30 * time.Second, P90: 2*time.Minute + 24*time.Second, P95: 2*time.Minute + 42*time.Second},
		Pending: 1, OldestPending: new(minute(0)),
	}, o.DecisionTimes(store.Period{}))
	require.Equal(t, store.EditDistances{Decided: 3, Unchanged: 2, Compared: 1, Mean: new(2.0), Median: new(2.0), P90: new(2.0), MeanShare: new(0.5)},
		o.EditDistances(store.Period{}))
	require.Len(t, o.HighConfidenceApproved(0.7, store.Period{}), 1)
	require.Empty(t, o.HighConfidenceApproved(0.71, store.Period{}))
	byLead := o.CostsByLead(store.Top{})
	require.Len(t, byLead, 1)
	require.Equal(t, int64(5), byLead[0].Suggestions)
	require.Len(t, o.CostsByDay(store.Period{Since: minute(0), Before: minute(1)}), 1)
}
