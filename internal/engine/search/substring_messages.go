package search

import (
	"database/sql"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
)

// partMessages returns the newest messages after a place that have the part, at most limit. Each
// step looks at more messages than the one before, until the page is full or none are left.
func (t *textSearch) partMessages(after *scope.Place, limit int) (page []match, err error) {
	for size := limit; ; size = min(2*size, sortLimit) {
		found, sure, err := t.newestPart(after, size)
		if err != nil {
			return nil, err
		}
		last := len(found) < size
		if len(found) > 0 {
			p := t.place(found[len(found)-1])
			after = &p
		}
		if !sure {
			if found, err = t.withPart(found, limit-len(page)); err != nil {
				return nil, err
			}
		}
		page = append(page, found[:min(limit-len(page), len(found))]...)
		if last || len(page) == limit {
			return page, nil
		}
	}
}

// withPart returns those messages that have the part, in their order, at least the first limit
// of them.
func (t *textSearch) withPart(found []match, limit int) (with []match, err error) {
	for len(found) > 0 && len(with) < limit {
		n := min(mostTexts, len(found))
		has, err := t.havePart(t.messages(), keysOf(found[:n]))
		if err != nil {
			return nil, err
		}
		for _, m := range found[:n] {
			if has[m.key] {
				with = append(with, m)
			}
		}
		found = found[n:]
	}
	return with, nil
}

func keysOf(found []match) []scope.OwnedID {
	keys := make([]scope.OwnedID, len(found))
	for i, m := range found {
		keys[i] = m.key
	}
	return keys
}

// matchColumns are what readPart reads of a message.
const matchColumns = "m.id, m.user_id, m.conversation_id AS thread, m.created_at AS newest"

// newestPart returns the newest messages after a place that may have the part. Where an index
// may find all of them, it first reads as many as it can sort.
func (t *textSearch) newestPart(after *scope.Place, limit int) (found []match, sure bool, err error) {
	x := t.messages()
	if t.sc.Dialect.IndexesParts() {
		q, sure := t.partRows(matchColumns, x, nil)
		t.comesAfter(q, x, after).Add(" LIMIT ?)", sortLimit+1)
		q = query.New("WITH hits AS MATERIALIZED (").Append(q).Add(" SELECT h.*, n.total FROM (SELECT count(*) AS total FROM hits) n" +
			" CROSS JOIN (SELECT * FROM hits" + t.sc.SortByArrival("newest", "").OrderBy(" DESC"))
		found, total, err := t.readPart(q.Add(" LIMIT ?) h"+t.sc.SortByArrival("h.newest", "h.").OrderBy(" DESC"), limit))
		if err != nil || total <= sortLimit {
			return found, sure, err
		}
	}
	q, sure := t.partRows(matchColumns+", 0", x, nil)
	found, _, err = t.readPart(t.comesAfter(q, x, after).Add(t.newest(x).OrderBy(" DESC")+" LIMIT ?", limit))
	return found, sure, err
}

// readPart reads messages; total is a number that comes with each.
func (t *textSearch) readPart(q *query.Query) (found []match, total int, err error) {
	err = q.Read(t.db, func() { found, total = nil, 0 }, func(rows *sql.Rows) error {
		var m match
		err := rows.Scan(&m.key.ID, &m.key.User, &m.thread, (*record.Instant)(&m.time), &total)
		found = append(found, m)
		return err
	})
	return found, total, err
}
