package dialect

import (
	"database/sql/driver"
	"time"
)

// timeText is the layout of every time in SQLite: UTC, at most microseconds, without trailing
// zeros, so that the texts sort by time.
const timeText = "2006-01-02 15:04:05.999999+00:00"

// TimeText returns a time as SQLite's tables have it.
func TimeText(t time.Time) string {
	var buf [len(timeText)]byte
	return string(t.UTC().AppendFormat(buf[:0], timeText))
}

// BindTimes replaces the times among arguments by their TimeText, whatever the driver would
// make of a time: modernc's writes the text of time.Time.String unless its DSN says otherwise,
// ncruces's RFC 3339, and each in the zone of the time. A driver.Valuer is replaced by its
// value, since it may be a time. An argument that no driver takes stays, for the driver to
// refuse. Equal times that follow each other share one text.
func BindTimes(args []any) {
	var (
		last time.Time
		text any
	)
	for i, arg := range args {
		switch arg.(type) {
		case nil, string, int64, []byte, float64, bool, int:
			continue
		case time.Time: // the most frequent of the others
		default:
			value, err := driver.DefaultParameterConverter.ConvertValue(arg)
			if err != nil {
				continue
			}
			args[i] = value
		}
		t, ok := args[i].(time.Time)
		if !ok {
			continue
		}
		if text == nil || !t.Equal(last) {
			last, text = t, TimeText(t)
		}
		args[i] = text
	}
}
