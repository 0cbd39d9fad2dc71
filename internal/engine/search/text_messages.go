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

// sortLimit is how many matches are read and sorted. Of more, a page of the newest is found
// sooner by walking the rows from the newest on.
const sortLimit = store.MaxRanked

// rankLimit is few where as much as MaxRanked is walked for.
const rankLimit = 10 * sortLimit

// match is a row that was found: a message, or a conversation by its title.
type match struct {
	key    scope.OwnedID
	thread uuid.UUID
	newest time.Time
	score  float64
}

// place is where a match stands in its list.
func (t *textSearch) place(m match) scope.Place {
	if t.ranks() {
		return scope.Place{Key: int64(math.Float64bits(m.score)), ID: m.key.ID, User: m.key.User}
	}
	return scope.Place{Key: scope.TimeKey(m.newest), ID: m.key.ID, User: m.key.User}
}

func score(p *scope.Place) float64 { return math.Float64frombits(uint64(p.Key)) }

func (t *textSearch) findMessages(after *scope.Place, limit int) ([]match, error) {
	if t.ranks() {
		return t.best(t.messages(), after, limit)
	}
	return t.newestMessages(after, limit)
}

// best returns what ranks highest of the newest MaxRanked matches.
func (t *textSearch) best(x texts, after *scope.Place, limit int) ([]match, error) {
	if !t.postgres() {
		// The index of words has the order of the rows' making.
		found, _, err := t.read(t.hits(x, func(q *query.Query) {
			t.live(t.matches(t.rank(q.Add(", "), x).Add(" AS score"+t.from(x, true)+" WHERE "), x), x, nil).
				Add(" ORDER BY "+x.index+".rowid DESC LIMIT ?", store.MaxRanked)
		}), "hits", after, limit)
		return found, err
	}
	q := t.hits(x, func(q *query.Query) {
		t.live(t.matches(q.Add(t.from(x, true)+" WHERE "), x), x, nil).Add(" LIMIT ?", rankLimit+1)
	})
	found, total, err := t.read(t.ranked(q, x), "ranked", after, limit)
	if err != nil || total <= rankLimit {
		return found, err
	}
	q = t.hits(x, func(q *query.Query) {
		t.live(t.has(q.Add(t.from(x, false)+" WHERE "), x), x, nil).Add(t.sc.OrderBy(x.newest, x.alias+".", " DESC")+" LIMIT ?", store.MaxRanked)
	})
	found, _, err = t.read(t.ranked(q, x), "ranked", after, limit)
	return found, err
}

// ranked adds the ranks of the newest hits to a query of hits, unless there are so many
// of them that they are not all there.
func (t *textSearch) ranked(q *query.Query, x texts) *query.Query {
	q.Add(", ranked AS MATERIALIZED (SELECT h.id, h.user_id, h.thread, h.newest, ")
	t.rank(q, x).Add(" AS score FROM (SELECT * FROM hits WHERE (SELECT count(*) FROM hits) <= ?"+
		t.sc.OrderBy("newest", "", " DESC")+" LIMIT ?) h JOIN "+x.table+" "+x.alias+
		" ON "+x.alias+".id = h.id AND "+x.alias+".user_id = h.user_id WHERE 1 = 1", rankLimit, store.MaxRanked)
	return t.sc.Owned(q, x.alias+".").Add(")")
}

func (t *textSearch) newestMessages(after *scope.Place, limit int) ([]match, error) {
	x := t.messages()
	walk := t.walkMessages
	if !t.postgres() {
		if t.substring() {
			return walk(x, after, limit)
		}
		walk = t.stepMessages
	}
	found, total, err := t.read(t.hits(x, func(q *query.Query) {
		t.beyond(t.live(t.matches(q.Add(", 0.0 AS score"+t.from(x, true)+" WHERE "), x), x, nil), x, after).Add(" LIMIT ?", sortLimit+1)
	}), "hits", nil, limit)
	if err != nil || total <= sortLimit {
		return found, err
	}
	return walk(x, after, limit)
}

// walkMessages tries one message after the other, from the newest on.
func (t *textSearch) walkMessages(x texts, after *scope.Place, limit int) ([]match, error) {
	found, _, err := t.read(t.hits(x, func(q *query.Query) {
		t.beyond(t.live(t.has(q.Add(", 0.0 AS score"+t.from(x, false)+" WHERE "), x), x, nil), x, after).
			Add(t.sc.OrderBy("m.created_at", "m.", " DESC")+" LIMIT ?", limit)
	}), "hits", nil, limit)
	return found, err
}

// hits begins a query with the matches of a table; from adds where they are and, after
// the columns, their score. They are read before they are sorted, so that no index for
// the order comes into it: walking one to a rare word reads everything.
func (t *textSearch) hits(x texts, from func(*query.Query)) *query.Query {
	q := query.New("WITH hits AS MATERIALIZED (SELECT " + x.alias + ".id, " + x.alias + ".user_id, " +
		x.thread + " AS thread, " + x.newest + " AS newest")
	from(q)
	return q.Add(")")
}

// read ends a query of hits with the page of a list and tells how many hits there are.
func (t *textSearch) read(q *query.Query, list string, after *scope.Place, limit int) (found []match, total int, err error) {
	by := "newest"
	if t.ranks() {
		by = "score"
	}
	q.Add(" SELECT h.id, h.user_id, h.thread, h.newest, h.score, n.total FROM (SELECT count(*) AS total FROM hits) n" +
		" LEFT JOIN (SELECT * FROM " + list)
	if after != nil {
		t.sc.After(q.Add(" WHERE 1 = 1"), by, "", "<", score(after), after)
	}
	q.Add(t.sc.OrderBy(by, "", " DESC")+" LIMIT ?) h ON 1 = 1"+t.sc.OrderBy("h."+by, "h.", " DESC"), limit)
	err = q.Read(t.db, func() { found = nil }, func(rows *sql.Rows) error {
		var m match
		var id, user, thread *uuid.UUID
		var newest *time.Time
		var score sql.NullFloat64
		if err := rows.Scan(record.NullID{Dest: &id}, record.NullID{Dest: &user}, record.NullID{Dest: &thread}, record.NullInstant{Dest: &newest}, &score, &total); err != nil || id == nil {
			return err
		}
		m.key, m.thread, m.newest, m.score = scope.OwnedID{ID: *id, User: *user}, *thread, *newest, score.Float64
		found = append(found, m)
		return nil
	})
	return found, total, err
}
