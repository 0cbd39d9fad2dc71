package search

import (
	"database/sql"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// sortLimit is how many matches a search reads and sorts. If there are more, it finds a page
// of the newest sooner by walking the rows from the newest on.
const sortLimit = store.MaxRanked

// rankLimit is sortLimit for a search by rank, whose walk does not end before it has
// store.MaxRanked matches.
const rankLimit = 10 * sortLimit

// match is a row that matches: a message, or a conversation by its title.
type match struct {
	key    scope.OwnedID
	thread uuid.UUID
	time   time.Time
	score  float64
}

// place is the place of a match in the order of the search.
func (t *textSearch) place(m match) scope.Place {
	if t.byRank() {
		return scope.Place{Key: scoreKey(m.score), ID: m.key.ID, User: m.key.User}
	}
	return scope.Place{Key: scope.TimeKey(m.time), ID: m.key.ID, User: m.key.User}
}

// scoreKey is the key of a score in a scope.Place, and scoreOf reads it.
func scoreKey(score float64) int64 { return int64(math.Float64bits(score)) }

func scoreOf(p *scope.Place) float64 { return math.Float64frombits(uint64(p.Key)) }

// findMessages returns the first messages after a place, at most limit.
func (t *textSearch) findMessages(after *scope.Place, limit int) ([]match, error) {
	switch {
	case t.bySubstring():
		return t.partMessages(after, limit)
	case t.byRank():
		return t.index.highestRanked(t, t.messages(), after, limit)
	}
	return t.index.newestMessages(t, after, limit)
}

// sortMessages reads all matches and sorts them. If total is above sortLimit, there are too
// many, and the page is not the newest.
func (t *textSearch) sortMessages(after *scope.Place, limit int) (page []match, total int, err error) {
	x := t.messages()
	return t.readMatches(t.withHits(x, func(q *query.Query) {
		t.comesAfter(t.eligible(t.matches(q.Add(", 0.0 AS score"+t.fromIndex(x)+" WHERE "), x), x, nil), x, after).Add(" LIMIT ?", sortLimit+1)
	}), "hits", nil, limit)
}

// walkMessages tries one message after the other, from the newest on, until the page is full.
func (t *textSearch) walkMessages(has rowCondition, after *scope.Place, limit int) ([]match, error) {
	x := t.messages()
	page, _, err := t.readMatches(t.withHits(x, func(q *query.Query) {
		t.comesAfter(t.eligible(has(q.Add(", 0.0 AS score"+t.fromRows(x)+" WHERE "), x), x, nil), x, after).
			Add(t.newest(x).OrderBy(" DESC")+" LIMIT ?", limit)
	}), "hits", nil, limit)
	return page, err
}

// withHits begins a query with the list "hits", the matches of a table. addRest adds the
// score, if the list has one, the FROM clause and the conditions. The list is read before it
// is sorted, so that the planner does not take an index for the order: to find a rare word
// it would walk the whole index.
func (t *textSearch) withHits(x textTable, addRest func(*query.Query)) *query.Query {
	q := query.New("WITH hits AS MATERIALIZED (SELECT " + x.alias + ".id, " + x.alias + ".user_id, " +
		x.threadColumn + " AS thread, " + x.timeColumn + " AS newest")
	addRest(q)
	return q.Add(")")
}

// hitOrder is the order of a list of messages that withHits made.
func (t *textSearch) hitOrder(alias string) scope.Sort {
	if t.byRank() {
		return t.sc.SortBy(alias+"score", alias, func(p *scope.Place) any { return scoreOf(p) })
	}
	return t.sc.SortByArrival(alias+"newest", alias)
}

// newestHits is the order of a list of rows of x that withHits made, the newest first if it
// descends. It is that of newest.
func (t *textSearch) newestHits(x textTable) scope.Sort {
	if x.alias == "c" {
		return t.sc.SortByTime("newest", "")
	}
	return t.sc.SortByArrival("newest", "")
}

// readMatches ends a query of hits with a page of a list, "hits" or one made of them, and
// reads it. total is the number of all hits.
func (t *textSearch) readMatches(q *query.Query, list string, after *scope.Place, limit int) (page []match, total int, err error) {
	q.Add(" SELECT h.id, h.user_id, h.thread, h.newest, h.score, n.total FROM (SELECT count(*) AS total FROM hits) n" +
		" LEFT JOIN (SELECT * FROM " + list)
	if after != nil {
		t.hitOrder("").After(q.Add(" WHERE 1 = 1"), "<", after)
	}
	q.Add(t.hitOrder("").OrderBy(" DESC")+" LIMIT ?) h ON 1 = 1"+t.hitOrder("h.").OrderBy(" DESC"), limit)
	err = q.Read(t.db, func() { page = nil }, func(rows *sql.Rows) error {
		var m match
		var id, user, thread *uuid.UUID
		var newest *time.Time
		var score sql.NullFloat64
		if err := rows.Scan(record.NullID{Dest: &id}, record.NullID{Dest: &user}, record.NullID{Dest: &thread}, record.NullInstant{Dest: &newest}, &score, &total); err != nil || id == nil {
			return err
		}
		m.key, m.thread, m.time, m.score = scope.OwnedID{ID: *id, User: *user}, *thread, *newest, score.Float64
		page = append(page, m)
		return nil
	})
	return page, total, err
}
