package reports

import (
	"fmt"
	"strings"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/store"
)

// percents are the percentiles in store.Durations.
var percents = []int64{50, 90, 95}

// waitSums is the database's summary of a group of waits. Times are in microseconds.
type waitSums struct {
	// ended is the number of waits that have ended, seconds and rest the sums of their whole
	// seconds and of what is left. One sum would not hold a million waits of some years.
	ended         int64
	seconds, rest *int64
	// near holds, for each of the percents, the waits at the ranks below and above it.
	near [6]*int64
	// open is the number of waits that have not ended, oldest the start of the first of them.
	open   int64
	oldest *time.Time
}

// sumColumns are the columns of reports.durations without its keys.
var sumColumns = []string{"ended", "seconds", "rest", "near0", "near1", "near2", "near3", "near4", "near5", "open", "oldest"}

func (s *waitSums) dest() []any {
	d := []any{&s.ended, &s.seconds, &s.rest}
	for i := range s.near {
		d = append(d, &s.near[i])
	}
	return append(d, &s.open, record.NullInstant{Dest: &s.oldest})
}

// durations groups waits by keys and sums each group up. waits are rows of (keys, at, wait); the
// wait is NULL if it has not ended. A wait below 0 or above store.MaxWait is left out. Each of the keys has a comma after it; without keys all
// waits are one group. A percentile comes from the waits at the two ranks next to it,
// (n-1)·p/100 counted from 0. It is therefore exact on both databases: PostgreSQL's own
// percentiles are floating-point numbers, and SQLite has none.
func (s reports) durations(keys string, waits *query.Query) *query.Query {
	q := query.New("SELECT " + keys + "ended, seconds, rest")
	for i, p := range percents {
		for above := range 2 {
			rank := fmt.Sprintf("(ended - 1) * %d / 100 + %d", p, above)
			q.Add(fmt.Sprintf(", %s AS near%d", s.sc.Dialect.Element("waits", rank), 2*i+above))
		}
	}
	q.Add(", open, oldest FROM (SELECT " + keys + "count(wait) AS ended, CAST(sum(wait / 1000000) AS bigint) AS seconds, " +
		"CAST(sum(wait % 1000000) AS bigint) AS rest, " +
		s.sc.Dialect.SortedArray("wait") + " AS waits, count(*) - count(wait) AS open, min(CASE WHEN wait IS NULL THEN at END) AS oldest FROM ")
	q.Bracketed(waits).Add(fmt.Sprintf(" w WHERE wait IS NULL OR wait BETWEEN 0 AND %d", store.MaxWait.Microseconds()))
	if keys != "" {
		q.Add(" GROUP BY " + strings.TrimSuffix(keys, ", "))
	}
	return q.Add(") g")
}

// durations returns zero durations if no wait has ended.
func (s *waitSums) durations() store.Durations {
	if s.ended == 0 {
		return store.Durations{}
	}
	return store.Durations{
		Mean:   micros(s.mean()),
		Median: s.percentile(0), P90: s.percentile(1), P95: s.percentile(2),
	}
}

// mean returns the rounded mean in microseconds, by the same steps as meanOfSums.
func (s *waitSums) mean() int64 {
	n, seconds := s.ended, *s.seconds
	return seconds/n*1_000_000 + (2*(seconds%n*1_000_000+*s.rest)+n)/(2*n)
}

// meanOfSums is SQL for the mean of a group in microseconds, NULL for a group without waits that
// have ended.
const meanOfSums = "(seconds / NULLIF(ended, 0) * 1000000 + (2 * (seconds % NULLIF(ended, 0) * 1000000 + rest) + ended) / (2 * NULLIF(ended, 0)))"

// percentile interpolates between the lower and the upper rank by the remainder of (n-1)·p/100.
func (s *waitSums) percentile(i int) time.Duration {
	low, high := s.near[2*i], s.near[2*i+1]
	remainder := (s.ended - 1) * percents[i] % 100
	if remainder == 0 {
		return micros(*low)
	}
	return micros(*low + ((*high-*low)*remainder+50)/100)
}

// micros returns n microseconds, which are at most store.MaxWait.
func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

func (s *waitSums) responses() store.ResponseTimes {
	return store.ResponseTimes{Answered: s.ended, Durations: s.durations(), Open: s.open, OldestOpen: s.oldest}
}
