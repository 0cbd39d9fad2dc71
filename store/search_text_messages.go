package store

import (
	"database/sql"
	"math"
	"time"

	"github.com/google/uuid"
)

// few is how many matches are read and sorted. Of more, a page of the newest is found
// sooner by walking the rows from the newest on.
const few = MaxRanked

// many is few where as much as MaxRanked is walked for.
const many = 10 * few

// match is a row that was found: a message, or a conversation by its title.
type match struct {
	key    ownedID
	thread uuid.UUID
	newest time.Time
	score  float64
}

// place is where a match stands in its list.
func (t *textSearch) place(m match) place {
	if t.ranks() {
		return place{key: int64(math.Float64bits(m.score)), id: m.key.id, user: m.key.user}
	}
	return place{key: timeKey(m.newest), id: m.key.id, user: m.key.user}
}

func (p *place) score() float64 { return math.Float64frombits(uint64(p.key)) }

func (t *textSearch) findMessages(after *place, limit int) ([]match, error) {
	if t.ranks() {
		return t.best(t.messages(), after, limit)
	}
	return t.newestMessages(after, limit)
}

// best returns what ranks highest of the newest MaxRanked matches.
func (t *textSearch) best(x texts, after *place, limit int) ([]match, error) {
	if !t.postgres() {
		// The index of words has the order of the rows' making.
		found, _, err := t.read(t.hits(x, func(q *query) {
			t.live(t.matches(t.rank(q.add(", "), x).add(" AS score"+t.from(x, true)+" WHERE "), x), x, nil).
				add(" ORDER BY "+x.index+".rowid DESC LIMIT ?", MaxRanked)
		}), "hits", after, limit)
		return found, err
	}
	q := t.hits(x, func(q *query) {
		t.live(t.matches(q.add(t.from(x, true)+" WHERE "), x), x, nil).add(" LIMIT ?", many+1)
	})
	found, total, err := t.read(t.ranked(q, x), "ranked", after, limit)
	if err != nil || total <= many {
		return found, err
	}
	q = t.hits(x, func(q *query) {
		t.live(t.has(q.add(t.from(x, false)+" WHERE "), x), x, nil).add(t.orderBy(x.newest, x.alias+".", " DESC")+" LIMIT ?", MaxRanked)
	})
	found, _, err = t.read(t.ranked(q, x), "ranked", after, limit)
	return found, err
}

// ranked adds the ranks of the newest hits to a query of hits, unless there are so many
// of them that they are not all there.
func (t *textSearch) ranked(q *query, x texts) *query {
	q.add(", ranked AS MATERIALIZED (SELECT h.id, h.user_id, h.thread, h.newest, ")
	t.rank(q, x).add(" AS score FROM (SELECT * FROM hits WHERE (SELECT count(*) FROM hits) <= ?"+
		t.orderBy("newest", "", " DESC")+" LIMIT ?) h JOIN "+x.table+" "+x.alias+
		" ON "+x.alias+".id = h.id AND "+x.alias+".user_id = h.user_id WHERE 1 = 1", many, MaxRanked)
	return t.owned(q, x.alias+".").add(")")
}

func (t *textSearch) newestMessages(after *place, limit int) ([]match, error) {
	x := t.messages()
	walk := t.walkMessages
	if !t.postgres() {
		if t.substring() {
			return walk(x, after, limit)
		}
		walk = t.stepMessages
	}
	found, total, err := t.read(t.hits(x, func(q *query) {
		t.beyond(t.live(t.matches(q.add(", 0.0 AS score"+t.from(x, true)+" WHERE "), x), x, nil), x, after).add(" LIMIT ?", few+1)
	}), "hits", nil, limit)
	if err != nil || total <= few {
		return found, err
	}
	return walk(x, after, limit)
}

// walkMessages tries one message after the other, from the newest on.
func (t *textSearch) walkMessages(x texts, after *place, limit int) ([]match, error) {
	found, _, err := t.read(t.hits(x, func(q *query) {
		t.beyond(t.live(t.has(q.add(", 0.0 AS score"+t.from(x, false)+" WHERE "), x), x, nil), x, after).
			add(t.orderBy("m.created_at", "m.", " DESC")+" LIMIT ?", limit)
	}), "hits", nil, limit)
	return found, err
}

// hits begins a query with the matches of a table; from adds where they are and, after
// the columns, their score. They are read before they are sorted, so that no index for
// the order comes into it: walking one to a rare word reads everything.
func (t *textSearch) hits(x texts, from func(*query)) *query {
	q := newQuery("WITH hits AS MATERIALIZED (SELECT " + x.alias + ".id, " + x.alias + ".user_id, " +
		x.thread + " AS thread, " + x.newest + " AS newest")
	from(q)
	return q.add(")")
}

// read ends a query of hits with the page of a list and tells how many hits there are.
func (t *textSearch) read(q *query, list string, after *place, limit int) (found []match, total int, err error) {
	by := "newest"
	if t.ranks() {
		by = "score"
	}
	q.add(" SELECT h.id, h.user_id, h.thread, h.newest, h.score, n.total FROM (SELECT count(*) AS total FROM hits) n" +
		" LEFT JOIN (SELECT * FROM " + list)
	if after != nil {
		t.after(q.add(" WHERE 1 = 1"), by, "", "<", after.score(), after)
	}
	q.add(t.orderBy(by, "", " DESC")+" LIMIT ?) h ON 1 = 1"+t.orderBy("h."+by, "h.", " DESC"), limit)
	err = q.read(t.db, func() { found = nil }, func(rows *sql.Rows) error {
		var m match
		var id, user, thread *uuid.UUID
		var newest *time.Time
		var score sql.NullFloat64
		if err := rows.Scan(nullID{&id}, nullID{&user}, nullID{&thread}, nullInstant{&newest}, &score, &total); err != nil || id == nil {
			return err
		}
		m.key, m.thread, m.newest, m.score = ownedID{*id, *user}, *thread, *newest, score.Float64
		found = append(found, m)
		return nil
	})
	return found, total, err
}
