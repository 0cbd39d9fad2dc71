package reports

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, whatever the machine has

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store"
)

// TestSeries cuts days where zones are at their oddest.
func TestSeries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		zone, since string
		hours       []float64 // of the days from since on
		dates       []string
	}{
		{"UTC", "2026-02-27", []float64{24, 24, 24}, []string{"2026-02-27", "2026-02-28", "2026-03-01"}},
		{"Europe/Berlin", "2026-03-28", []float64{24, 23, 24}, []string{"2026-03-28", "2026-03-29", "2026-03-30"}},
		{"Europe/Berlin", "2026-10-24", []float64{24, 25, 24}, []string{"2026-10-24", "2026-10-25", "2026-10-26"}},
		{"America/Sao_Paulo", "2018-11-03", []float64{24, 23, 24}, []string{"2018-11-03", "2018-11-04", "2018-11-05"}}, // no midnight
		{"America/Sao_Paulo", "2018-02-16", []float64{24, 25, 24}, []string{"2018-02-16", "2018-02-17", "2018-02-18"}}, // an hour before midnight twice
		{"America/Havana", "2025-11-01", []float64{24, 25, 24}, []string{"2025-11-01", "2025-11-02", "2025-11-03"}},    // midnight twice, in the west
		{"Asia/Amman", "2021-10-28", []float64{24, 25, 24}, []string{"2021-10-28", "2021-10-29", "2021-10-30"}},        // midnight twice, in the east
		{"Pacific/Apia", "2011-12-28", []float64{24, 24, 24}, []string{"2011-12-28", "2011-12-29", "2011-12-31"}},      // no 30th
		{"Australia/Lord_Howe", "2026-04-04", []float64{24, 24.5, 24}, []string{"2026-04-04", "2026-04-05", "2026-04-06"}},
		{"Asia/Kathmandu", "1985-12-31", []float64{24, 23.75, 24}, []string{"1985-12-31", "1986-01-01", "1986-01-02"}},
	} {
		zone, err := time.LoadLocation(tt.zone)
		require.NoError(t, err)
		since, err := time.ParseInLocation(time.DateOnly, tt.since, zone)
		require.NoError(t, err)
		s, err := seriesOf(store.Days{Period: store.Period{Since: since, Before: since.AddDate(0, 0, 5), Zone: zone}}, time.Time{})
		require.NoError(t, err)
		for i, date := range tt.dates {
			require.Equal(t, date, s.days[i].Date, tt.zone)
			require.InDelta(t, tt.hours[i], s.days[i+1].Start.Sub(s.days[i].Start).Hours(), 0, "%s %s", tt.zone, date)
			require.Equal(t, i, s.index[dayNumber(s.days[i].Start)])
		}
	}
}

func TestSeriesBounds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 31, 23, 30, 0, 0, time.UTC)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)

	s, err := seriesOf(store.Days{Period: store.Period{Zone: berlin}}, now)
	require.NoError(t, err)
	require.Len(t, s.days, 30)
	require.Equal(t, "2026-03-03", s.days[0].Date)
	require.Equal(t, "2026-04-01", s.days[29].Date, "it is tomorrow there")
	require.Equal(t, time.Date(2026, 4, 2, 0, 0, 0, 0, berlin).UTC(), s.Before, "in UTC, as SQLite's texts are")
	require.Equal(t, time.Date(2026, 3, 3, 0, 0, 0, 0, berlin).UTC(), s.Since)

	s, err = seriesOf(store.Days{Period: store.Period{Since: now, Before: now.Add(time.Hour)}}, now)
	require.NoError(t, err)
	require.Len(t, s.days, 2, "half an hour of each")
	s, err = seriesOf(store.Days{Period: store.Period{Since: now, Before: now}}, now)
	require.NoError(t, err)
	require.Empty(t, s.days)

	_, err = seriesOf(store.Days{Period: store.Period{Since: now.AddDate(0, 0, -store.MaxDays+1), Before: now}}, now)
	require.NoError(t, err)
	for _, bad := range []store.Period{
		{Since: now.AddDate(0, 0, -store.MaxDays), Before: now},
		{Since: now.Add(time.Second), Before: now},
		{Since: time.Date(10000, 1, 2, 0, 0, 0, 0, time.UTC)},
	} {
		_, err = seriesOf(store.Days{Period: bad}, now)
		require.ErrorIs(t, err, store.ErrInvalid)
	}
}
