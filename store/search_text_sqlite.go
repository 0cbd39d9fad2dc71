package store

import (
	"slices"
	"time"
)

// Of many matches the newest are found from the newest row on, as on PostgreSQL; but
// asking SQLite's index of words about one row costs as much as asking it about hundreds.
// So the rows are taken in steps, each longer than the one before.
const (
	firstStep = 10 // times the limit
	stepGrows = 4
	noLimit   = -1 // of a LIMIT
)

// span is a step through the messages: those from the newest after a place down to end,
// with their rowids between low and high.
type span struct {
	rows, low, high int64
	end             *place
}

func (t *textSearch) stepMessages(x texts, after *place, limit int) (found []match, err error) {
	for size := int64(limit) * firstStep; ; size *= stepGrows {
		s, err := t.span(after, size)
		if err != nil || s.rows == 0 {
			return found, err
		}
		next, _, err := t.read(t.hits(x, func(q *query) {
			t.live(t.matches(q.add(", 0.0 AS score"+t.from(x, true)+" WHERE "), x), x, nil).
				add(" AND "+x.index+".rowid BETWEEN ? AND ?", s.low, s.high)
			t.beyond(t.after(q, "m.created_at", "m.", ">=", s.end.time(), s.end), x, after)
		}), "hits", nil, limit-len(found))
		found = append(found, next...)
		if err != nil || len(found) == limit || s.rows < size {
			return found, err
		}
		after = s.end
	}
}

// span reads where a step ends, from an index alone.
func (t *textSearch) span(after *place, size int64) (s span, err error) {
	q := newQuery("WITH step AS MATERIALIZED (SELECT m.row_id, m.created_at, m.id, m.user_id FROM " + t.tables.messages + " m WHERE 1 = 1")
	t.beyond(t.owned(q, "m."), t.messages(), after).add(t.orderBy("m.created_at", "m.", " DESC")+" LIMIT ?)", size)
	q.add(" SELECT n, low, high, created_at, id, user_id FROM (SELECT count(*) AS n, min(row_id) AS low, max(row_id) AS high FROM step) a," +
		" (SELECT created_at, id, user_id FROM step" + t.orderBy("created_at", "", "") + " LIMIT 1) b")
	var at instant
	var key ownedID
	if _, err = q.row(t.db, &s.rows, &s.low, &s.high, &at, &key.id, &key.user); err != nil {
		return s, err
	}
	s.end = &place{key: timeKey(time.Time(at)), id: key.id, user: key.user}
	return s, nil
}

// stepThreads looks at the latest conversations, where a common word mostly is, and then
// at all matches: to look up one conversation costs as much as to read a hundred matches.
func (t *textSearch) stepThreads(after *place, limit int) ([]threadMatch, error) {
	latest, err := t.latestThreads(after, 2*limit)
	if err != nil || len(latest) == 0 {
		return nil, err
	}
	in := t.in(idsOf(latest))
	found, _, err := in.readThreads(in.matchingThreads(after, limit, noLimit))
	// Another user's conversation with such an id may be anywhere in the list.
	found = slices.DeleteFunc(found, func(th threadMatch) bool { return !slices.Contains(latest, th.key) })
	if err != nil || len(found) == limit || len(latest) < 2*limit {
		return found, err
	}
	found, _, err = t.readThreads(t.matchingThreads(after, limit, noLimit))
	return found, err
}

func (t *textSearch) latestThreads(after *place, n int) ([]ownedID, error) {
	c := t.titles()
	q := t.live(newQuery("SELECT c.id, c.user_id FROM "+c.table+" c WHERE 1 = 1"), c, after)
	q.add(t.orderBy("c.last_message_at", "c.", " DESC")+" LIMIT ?", n)
	found, err := collect(t.db, q, func(key *ownedID) []any { return []any{&key.id, &key.user} })
	return values(found), err
}
