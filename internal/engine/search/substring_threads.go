package search

import (
	"database/sql"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
)

// partThreads returns the latest conversations after a place that have the part in a message, in
// the title or in the subject, at most limit, with the number of messages that have it and the
// newest of these. It goes on as partMessages does.
func (t *textSearch) partThreads(after *scope.Place, limit int) (page []threadMatch, err error) {
	for size := limit; ; size = min(2*size, sortLimit) {
		found, sure, err := t.latestPart(after, size)
		if err != nil {
			return nil, err
		}
		last := len(found) < size
		if len(found) > 0 {
			p := t.threadPlace(found[len(found)-1])
			after = &p
		}
		if found, err = t.countParts(found, limit-len(page), sure); err != nil {
			return nil, err
		}
		page = append(page, found[:min(limit-len(page), len(found))]...)
		if last || len(page) == limit {
			return page, nil
		}
	}
}

// latestPart returns the latest conversations after a place that may have the part.
func (t *textSearch) latestPart(after *scope.Place, limit int) (found []threadMatch, sure bool, err error) {
	q, sure := t.matchingParts(after, limit)
	found, total, err := t.readThreads(q)
	if err == nil && total > sortLimit {
		found, _, err = t.readThreads(t.walkedParts(after, limit))
	}
	return found, sure, err
}

// matchingParts selects the latest conversations among a limited number of messages that may
// have the part and as many titles, and the number of both.
func (t *textSearch) matchingParts(after *scope.Place, limit int) (q *query.Query, sure bool) {
	m, c := t.messages(), t.conversations()
	hits, sure := t.partRows("m.conversation_id AS id, m.user_id", m, after)
	q = query.New("WITH hits AS MATERIALIZED (").Append(hits).Add(" LIMIT ?)", sortLimit+1)
	union, total := "SELECT id, user_id FROM hits", "(SELECT count(*) FROM hits)"
	if !filtersMessages(t.options.Filter) {
		titles, _ := t.partRows("c.id, c.user_id", c, after)
		q.Add(", titles AS MATERIALIZED (").Append(titles).Add(" LIMIT ?)", sortLimit+1)
		union, total = union+" UNION SELECT id, user_id FROM titles", total+" + (SELECT count(*) FROM titles)"
	}
	q.Add(" SELECT c.id, c.user_id, c.last_message_at, " + total + " FROM (SELECT DISTINCT id, user_id FROM (" + union + ") b) a" +
		t.sc.Dialect.OrderedJoin() + c.table + " c ON c.id = a.id AND c.user_id = a.user_id WHERE c.deleted_at IS NULL")
	return t.sc.Owned(q, "c.").Add(t.newest(c).OrderBy(" DESC")+" LIMIT ?", limit), sure
}

// walkedParts selects the same conversations by trying one after the other, from the latest on.
func (t *textSearch) walkedParts(after *scope.Place, limit int) *query.Query {
	m, c := t.messages(), t.conversations()
	q := query.New("SELECT c.id, c.user_id, c.last_message_at, 0" + t.fromRows(c) + t.throughActivity() + " WHERE (")
	if !filtersMessages(t.options.Filter) {
		t.mayHavePart(q, c)
		q.Add(" OR ")
	}
	// It is not an EXISTS: PostgreSQL would hash all messages that match for that.
	t.mayHavePart(q.Add("(SELECT TRUE FROM "+m.table+" m WHERE "), m)
	q.Add(" AND m.conversation_id = c.id AND m.user_id = c.user_id AND m.deleted_at IS NULL AND m.state <> 'streaming'")
	addFilter(t.sc, t.sc.Owned(q, "m."), t.options.Filter)
	return t.eligible(q.Add(" LIMIT 1))"), c, after).Add(t.newest(c).OrderBy(" DESC")+" LIMIT ?", limit)
}

// countParts fills in the messages of conversations that may have the part, and leaves out those
// that do not have it. It returns at least the first limit of them.
func (t *textSearch) countParts(found []threadMatch, limit int, sure bool) (with []threadMatch, err error) {
	if len(found) == 0 {
		return nil, nil
	}
	if sure {
		found = found[:min(limit, len(found))]
		return found, t.countSure(found)
	}
	for len(found) > 0 && len(with) < limit {
		some := found[:min(limit, len(found))]
		found = found[len(some):]
		if err := t.countRead(some); err != nil {
			return nil, err
		}
		titled, err := t.titledParts(some)
		if err != nil {
			return nil, err
		}
		with = append(with, slices.DeleteFunc(slices.Clone(some), func(th threadMatch) bool {
			return th.messages == 0 && !titled[th.key]
		})...)
	}
	return with, nil
}

// countSure lets the database count the messages.
func (t *textSearch) countSure(page []threadMatch) error {
	const columns = "m.id, m.user_id, m.conversation_id," +
		" count(*) OVER (PARTITION BY m.conversation_id, m.user_id) AS n," +
		" row_number() OVER (PARTITION BY m.conversation_id, m.user_id ORDER BY m.created_at DESC, m.id DESC) AS place"
	inPage := t.inThreads(threadsOf(page))
	rows, _ := inPage.partRows(columns, t.messages(), nil)
	q := query.New("SELECT id, user_id, conversation_id, n FROM (").Append(rows).Add(") ranked WHERE place = 1")
	return q.Read(t.db, func() {}, func(rows *sql.Rows) error {
		id, n, key := uuid.UUID{}, int64(0), scope.OwnedID{}
		err := rows.Scan(&id, &key.User, &key.ID, &n)
		if th := threadIn(page, key); th != nil {
			th.bestMessage, th.messages = id, n
		}
		return err
	})
}

// countRead reads the messages that may have the part, the newest first, and counts those that
// have it.
func (t *textSearch) countRead(page []threadMatch) error {
	x := t.messages()
	inPage := t.inThreads(threadsOf(page))
	q, _ := inPage.partRows(matchColumns+", 0", x, nil)
	found, _, err := t.readPart(q.Add(" ORDER BY m.created_at DESC, m.id DESC"))
	if err != nil {
		return err
	}
	has, err := t.havePart(x, keysOf(found))
	if err != nil {
		return err
	}
	for _, m := range found {
		th := threadIn(page, scope.OwnedID{ID: m.thread, User: m.key.User})
		if th == nil || !has[m.key] {
			continue
		}
		if th.messages++; th.messages == 1 {
			th.bestMessage = m.key.ID
		}
	}
	return nil
}

// titledParts returns the conversations that have the part in the title or in the subject. A
// filter on messages leaves out all of them.
func (t *textSearch) titledParts(page []threadMatch) (map[scope.OwnedID]bool, error) {
	if filtersMessages(t.options.Filter) {
		return nil, nil //nolint:nilnil // none are titled
	}
	keys := make([]scope.OwnedID, len(page))
	for i, th := range page {
		keys[i] = th.key
	}
	return t.havePart(t.conversations(), keys)
}

func threadsOf(page []threadMatch) []uuid.UUID {
	ids := make([]uuid.UUID, len(page))
	for i, th := range page {
		ids[i] = th.key.ID
	}
	return ids
}

func threadIn(page []threadMatch, key scope.OwnedID) *threadMatch {
	for i := range page {
		if page[i].key == key {
			return &page[i]
		}
	}
	return nil
}
