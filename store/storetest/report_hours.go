package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// worldHours are calendars of the time of the world: an office with lunch breaks and holidays, and
// nights, in which the clocks change.
func worldHours(t testing.TB) map[string]*store.Calendar {
	t.Helper()
	morning, afternoon := store.Span{From: 9 * time.Hour, To: 12*time.Hour + 30*time.Minute}, store.Span{From: 13 * time.Hour, To: 18 * time.Hour}
	night := store.Span{From: 22 * time.Hour, To: 5 * time.Hour}
	return map[string]*store.Calendar{
		"Berlin": calendar(t, store.BusinessHours{
			Zone: zone(t, "Europe/Berlin"), Week: store.Workdays(morning, afternoon),
			Holidays: []store.Holiday{{Date: "2024-12-24", Open: []store.Span{morning}}, {Date: "2024-12-25"}, {Date: "2024-12-26"}, {Date: "2025-03-30", Open: []store.Span{afternoon}}},
		}),
		"Lord Howe": calendar(t, store.BusinessHours{
			Zone: zone(t, "Australia/Lord_Howe"), Week: store.Week{{night}, {night}, {}, {morning}, {}, {night}, {night}}, Holidays: []store.Holiday{{Date: "2025-04-05"}},
		}),
	}
}

func calendar(t testing.TB, h store.BusinessHours) *store.Calendar {
	t.Helper()
	c, err := store.NewCalendar(h)
	require.NoError(t, err)
	return c
}

// testReportsHours: from Friday 17:55 to Monday 9:05 are ten minutes of a week from 9 to 18, in
// every report of durations; what is asked and answered at night takes no time.
func testReportsHours(t *testing.T, w *world) {
	berlin := zone(t, "Europe/Berlin")
	office := store.Workdays(store.Span{From: 9 * time.Hour, To: 18 * time.Hour})
	c := calendar(t, store.BusinessHours{Zone: berlin, Week: office, Holidays: []store.Holiday{{Date: "2024-10-03"}}})
	h := newHandMade(w.user)
	at := func(s string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
		require.NoError(t, err)
		return at
	}
	friday, monday := at("2024-09-06 17:55"), at("2024-09-09 09:05")
	weekend := h.thread("7", "", 0)
	h.send(weekend, 'i', friday)
	h.send(weekend, 'o', monday)
	quick := h.thread("8", "", 0)
	h.send(quick, 'i', at("2024-09-07 10:00"))
	h.send(quick, 'o', at("2024-09-08 20:00"))
	holiday := h.thread("7", "", 0)
	h.send(holiday, 'i', at("2024-10-02 17:00"))
	h.send(holiday, 'o', at("2024-10-04 10:00"))
	h.send(holiday, 'i', at("2024-10-04 11:00")) // waits still
	s := h.draft(weekend, suggestion.Suggestion{Status: suggestion.StatusApproved}, 0)
	s.CreatedAt, s.UpdatedAt, s.ReviewedAt = friday, friday, &monday
	w.fill(t, &h.reportRows)
	p := store.Period{Calendar: c, Zone: berlin}
	w.compareReports(t, h, p)

	ctx, r := t.Context(), w.mine.Reports()
	all, err := r.ResponseTimes(ctx, p)
	require.NoError(t, err)
	require.EqualValues(t, 3, all.Answered)
	require.Equal(t, (130 * time.Minute / 3).Round(time.Microsecond), all.Mean)
	require.Equal(t, 10*time.Minute, all.Median)
	require.Equal(t, at("2024-10-04 11:00").UTC(), *all.OldestOpen)
	rows, err := r.ResponseTimesByConversation(ctx, store.Top{Period: p, Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []time.Duration{2 * time.Hour, 10 * time.Minute}, []time.Duration{rows[0].Mean, rows[1].Mean})
	leads, err := r.ResponseTimesByLead(ctx, store.Top{Period: p})
	require.NoError(t, err)
	require.Equal(t, []time.Duration{65 * time.Minute, 0}, []time.Duration{leads[0].Mean, leads[1].Mean})
	p.Since, p.Before = at("2024-09-06 00:00"), at("2024-09-08 00:00")
	days, err := r.ResponseTimesByDay(ctx, store.Days{Period: p})
	require.NoError(t, err)
	require.Equal(t, []time.Duration{10 * time.Minute, 0}, []time.Duration{days[0].Mean, days[1].Mean})
	first, err := r.FirstResponseTimes(ctx, store.Period{Calendar: c})
	require.NoError(t, err)
	require.Equal(t, []int64{3, 0}, []int64{first.Answered, first.Open}, "without the second question of the holiday")
	decided, err := r.DecisionTimes(ctx, p)
	require.NoError(t, err)
	require.Equal(t, 10*time.Minute, decided.P95)
}

// testReportsKinds: only what was said by one side to the other asks and answers.
func testReportsKinds(t *testing.T, w *world) {
	h := newHandMade(w.user)
	c := h.thread("1", "iooio", 0, 1, 2, 10, 15)
	note, reply := h.messages[1], h.messages[2]
	for _, kind := range []message.Kind{message.KindNote, message.KindAutoReply, message.KindBounce, message.KindEvent} {
		other := h.thread("1", "io", 0, 1)
		h.messages[len(h.messages)-2].Kind = kind // of what only a machine said
		h.messages[len(h.messages)-1].Kind = message.KindMessage
		other.Subject = string(kind)
	}
	note.Kind = message.KindNote
	late := h.thread("1", "ioo", 0, 3, 4)
	h.messages[len(h.messages)-2].State, h.messages[len(h.messages)-2].Content = message.StateFailed, "half of"
	w.fill(t, &h.reportRows)
	r := w.mine.Reports()
	rows, err := r.ResponseTimesByConversation(t.Context(), store.Top{})
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, late.ID, rows[0].ConversationID)
	require.Equal(t, 4*time.Minute, rows[0].Mean, "to what was said and not to what failed")
	require.Equal(t, c.ID, rows[1].ConversationID)
	require.EqualValues(t, 2, rows[1].Answered)
	require.Equal(t, (reply.SentAt.Sub(minute(0))+5*time.Minute)/2, rows[1].Mean)
}
