package scope

import (
	"strings"
	"time"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
)

// Sort is the order of a list: columns, the last of which are the primary key as the
// tie-break.
type Sort struct {
	columns []string
	// values returns the values of the columns at a place.
	values func(p *Place) []any
}

// SortBy sorts by a column whose value at a place key returns. alias is that of the table, with
// its dot. In a list of one user the id alone is the tie-break. A list of all users adds the
// user, and an index by column and id still gives the order: only rows with the same id are
// left to be sorted.
func (sc Scope) SortBy(column, alias string, key func(p *Place) any) Sort {
	s := Sort{columns: []string{column, alias + "id"}, values: func(p *Place) []any { return []any{key(p), p.ID} }}
	if sc.All {
		s.columns = append(s.columns, alias+"user_id")
		s.values = func(p *Place) []any { return []any{key(p), p.ID, p.User} }
	}
	return s
}

// SortByTime sorts by a column of times.
func (sc Scope) SortByTime(column, alias string) Sort {
	return sc.SortBy(column, alias, func(p *Place) any { return p.Time() })
}

// SortByArrival sorts messages by when they were created: those of one user by the column, those
// of all users by their ids, of which the first bytes are the time. A second index by time, for
// lists of all users, would be one more page for each append. A host that makes its own ids
// gets their order.
func (sc Scope) SortByArrival(column, alias string) Sort {
	if !sc.All {
		return sc.SortByTime(column, alias)
	}
	return Sort{
		columns: []string{alias + "id", alias + "user_id"},
		values:  func(p *Place) []any { return []any{p.ID, p.User} },
	}
}

// SortByActivity sorts conversations by their last message. The indexes have the ten
// minutes of it; the database sorts the rows of each bucket.
func (sc Scope) SortByActivity(alias string) Sort {
	byTime := sc.SortByTime(alias+"last_message_at", alias)
	return Sort{
		columns: append([]string{alias + "activity_bucket"}, byTime.columns...),
		values:  func(p *Place) []any { return append([]any{Bucket(p.Time())}, byTime.values(p)...) },
	}
}

// SortByQueue is SortByActivity for the indexes of queues.
func (sc Scope) SortByQueue(alias string) Sort {
	s := sc.SortByActivity(alias)
	s.columns[0] = sc.Dialect.Unshared(s.columns[0])
	return s
}

// ThroughActivity is what a list of live conversations by activity adds to its table, unless a
// condition finds few rows by another index.
func (sc Scope) ThroughActivity() string {
	if !sc.All {
		return "" // the user finds the index
	}
	return sc.Through("conversations_all_activity_idx")
}

// Through is what a statement adds to a table to go through an index of a few of its rows, where
// that is always right. SQLite plans for the average user and conversation, and an index whose rows
// belong to few of them looks worse to it than one of all rows.
func (sc Scope) Through(index string) string {
	return sc.Tables.Through(sc.Dialect, index)
}

// Through is Scope.Through for a statement that is built before there is a scope.
func (t Tables) Through(d dialect.Dialect, index string) string {
	return d.Through(t.names.Name(index))
}

// First returns the first column.
func (s Sort) First() string { return s.columns[0] }

// OrderBy returns the ORDER BY clause. direction is "" or " DESC".
func (s Sort) OrderBy(direction string) string {
	return " ORDER BY " + strings.Join(s.columns, direction+", ") + direction
}

// After restricts a list to the rows after a place. beyond is ">" in ascending order and "<" in
// descending order.
func (s Sort) After(q *query.Query, beyond string, p *Place) *query.Query {
	return q.Add(" AND ("+strings.Join(s.columns, ", ")+") "+beyond+" ("+query.Marks(len(s.columns))+")", s.values(p)...)
}

// bucketSeconds is ten minutes: short enough that a campaign to thousands of leads spreads over
// some, and long enough that a chat stays in one for most of its appends.
const bucketSeconds = 600

// Bucket returns the activity_bucket of a time: tens of minutes since 1970, rounded down.
func Bucket(t time.Time) int64 {
	seconds := t.Unix()
	if seconds < 0 {
		seconds -= bucketSeconds - 1
	}
	return seconds / bucketSeconds
}

// ActiveBetween restricts conversations to those whose last message was sent from since until
// before, which is excluded. A zero time is no bound. The conditions on the bucket are for the
// indexes.
func ActiveBetween(q *query.Query, alias string, since, before time.Time) *query.Query {
	if !since.IsZero() {
		q.Add(" AND "+alias+"activity_bucket >= ?", Bucket(since))
	}
	if !before.IsZero() {
		q.Add(" AND "+alias+"activity_bucket <= ?", Bucket(before))
	}
	Between(q, alias+"last_message_at", since, before)
	return q
}
