package search

import (
	"slices"
	"time"

	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
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
	end             *scope.Place
}

func (t *textSearch) stepMessages(x texts, after *scope.Place, limit int) (found []match, err error) {
	for size := int64(limit) * firstStep; ; size *= stepGrows {
		s, err := t.span(after, size)
		if err != nil || s.rows == 0 {
			return found, err
		}
		next, _, err := t.read(t.hits(x, func(q *query.Query) {
			t.live(t.matches(q.Add(", 0.0 AS score"+t.from(x, true)+" WHERE "), x), x, nil).
				Add(" AND "+x.index+".rowid BETWEEN ? AND ?", s.low, s.high)
			t.beyond(t.sc.After(q, "m.created_at", "m.", ">=", s.end.Time(), s.end), x, after)
		}), "hits", nil, limit-len(found))
		found = append(found, next...)
		if err != nil || len(found) == limit || s.rows < size {
			return found, err
		}
		after = s.end
	}
}

// span reads where a step ends, from an index alone.
func (t *textSearch) span(after *scope.Place, size int64) (s span, err error) {
	q := query.New("WITH step AS MATERIALIZED (SELECT m.row_id, m.created_at, m.id, m.user_id FROM " + t.sc.Tables.Messages + " m WHERE 1 = 1")
	t.beyond(t.sc.Owned(q, "m."), t.messages(), after).Add(t.sc.OrderBy("m.created_at", "m.", " DESC")+" LIMIT ?)", size)
	q.Add(" SELECT n, low, high, created_at, id, user_id FROM (SELECT count(*) AS n, min(row_id) AS low, max(row_id) AS high FROM step) a," +
		" (SELECT created_at, id, user_id FROM step" + t.sc.OrderBy("created_at", "", "") + " LIMIT 1) b")
	var at record.Instant
	var key scope.OwnedID
	if _, err = q.Row(t.db, &s.rows, &s.low, &s.high, &at, &key.ID, &key.User); err != nil {
		return s, err
	}
	s.end = &scope.Place{Key: scope.TimeKey(time.Time(at)), ID: key.ID, User: key.User}
	return s, nil
}

// stepThreads looks at the latest conversations, where a common word mostly is, and then
// at all matches: to look up one conversation costs as much as to read a hundred matches.
func (t *textSearch) stepThreads(after *scope.Place, limit int) ([]threadMatch, error) {
	latest, err := t.latestThreads(after, 2*limit)
	if err != nil || len(latest) == 0 {
		return nil, err
	}
	in := t.in(embeddings.IDsOf(latest))
	found, _, err := in.readThreads(in.matchingThreads(after, limit, noLimit))
	// Another user's conversation with such an id may be anywhere in the list.
	found = slices.DeleteFunc(found, func(th threadMatch) bool { return !slices.Contains(latest, th.key) })
	if err != nil || len(found) == limit || len(latest) < 2*limit {
		return found, err
	}
	found, _, err = t.readThreads(t.matchingThreads(after, limit, noLimit))
	return found, err
}

func (t *textSearch) latestThreads(after *scope.Place, n int) ([]scope.OwnedID, error) {
	c := t.titles()
	q := t.live(query.New("SELECT c.id, c.user_id FROM "+c.table+" c WHERE 1 = 1"), c, after)
	q.Add(t.sc.OrderBy("c.last_message_at", "c.", " DESC")+" LIMIT ?", n)
	found, err := query.All(t.db, q, func(key *scope.OwnedID) []any { return []any{&key.ID, &key.User} })
	return query.Values(found), err
}
