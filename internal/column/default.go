package column

import "time"

// Default sets *t if it is the zero time.
func Default(t *time.Time, to time.Time) {
	if t.IsZero() {
		*t = to
	}
}
