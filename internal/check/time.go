package check

import (
	"time"

	"github.com/convostore/convostore/rule"
)

// Time keeps to the years that both databases write with four digits; their text order
// is time order only there.
func Time(field string, t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return rule.Invalid(field, "is not in the years 1 to 9999")
	}
	return nil
}
