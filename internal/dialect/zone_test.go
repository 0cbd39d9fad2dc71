package dialect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestZone asks for the offsets of many years, among them leap years that are after the last change
// in the tables of zones: Go's own bounds stand still on their last day.
func TestZone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"} {
		z, err := time.LoadLocation(name)
		require.NoError(t, err)
		since, before := time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC)
		offsets := Zone(z, since, before)
		at := since
		for i, o := range offsets {
			end := o.Until
			if i == len(offsets)-1 {
				require.True(t, end.IsZero())
				end = before
			}
			require.True(t, end.After(at), "%s: the offset of %s ends at %s", name, at, end)
			for ; at.Before(end); at = at.Add(min(24*time.Hour, end.Sub(at))) {
				_, seconds := at.In(z).Zone()
				require.Equal(t, seconds, o.Seconds, "%s at %s", name, at)
			}
		}
	}
}
