package check

import (
	"time"

	"github.com/convostore/convostore/rule"
)

// Time refuses a time outside of the years 1 to 9999. Only in these the databases write a year
// with four digits, and SQLite's texts sort by time.
func Time(field string, t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return rule.Invalid(field, "is not in the years 1 to 9999")
	}
	return nil
}

// NullTime is Time for a time that may be nil, which passes.
func NullTime(field string, t *time.Time) error {
	if t == nil {
		return nil
	}
	return Time(field, *t)
}
