package reports

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/store"
)

// percents are the percentiles of Durations.
var percents = []int64{50, 90, 95}

// sums are what the database says of some waits, in microseconds.
type sums struct {
	// ended counts the waits that came to an end, total adds them up.
	ended int64
	total *int64
	// near are, for each of the percents, the waits at the ranks below and above it.
	near [6]*int64
	// open have not ended; oldest is when the first of them began.
	open   int64
	oldest *time.Time
}

// sumColumns are the columns of durations beside its keys.
var sumColumns = []string{"ended", "total", "near0", "near1", "near2", "near3", "near4", "near5", "open", "oldest"}

func (s *sums) dest() []any {
	d := []any{&s.ended, &s.total}
	for i := range s.near {
		d = append(d, &s.near[i])
	}
	return append(d, &s.open, record.NullInstant{Dest: &s.oldest})
}

// durations sums up waits, rows of (keys, at, wait) whose wait is NULL if it has not
// ended, by their keys, each followed by a comma; without any all together. Percentiles
// come from the waits at the ranks next to them, (n-1)·p/100 counted from 0, so that they
// are exact on both databases: PostgreSQL's own are floating-point numbers and SQLite has
// none.
func (s reports) durations(keys string, waits *query.Query) *query.Query {
	q := query.New("SELECT " + keys + "ended, total")
	for i, p := range percents {
		for above := range 2 {
			rank := fmt.Sprintf("(ended - 1) * %d / 100 + %d", p, above)
			q.Add(fmt.Sprintf(", %s AS near%d", s.sc.Dialect.Element("waits", rank), 2*i+above))
		}
	}
	q.Add(", open, oldest FROM (SELECT " + keys + "count(wait) AS ended, CAST(sum(wait) AS bigint) AS total, " +
		s.sc.Dialect.SortedArray("wait") + " AS waits, count(*) - count(wait) AS open, min(CASE WHEN wait IS NULL THEN at END) AS oldest FROM ")
	q.Bracketed(waits).Add(" w")
	if keys != "" {
		q.Add(" GROUP BY " + strings.TrimSuffix(keys, ", "))
	}
	return q.Add(") g")
}

// durations turns the sums into what a report has.
func (s *sums) durations() store.Durations {
	if s.ended == 0 {
		return store.Durations{}
	}
	return store.Durations{
		Mean:   micros((2**s.total + s.ended) / (2 * s.ended)),
		Median: s.percentile(0), P90: s.percentile(1), P95: s.percentile(2),
	}
}

// percentile goes from the lower to the upper rank by what is left of (n-1)·p/100.
func (s *sums) percentile(i int) time.Duration {
	low, high := s.near[2*i], s.near[2*i+1]
	rest := (s.ended - 1) * percents[i] % 100
	if rest == 0 {
		return micros(*low)
	}
	return micros(*low + ((*high-*low)*rest+50)/100)
}

// micros ends at the longest Duration, some 292 years.
func micros(n int64) time.Duration {
	return time.Duration(min(n, math.MaxInt64/int64(time.Microsecond))) * time.Microsecond
}

func (s *sums) responses() store.ResponseTimes {
	return store.ResponseTimes{Answered: s.ended, Durations: s.durations(), Open: s.open, OldestOpen: s.oldest}
}
